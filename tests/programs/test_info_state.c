/* Where a run stands, read from its folder alone: every state it can be in, and folders that somebody has spoilt. */
#include "base/host.h"
#include "base/io/files.h"
#include "base/text.h"
#include "programs/info/kinds.h"
#include "programs/info/state.h"
#include "run/json_members.h"
#include "run/run_lock.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct fixture {
    char *run, *train;
};

static int make(void **state)
{
    struct error error;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->run = scratch_make();
    fixture->train = path_join(fixture->run, "train");
    unsetenv("SLURM_JOB_ID");
    if (!fixture->run || !folder_make(fixture->train, &error))
        return 1;
    *state = fixture;
    return 0;
}

static int clear(void **state)
{
    struct fixture *fixture = *state;
    free(fixture->train);
    scratch_remove(fixture->run);
    free(fixture);
    return 0;
}

static void put(const char *folder, const char *name, const char *text)
{
    struct error error;
    char *path = path_join(folder, name);
    assert_ok(file_write(path, path, text, strlen(text), &error), error);
    free(path);
}

/* What is seen, with checkpoints of these steps said to be there. */
static json_t *look(const struct fixture *fixture, int newest)
{
    struct info_state *state = info_state_make(fixture->run);
    json_t *object = json_object();
    assert_non_null(state);
    json_object_set_new(object, "path", json_string("run"));
    json_object_set_new(object, "checkpoints", newest ? json_pack("[i]", newest) : json_array());
    info_state_read(state, object);
    info_state_free(state);
    return object;
}

/* All that is printed of it; no line is wider than a page. */
static char *in_words(const json_t *object)
{
    struct capture capture = capture_start(1);
    info_print_state(stdout, object);
    info_print_sessions(stdout, object, 5);
    info_print_state_line(stdout, object);
    char *text = capture_end(&capture), *end;
    for (char *line = text; (end = strchr(line, '\n')); line = end + 1)
        if (end - line > 80 && end[1] != '\0')
            fail_msg("wider than 80 columns: %.*s", (int)(end - line), line);
    return text;
}

static void assert_words(const json_t *object, const char *session)
{
    char *text = in_words(object);
    assert_contains(text, session);
    free(text);
}

static void assert_state(const struct fixture *fixture, int newest, const char *state, const char *words)
{
    json_t *object = look(fixture, newest);
    assert_string_equal(member_string(object, "state"), state);
    assert_null(json_object_get(object, "damage"));
    assert_words(object, words);
    json_decref(object);
}

#define START "{\"event\":\"start\",\"step\":0,\"num_steps\":200,\"num_ranks\":2,\"time\":\"2026-01-31T12:00:00Z\"}\n"
#define RESUME "{\"event\":\"resume\",\"step\":60,\"num_steps\":60,\"time\":\"2026-01-31T12:00:00Z\"}\n"
#define STEPS                                                                                                          \
    "{\"step\":50,\"time\":\"2026-01-31T12:01:00Z\",\"total_loss\":7.5,\"windows_per_second\":12.5,"                   \
    "\"seconds_per_step\":2,\"wait_share\":0.25}\n"
#define END(reason) "{\"event\":\"end\",\"step\":60,\"num_steps\":200,\"reason\":\"" reason "\",\"message\":\"a\"}\n"

static void without_a_job(void **state)
{
    const struct fixture *fixture = *state;
    assert_state(fixture, 0, "not begun", "no training has logged");
    put(fixture->train, "metrics.jsonl", START STEPS);
    assert_state(fixture, 40, "killed", "at step 40, repeats later steps");
    assert_state(fixture, 40, "killed", "      50     10      2                killed\n");
    assert_state(fixture, 40, "killed", "0:05:00 at the last speed");
    assert_state(fixture, 40, "killed", "25 %, step 50 of 200\n");
    put(fixture->train, "metrics.jsonl", START STEPS END("SIGTERM"));
    assert_state(fixture, 60, "halted", "by SIGTERM at step 60");
    assert_state(fixture, 60, "halted", "at step 60\n");
    put(fixture->train, "metrics.jsonl", START STEPS END("failed"));
    assert_state(fixture, 50, "failed", "at step 60: a\n");
    put(fixture->train, "metrics.jsonl", START STEPS END("num_steps"));
    assert_state(fixture, 60, "done", "done\n");
    const char *last =
        START "{\"event\":\"end\",\"step\":200,\"num_steps\":200,\"reason\":\"failed\",\"message\":\"no\\nroom\"}\n";
    put(fixture->train, "metrics.jsonl", last);
    assert_state(fixture, 60, "failed", "at step 200: no?room\n");
    assert_state(fixture, 60, "failed", " 99 %, step 200 of 200\n");
}

