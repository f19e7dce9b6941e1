/* Who may have a run: one living job at a time, and what a dead one left is taken over. */
#include "base/host.h"
#include "run/run_lock.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { RACES = 60, RACERS = 12 };

static int make_scratch(void **state)
{
    unsetenv("SLURM_JOB_ID");
    *state = scratch_make();
    return 0;
}

static int remove_scratch(void **state)
{
    unsetenv("SLURM_JOB_ID");
    scratch_remove(*state);
    return 0;
}

/* A lock as another job would have written it. */
static void write_lock(const char *folder, const char *text, long age)
{
    char *path = path_join(folder, "lock");
    FILE *file = fopen(path, "w");
    assert_true(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    const struct timespec past = {.tv_sec = time(NULL) - age}, times[] = {past, past};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    free(path);
}

static void assert_taken(const char *folder)
{
    struct error error;
    struct run_lock lock;
    assert_ok(run_lock_take(&lock, folder, &error), error);
    assert_ok(run_lock_held(&lock, &error), error);
    assert_int_equal(scratch_count(folder), 1);
    run_lock_release(&lock);
    assert_int_equal(scratch_count(folder), 0);
}

static void assert_refused(const char *folder, const char *reason)
{
    struct error error;
    struct run_lock lock;
    assert_fails(run_lock_take(&lock, folder, &error), error, reason);
    assert_contains(error.message, folder);
    assert_null(lock.path);
    run_lock_release(&lock);
    assert_int_equal(scratch_count(folder), 1);
}

static void taken_and_given_back(void **state)
{
    struct error error;
    struct run_lock lock;
    char self[64];
    assert_ok(run_lock_take(&lock, *state, &error), error);
    snprintf(self, sizeof self, "in use by process %ld on ", (long)getpid());
    assert_refused(*state, self);
    assert_ok(run_lock_held(&lock, &error), error);
    run_lock_release(&lock);
    assert_null(lock.path);
    assert_taken(*state);
}

static void a_folder_that_is_not_there(void **state)
{
    struct error error;
    struct run_lock lock;
    char *missing = path_join(*state, "missing");
    assert_fails(run_lock_take(&lock, missing, &error), error, "missing/lock: can't write: No such file or directory");
    free(missing);
}

/* Whenever a taker is killed, the next one takes the run at once. */
static void a_taker_that_is_killed_leaves_no_riddle(void **state)
{
    enum { ROUNDS = 500, LONGEST = 1 << 20 };
    for (int i = 0; i < ROUNDS; i++) {
        struct error error;
        struct run_lock lock;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            bool taken = run_lock_take(&lock, *state, &error);
            pause();
            _exit(taken ? 0 : 1);
        }
        nanosleep(&(struct timespec){.tv_nsec = LONGEST / ROUNDS * i}, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_ok(run_lock_take(&lock, *state, &error), error);
        run_lock_release(&lock);
    }
}

/* A child that takes the lock and lives until it is killed. Returns once it has the lock. */
static pid_t start_holder(const char *folder)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct error error;
        struct run_lock lock;
        if (!run_lock_take(&lock, folder, &error) || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_true(child > 0 && read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    return child;
}

static void a_killed_holder_is_followed(void **state)
{
    char holder[64];
    pid_t child = start_holder(*state);
    snprintf(holder, sizeof holder, "in use by process %ld on ", (long)child);
    assert_refused(*state, holder);
    siginfo_t info;
    kill(child, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_taken(*state); /* while the dead process has not even been waited for */
    waitpid(child, NULL, 0);

    child = start_holder(*state);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_taken(*state);
}

static void a_process_number_that_is_used_again(void **state)
{
    struct error error;
    struct run_lock lock;
    uint8_t *bytes;
    size_t size;
    assert_ok(run_lock_take(&lock, *state, &error), error);
    assert_ok(file_read(&bytes, &size, lock.path, 4096, &error), error);
    char *start = strstr((char *)bytes, "\"start\":");
    assert_non_null(start);
    start += strlen("\"start\":");
    *start = *start == '1' ? '2' : '1';
    write_lock(*state, (char *)bytes, 0);
    free(bytes);
    free(lock.path);
    assert_taken(*state);
}

static void another_host_is_believed_while_its_lock_is_young(void **state)
{
    const char *text =
        "{\"host\":\"elsewhere\",\"boot\":\"b\",\"pid\":7,\"start\":1,\"slurm_job\":\"42\",\"token\":\"t\"}";
    write_lock(*state, text, RUN_LOCK_STALE_SECONDS / 2);
    assert_refused(*state, "in use by process 7 on elsewhere, Slurm job 42");
    write_lock(*state, text, RUN_LOCK_STALE_SECONDS + 5);
    assert_taken(*state);
}

static void a_requeued_slurm_job_follows_itself(void **state)
{
    const char *text =
        "{\"host\":\"elsewhere\",\"boot\":\"b\",\"pid\":7,\"start\":1,\"slurm_job\":\"42\",\"token\":\"t\"}";
    setenv("SLURM_JOB_ID", "43", 1);
    write_lock(*state, text, 0);
    assert_refused(*state, "Slurm job 42");
    setenv("SLURM_JOB_ID", "42", 1);
    unsetenv("SLURM_RESTART_COUNT");
    assert_refused(*state, "Slurm job 42");
    setenv("SLURM_RESTART_COUNT", "1", 1);
    assert_taken(*state);
    unsetenv("SLURM_RESTART_COUNT");
}

/* The start that Slurm gave up must not take the run back, were it as late as it may be. */
static void a_former_start_does_not_follow(void **state)
{
    const char *text = "{\"host\":\"elsewhere\",\"boot\":\"b\",\"pid\":7,\"start\":1,\"slurm_job\":\"42\","
                       "\"slurm_restarts\":\"10\",\"token\":\"t\"}";
    setenv("SLURM_JOB_ID", "42", 1);
    write_lock(*state, text, 0);
    assert_refused(*state, "Slurm job 42");
    setenv("SLURM_RESTART_COUNT", "9", 1);
    assert_refused(*state, "Slurm job 42");
    setenv("SLURM_RESTART_COUNT", "11", 1);
    assert_taken(*state);
    unsetenv("SLURM_RESTART_COUNT");
}

/* On the same host and alive: it is on its way out, or its slurmd died. */
static void a_living_former_start_is_followed(void **state)
{
    struct error error;
    struct run_lock lock;
    setenv("SLURM_JOB_ID", "42", 1);
    pid_t child = start_holder(*state);
    assert_refused(*state, "Slurm job 42");
    setenv("SLURM_RESTART_COUNT", "1", 1);
    assert_ok(run_lock_take(&lock, *state, &error), error);
    run_lock_release(&lock);
    unsetenv("SLURM_RESTART_COUNT");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void locks_without_sense(void **state)
{
    const char *texts[] = {"", "{", "[]", "{\"pid\":\"many\"}", "\xff\xfe"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_lock(*state, texts[i], 0);
        assert_refused(*state, "/lock: does not tell by whom the run is in use");
        write_lock(*state, texts[i], RUN_LOCK_STALE_SECONDS + 5);
        assert_taken(*state);
    }
}

static void renewing_keeps_a_lock_young(void **state)
{
    struct error error;
    struct run_lock lock;
    struct stat status;
    assert_ok(run_lock_take(&lock, *state, &error), error);
    const struct timespec past = {.tv_sec = time(NULL) - 1000}, times[] = {past, past};
    assert_int_equal(utimensat(AT_FDCWD, lock.path, times, 0), 0);
    run_lock_renew(&lock);
    assert_true(stat(lock.path, &status) == 0 && status.st_mtime <= past.tv_sec + 1);
    lock.renewed -= RUN_LOCK_RENEW_SECONDS + 1;
    run_lock_renew(&lock);
    assert_true(stat(lock.path, &status) == 0 && status.st_mtime >= time(NULL) - 60);
    run_lock_release(&lock);
    run_lock_renew(&lock);
    assert_int_equal(scratch_count(*state), 0);
}

static void a_lock_that_another_took_over_is_lost(void **state)
{
    struct error error;
    struct run_lock lock;
    assert_ok(run_lock_take(&lock, *state, &error), error);
    const char *text =
        "{\"host\":\"elsewhere\",\"pid\":7,\"slurm_job\":\"42\",\"slurm_restarts\":\"1\",\"token\":\"t\"}";
    write_lock(*state, text, 1000);
    assert_fails(run_lock_held(&lock, &error), error,
                 "taken over by process 7 on elsewhere, Slurm job 42, restart 1; this job stops without writing");
    lock.renewed -= RUN_LOCK_RENEW_SECONDS + 1;
    run_lock_renew(&lock);
    struct stat status;
    assert_true(stat(lock.path, &status) == 0 && status.st_mtime < time(NULL) - 900);
    run_lock_release(&lock);
    assert_int_equal(scratch_count(*state), 1); /* the other's stays */

    char *path = path_join(*state, "lock");
    unlink(path);
    free(path);
    assert_ok(run_lock_take(&lock, *state, &error), error);
    unlink(lock.path);
    assert_fails(run_lock_held(&lock, &error), error, "lock");
    run_lock_release(&lock);
}

/* Between the old lock's end and the new one's beginning there is none: who asks then waits for the name. */
static void the_moment_between_two_holders(void **state)
{
    struct error error;
    struct run_lock lock;
    assert_ok(run_lock_take(&lock, *state, &error), error);
    unlink(lock.path);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        write_lock(*state, "{\"host\":\"elsewhere\",\"pid\":7}", 0);
        _exit(0);
    }
    assert_fails(run_lock_held(&lock, &error), error, "taken over by process 7 on elsewhere");
    waitpid(child, NULL, 0);
    run_lock_release(&lock);
}

/* A job that was killed while it removed a dead job's lock: waited for, not given up on. */
static void a_guard_that_was_left(void **state)
{
    char *guard = path_join(*state, "lock.takeover");
    FILE *file = fopen(guard, "w");
    assert_true(file && fclose(file) == 0);
    const struct timespec past = {.tv_sec = time(NULL) - RUN_LOCK_RENEW_SECONDS + 1}, times[] = {past, past};
    assert_int_equal(utimensat(AT_FDCWD, guard, times, 0), 0);
    write_lock(*state, "{\"host\":\"elsewhere\",\"token\":\"t\"}", RUN_LOCK_STALE_SECONDS + 5);
    assert_taken(*state);
    free(guard);
}

static void assert_seen(const char *folder, enum run_lock_state expected, const char *host, long pid, double age)
{
    struct run_lock_view view;
    run_lock_look(&view, folder);
    assert_int_equal(view.state, expected);
    assert_string_equal(view.host, host);
    assert_int_equal(view.pid, pid);
    assert_true(view.age >= age && view.age < age + 60);
}

static void others_can_look(void **state)
{
    struct error error;
    struct run_lock lock;
    char host[HOST_NAME_SIZE];
    host_name(host);
    assert_seen(*state, RUN_LOCK_FREE, "", 0, 0);
    assert_ok(run_lock_take(&lock, *state, &error), error);
    assert_seen(*state, RUN_LOCK_HELD, host, getpid(), 0);
    assert_ok(run_lock_held(&lock, &error), error);
    run_lock_release(&lock);
    const char *text = "{\"host\":\"elsewhere\",\"pid\":7,\"slurm_job\":\"42\"}";
    write_lock(*state, text, 50);
    assert_seen(*state, RUN_LOCK_HELD, "elsewhere", 7, 50);
    write_lock(*state, text, RUN_LOCK_STALE_SECONDS + 5);
    assert_seen(*state, RUN_LOCK_LEFT_OVER, "elsewhere", 7, RUN_LOCK_STALE_SECONDS + 5);
    write_lock(*state, "nonsense", -1000);
    assert_seen(*state, RUN_LOCK_HELD, "", 0, 0);
    assert_int_equal(scratch_count(*state), 1);
}

/* Takes the lock when `start` ends, tells `answers` whether it got it, and lives on. */
static pid_t start_racer(const char *folder, const int start[2], int answers)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    char byte;
    struct error error;
    struct run_lock lock;
    close(start[1]);
    bool taken = read(start[0], &byte, 1) == 0 && run_lock_take(&lock, folder, &error);
    if (write(answers, taken ? "1" : "0", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* How many of several processes at once get a lock that a dead job has left. */
static int count_winners(const char *folder)
{
    int start[2], answers[2], winners = 0;
    pid_t racers[RACERS];
    assert_true(pipe(start) == 0 && pipe(answers) == 0);
    write_lock(folder, "{\"host\":\"elsewhere\",\"token\":\"t\"}", RUN_LOCK_STALE_SECONDS + 5);
    for (int i = 0; i < RACERS; i++)
        racers[i] = start_racer(folder, start, answers[1]);
    close(start[1]);
    for (int i = 0; i < RACERS; i++) {
        char answer;
        assert_int_equal(read(answers[0], &answer, 1), 1);
        winners += answer == '1';
    }
    for (int i = 0; i < RACERS; i++) {
        kill(racers[i], SIGKILL);
        waitpid(racers[i], NULL, 0);
    }
    close(start[0]);
    close(answers[0]);
    close(answers[1]);
    return winners;
}

static void of_several_takers_one_wins(void **state)
{
    for (int i = 0; i < RACES; i++)
        assert_int_equal(count_winners(*state), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(taken_and_given_back, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_killed_holder_is_followed, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_taker_that_is_killed_leaves_no_riddle, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_process_number_that_is_used_again, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(another_host_is_believed_while_its_lock_is_young, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_requeued_slurm_job_follows_itself, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_former_start_does_not_follow, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_living_former_start_is_followed, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(locks_without_sense, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(renewing_keeps_a_lock_young, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_lock_that_another_took_over_is_lost, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(the_moment_between_two_holders, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_guard_that_was_left, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(others_can_look, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(of_several_takers_one_wins, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
