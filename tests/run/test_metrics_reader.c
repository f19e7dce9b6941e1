/* What is read out of a metrics.jsonl: one that grows, one of several sessions, and ones that nobody of ours has written. */
#include "programs/info/kinds.h"
#include "run/json_members.h"
#include "run/metrics_reader.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <stdlib.h>

struct fixture {
    char *folder, *path;
    struct metrics_reader *reader;
};

static int make(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->folder = scratch_make();
    fixture->path = path_join(fixture->folder, "metrics.jsonl");
    fixture->reader = metrics_reader_make(fixture->path);
    *state = fixture;
    return 0;
}

static int clear(void **state)
{
    struct fixture *fixture = *state;
    metrics_reader_free(fixture->reader);
    free(fixture->path);
    scratch_remove(fixture->folder);
    free(fixture);
    return 0;
}

static void append_bytes(const struct fixture *fixture, const char *bytes, size_t size)
{
    FILE *file = fopen(fixture->path, "ab");
    assert_true(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static void append(const struct fixture *fixture, const char *text)
{
    append_bytes(fixture, text, strlen(text));
}

static void read_on(const struct fixture *fixture)
{
    struct error error = {.message = ""};
    assert_ok(metrics_reader_read(fixture->reader, &error), error);
}

/* The steps of the lines, as "1 2 3 ". */
static void assert_lines(const struct fixture *fixture, const char *expected)
{
    char text[256] = "";
    json_t *lines = metrics_reader_lines(fixture->reader), *line;
    size_t i;
    json_array_foreach(lines, i, line) sprintf(text + strlen(text), "%lld ", (long long)member_int(line, "step"));
    assert_string_equal(text, expected);
    json_decref(lines);
}

/* The sessions, as "FROM-LAST REASON lost N; ". */
static void assert_parts(const struct fixture *fixture, const char *expected)
{
    char text[1024] = "";
    json_t *sessions = metrics_reader_sessions(fixture->reader), *session;
    size_t i;
    json_array_foreach(sessions, i, session)
        sprintf(text + strlen(text), "%lld-%lld %s lost %lld; ", (long long)member_int(session, "from_step"),
                (long long)member_int(session, "last_step"), member_string(session, "reason"),
                (long long)member_int(session, "steps_lost"));
    assert_string_equal(text, expected);
    json_decref(sessions);
}

static void a_file_that_grows(void **state)
{
    const struct fixture *fixture = *state;
    read_on(fixture);
    assert_lines(fixture, "");
    assert_parts(fixture, "");
    append(fixture,
           "{\"event\":\"start\",\"step\":0,\"num_steps\":9,\"num_ranks\":2,\"time\":\"then\"}\n{\"step\":1}\n{\"st");
    read_on(fixture);
    assert_lines(fixture, "1 ");
    append(fixture, "ep\":2,\"time\":\"now\"}");
    read_on(fixture);
    assert_lines(fixture, "1 ");
    append(fixture, "\n");
    read_on(fixture);
    read_on(fixture);
    assert_lines(fixture, "1 2 ");
    assert_parts(fixture, "0-2  lost 0; ");
    append(fixture, "{\"event\":\"end\",\"step\":3,\"num_steps\":9,\"reason\":\"failed\",\"message\":\"no room\"}\n");
    read_on(fixture);
    assert_parts(fixture, "0-3 failed lost 0; ");
    json_t *sessions = metrics_reader_sessions(fixture->reader), *session = json_array_get(sessions, 0);
    assert_string_equal(member_string(session, "message"), "no room");
    assert_string_equal(member_string(session, "began"), "then");
    assert_int_equal(member_int(session, "num_ranks"), 2);
    assert_null(json_object_get(session, "pid"));
    json_decref(sessions);
}

static void a_file_that_is_another(void **state)
{
    const struct fixture *fixture = *state;
    append(fixture, "{\"event\":\"start\",\"step\":0}\n{\"step\":5}\n");
    read_on(fixture);
    assert_int_equal(truncate(fixture->path, 0), 0);
    append(fixture, "{\"step\":7}\n");
    read_on(fixture);
    assert_lines(fixture, "7 ");
    assert_parts(fixture, "");
    assert_int_equal(unlink(fixture->path), 0);
    read_on(fixture);
    assert_lines(fixture, "");
}

static void sessions(void **state)
{
    const struct fixture *fixture = *state;
    append(fixture, "{\"event\":\"start\",\"step\":0,\"host\":\"a\",\"pid\":7}\n"
                    "{\"step\":10}\n{\"step\":20}\n{\"step\":30}\n"
                    "{\"event\":\"resume\",\"step\":20,\"slurm_job\":\"42\",\"slurm_restarts\":\"1\"}\n"
                    "{\"step\":30}\n{\"event\":\"end\",\"step\":33,\"reason\":\"SIGTERM\"}\n"
                    "{\"event\":\"resume\",\"step\":33}\n{\"event\":\"resume\",\"step\":33}\n{\"step\":40}\n");
    read_on(fixture);
    assert_parts(fixture, "0-30  lost 10; 20-33 SIGTERM lost 0; 33-33  lost 0; 33-40  lost 0; ");
    assert_lines(fixture, "10 20 30 40 ");
    assert_string_equal(member_string(metrics_reader_event(fixture->reader), "event"), "resume");
    json_t *all = metrics_reader_sessions(fixture->reader);
    assert_int_equal(member_int(json_array_get(all, 0), "pid"), 7);
    assert_string_equal(member_string(json_array_get(all, 1), "slurm_job"), "42");
    json_decref(all);
}

/* Lines of the first version, and of today, by one name. */
static void names_of_the_first_version(void **state)
{
    static const char *const names[] = {"loss", "grad_norm", "step_time", "skipped_steps", "hits_loss"};
    const struct fixture *fixture = *state;
    append(fixture, "{\"step\":1,\"total_loss\":1,\"global_norm\":2,\"seconds_per_step\":3,\"skipped\":4,"
                    "\"hits_loss\":5}\n"
                    "{\"step\":2,\"split\":\"test\",\"test_loss\":1,\"grad_norm\":2,\"test_step_time\":3,"
                    "\"skipped_steps\":4,\"test_hits_loss\":5}\n"
                    "{\"step\":3,\"total_loss\":7,\"loss\":1,\"grad_norm\":\"x\"}\n");
    read_on(fixture);
    json_t *lines = metrics_reader_lines(fixture->reader);
    for (int i = 0; i < 5; i++)
        for (size_t line = 0; line < 2; line++) {
            const json_t *value = metrics_reader_value(json_array_get(lines, line), names[i]);
            assert_non_null(value);
            assert_int_equal(json_number_value(value), i + 1);
        }
    const json_t *last = json_array_get(lines, 2);
    assert_int_equal(json_number_value(metrics_reader_value(last, "loss")), 1);
    assert_null(json_object_get(last, "total_loss"));
    assert_null(metrics_reader_value(last, "grad_norm"));
    assert_null(metrics_reader_value(last, "step_time"));
    json_decref(lines);
}

/* Only the last of very many are kept, and the others cost no memory. */
static void very_many(void **state)
{
    const struct fixture *fixture = *state;
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 3000; i++)
        fprintf(file, "{\"event\":\"start\",\"step\":%d}\n{\"step\":%d,\"total_loss\":1.5}\n", i, i);
    assert_int_equal(fclose(file), 0);
    read_on(fixture);
    assert_lines(fixture, "2995 2996 2997 2998 2999 ");
    json_t *all = metrics_reader_sessions(fixture->reader);
    assert_int_equal(json_array_size(all), 1000);
    json_decref(all);
}

static void nonsense(void **state)
{
    static const char zeros[] = "{\"step\":1}\n\0\0\n{\"step\":2}\0\n";
    const struct fixture *fixture = *state;
    append_bytes(fixture, zeros, sizeof zeros - 1);
    append(fixture, "no JSON\n[1]\n\n{\"step\":\"7\"}\n{\"event\":7}\n{\"event\":\"end\",\"step\":\"x\"}\n[\"event\"]\n"
                    "{\"event\":\"end\",\"step\":4,\"reason\":\"SIGTERM\"}\n\"step\"\n{\"event\"\n"
                    "{\"event\":\"start\",\"step\":1e300,\"num_steps\":-1e300,\"host\":[],\"pid\":\"x\"}\n"
                    "{\"step\":1e300}\n{\"step\":3,\"step\":4}\n");
    char *line = malloc(1 << 20); /* a line longer than any of ours */
    assert_non_null(line);
    memset(line, '{', 1 << 20);
    append_bytes(fixture, line, 1 << 20);
    free(line);
    append(fixture, "\n{\"step\":8}\n");
    read_on(fixture);
    assert_parts(fixture, "4294967295-8  lost 0; ");
    json_t *lines = metrics_reader_lines(fixture->reader);
    assert_int_equal(member_int(json_array_get(lines, json_array_size(lines) - 1), "step"), 8);
    json_decref(lines);
}

/* Differences of such steps would be no numbers of 64 bits. */
static void steps_out_of_range(void **state)
{
    const struct fixture *fixture = *state;
    append(fixture, "{\"event\":\"start\",\"step\":-9223372036854775808,\"num_steps\":9}\n"
                    "{\"step\":9223372036854775807}\n"
                    "{\"event\":\"resume\",\"step\":-9223372036854775808,\"num_steps\":-9}\n");
    read_on(fixture);
    assert_parts(fixture, "0-4294967295  lost 4294967295; 0-0  lost 0; ");
}

static void what_is_no_file(void **state)
{
    struct error error;
    const struct fixture *fixture = *state;
    assert_int_equal(mkdir(fixture->path, 0777), 0);
    assert_fails(metrics_reader_read(fixture->reader, &error), error, "metrics.jsonl: is not a regular file");
    assert_lines(fixture, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_grows, make, clear),
        cmocka_unit_test_setup_teardown(a_file_that_is_another, make, clear),
        cmocka_unit_test_setup_teardown(sessions, make, clear),
        cmocka_unit_test_setup_teardown(names_of_the_first_version, make, clear),
        cmocka_unit_test_setup_teardown(very_many, make, clear),
        cmocka_unit_test_setup_teardown(nonsense, make, clear),
        cmocka_unit_test_setup_teardown(steps_out_of_range, make, clear),
        cmocka_unit_test_setup_teardown(what_is_no_file, make, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