static void with_a_job(void **state)
{
    struct error error;
    struct run_lock lock;
    const struct fixture *fixture = *state;
    char host[HOST_NAME_SIZE];
    host_name(host);
    assert_ok(run_lock_take(&lock, fixture->train, &error), error);
    assert_state(fixture, 0, "starting", "has not logged its start");
    put(fixture->train, "metrics.jsonl", START STEPS END("SIGTERM"));
    assert_state(fixture, 0, "starting", "starting");
    put(fixture->train, "metrics.jsonl", START STEPS);
    assert_state(fixture, 0, "running", "runs on     2 ranks, process ");
    assert_state(fixture, 0, "running", "running, step 50/200 (25 %), loss 7.5, 12.5 windows/s, left 0:00:00\n");
    char *own = format_text("{\"event\":\"resume\",\"step\":0,\"num_steps\":100,\"host\":\"%s\",\"pid\":%ld}\n" STEPS,
                            host, (long)getpid());
    put(fixture->train, "metrics.jsonl", own);
    assert_state(fixture, 0, "running", "50 %, step 50 of 100");
    own[strlen(own) - strlen(STEPS) - 3] ^= 1; /* another process: the one before it, of whose end there is no word */
    put(fixture->train, "metrics.jsonl", own);
    assert_state(fixture, 0, "starting", "killed");
    free(own);
    run_lock_release(&lock);
}

static void with_the_lock_of_a_dead_job(void **state)
{
    const struct fixture *fixture = *state;
    char *path = path_join(fixture->train, "lock");
    put(fixture->train, "metrics.jsonl", START);
    put(fixture->train, "lock", "{\"host\":\"node9\",\"pid\":7,\"slurm_job\":\"42\"}");
    assert_state(fixture, 0, "running", "process 7 on node9, Slurm job 42; last heartbeat 0 s");
    const struct timespec past = {.tv_sec = time(NULL) - 2 * FOLDER_LOCK_STALE_SECONDS}, times[] = {past, past};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_state(fixture, 0, "killed", "Slurm job 42; gone, last heartbeat 240 s");
    put(fixture->train, "metrics.jsonl", "");
    put(fixture->train, "lock", "\x1b[2J");
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_state(fixture, 0, "killed", "before its first step");
    free(path);
}

/* Starts of the job without a session: it ended before the training logged anything. */
static void starts(void **state)
{
    const struct fixture *fixture = *state;
    put(fixture->train, "metrics.jsonl",
        "{\"event\":\"start\",\"step\":0,\"num_steps\":9,\"time\":\"2026-01-31T12:00:05Z\",\"slurm_job\":\"42\"}\n"
        "{\"event\":\"resume\",\"step\":4,\"num_steps\":9,\"time\":\"2026-01-31T14:00:05Z\",\"slurm_job\":\"42\","
        "\"slurm_restarts\":\"2\"}\n");
    put(fixture->run, "requeues.tsv",
        "42\t0\t0\t2\t4\t2026-01-31T12:00:00Z\n42\t1\t4\t2\t4\t2026-01-31T13:00:00Z\n\t\nshort\tline\n"
        "42\t2\t4\t1\t2\t2026-01-31T14:00:00Z\n43\t0\thalf a li");
    json_t *object = look(fixture, 4);
    assert_int_equal(json_array_size(json_object_get(object, "starts")), 3);
    char *words = in_words(object);
    const char *first = strstr(words, "2026-01-31 12:00"), *lost = strstr(words, "2026-01-31 13:00"),
               *last = strstr(words, "2026-01-31 14:00");
    assert_true(first && lost && last && first < lost && lost < last);
    assert_contains(lost, "job 42        no step\n");
    assert_null(strstr(first + 16, " 12:00"));
    free(words);
    json_decref(object);
}

static void restarts_are_counted(void **state)
{
    const struct fixture *fixture = *state;
    put(fixture->train, "metrics.jsonl",
        START STEPS START STEPS END("--max_seconds") START END("failed") START START STEPS END("num_steps") START);
    json_t *object = look(fixture, 0);
    assert_words(object, "restarts    5, after 1 halt, 2 kills, 1 failure, 1 end; 230 steps repeated\n");
    assert_words(object, "  ... and 1 earlier: --json lists all\n");
    json_decref(object);
}

static void starts_without_work_are_skipped(void **state)
{
    const struct fixture *fixture = *state;
    put(fixture->train, "metrics.jsonl", START STEPS END("num_steps") RESUME END("num_steps") RESUME END("num_steps"));
    json_t *object = look(fixture, 60);
    char *words = in_words(object), *row = strstr(words, "2026-01-31 12:00");
    assert_null(strstr(words, "restarts"));
    assert_non_null(row);
    assert_null(strstr(row + 1, "2026-01-31 12:00"));
    free(words);
    json_decref(object);
    put(fixture->train, "metrics.jsonl",
        START STEPS END("num_steps") "{\"event\":\"resume\",\"step\":60,\"num_steps\":6}\n"
                                     "{\"event\":\"end\",\"step\":60,\"num_steps\":6,\"reason\":\"num_steps\"}\n");
    object = look(fixture, 0);
    assert_words(object, "100 %, step 60 of 60\n");
    json_decref(object);
}

static void spoilt_folders(void **state)
{
    struct error error;
    const struct fixture *fixture = *state;
    char *metrics = path_join(fixture->train, "metrics.jsonl");
    char *huge = format_text(
        "{\"event\":\"start\",\"step\":1e300,\"num_steps\":1e300,\"num_ranks\":1e300,\"time\":\"%s\","
        "\"host\":\"%0300d\",\"slurm_job\":\"\\u001b[2J\",\"slurm_restarts\":\"\\u009b2J\"}\n{\"step\":-1e300,"
        "\"seconds_per_step\":1e300,\"windows_per_second\":1e300,\"total_loss\":-1e300,"
        "\"wait_share\":1e300,\"time\":\"99999-99-99T99:99:99Z\"}\n",
        "x\\u001b", 7);
    put(fixture->train, "metrics.jsonl", huge);
    json_t *object = look(fixture, 0);
    char *words = in_words(object);
    assert_null(strchr(words, 0x1b));
    const json_t *session = json_array_get(json_object_get(object, "sessions"), 0);
    assert_string_equal(member_string(session, "slurm_restarts"), "??2J");
    assert_int_equal(member_step(session, "from_step"), UINT32_MAX);
    free(words);
    json_decref(object);
    free(huge);

    assert_int_equal(unlink(metrics), 0);
    assert_ok(folder_make(metrics, &error), error);
    object = look(fixture, 0);
    assert_string_equal(member_string(object, "state"), "not begun");
    assert_contains(json_string_value(json_array_get(json_object_get(object, "damage"), 0)), "is not a regular file");
    json_decref(object);
    free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_job, make, clear),
        cmocka_unit_test_setup_teardown(with_a_job, make, clear),
        cmocka_unit_test_setup_teardown(with_the_lock_of_a_dead_job, make, clear),
        cmocka_unit_test_setup_teardown(starts, make, clear),
        cmocka_unit_test_setup_teardown(restarts_are_counted, make, clear),
        cmocka_unit_test_setup_teardown(starts_without_work_are_skipped, make, clear),
        cmocka_unit_test_setup_teardown(spoilt_folders, make, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
