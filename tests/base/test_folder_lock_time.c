/* A folder's lock as time goes by: renewed, taken over, and waited for. */
#include "base/clock.h"
#include "tests/base/folder_lock_fixture.h"

static double age_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return difftime(time(NULL), status.st_mtime);
}

static void pause_for(double seconds)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
}

static void pause_really(void *context, double seconds)
{
    (void)context;
    pause_for(seconds);
}

static double seconds_really(void *context)
{
    (void)context;
    return clock_seconds();
}

static const struct folder_lock_clock hasty = {seconds_really, pause_really, NULL, 0.001};

/* The holder does nothing: the thread renews, until the lock is given back. */
static void the_thread_renews(void **state)
{
    struct error error;
    struct folder_lock lock;
    assert_ok(folder_lock_take(&lock, *state, &kind, &hasty, &error), error);
    for (int i = 0; i < 3; i++) {
        make_old(lock.path, 1000);
        while (age_of(lock.path) > 500)
            pause_for(0.001);
    }
    folder_lock_release(&lock);
    assert_int_equal(scratch_count(*state), 0);
}

static void an_abandoned_lock_is_not_renewed(void **state)
{
    enum { LOOKS = 50 };
    struct error error;
    struct folder_lock lock;
    assert_ok(folder_lock_take(&lock, *state, &kind, &hasty, &error), error);
    folder_lock_abandon(&lock);
    /* A renewal may have been under way: it is over when the lock stays old. */
    for (int in_a_row = 0; in_a_row < LOOKS; in_a_row++) {
        if (in_a_row == 0)
            make_old(lock.path, 1000);
        pause_for(0.001);
        if (age_of(lock.path) < 500)
            in_a_row = -1;
    }
    assert_ok(folder_lock_held(&lock, &error), error);
    folder_lock_release(&lock);
    assert_int_equal(scratch_count(*state), 0);
}

static void a_lock_that_another_took_over_is_lost(void **state)
{
    struct error error;
    struct folder_lock lock;
    assert_ok(folder_lock_take(&lock, *state, &kind, &hasty, &error), error);
    const char *text =
        "{\"host\":\"elsewhere\",\"pid\":7,\"slurm_job\":\"42\",\"slurm_restarts\":\"1\",\"token\":\"t\"}";
    char *path = path_join(*state, "lock");
    unlink(path); /* as it is taken over: never with our token and other text */
    write_lock(*state, text, 1000);
    assert_fails(folder_lock_held(&lock, &error), error,
                 "taken over by process 7 on elsewhere, Slurm job 42, restart 1; this job stops without writing");
    pause_for(0.02);
    assert_true(age_of(path) > 900); /* the other's is not renewed */
    folder_lock_release(&lock);
    assert_int_equal(scratch_count(*state), 1); /* the other's stays */

    unlink(path);
    assert_ok(folder_lock_take(&lock, *state, &kind, NULL, &error), error);
    unlink(lock.path);
    assert_fails(folder_lock_held(&lock, &error), error, "lock: is gone, so another job may have the run");
    folder_lock_release(&lock);
    free(path);
}

/* A clock that a test moves: each pause makes it later, and may have something happen. */
struct test_clock {
    double now;
    int pauses, happens_at; /* at that pause */
    void (*happen)(const char *folder);
    const char *folder;
};

static double test_seconds(void *context)
{
    return ((struct test_clock *)context)->now;
}

static void test_pause(void *context, double seconds)
{
    struct test_clock *clock = context;
    clock->now += seconds;
    if (++clock->pauses == clock->happens_at)
        clock->happen(clock->folder);
}

static struct folder_lock_clock tested(struct test_clock *clock)
{
    return (struct folder_lock_clock){test_seconds, test_pause, clock, FOLDER_LOCK_RENEW_SECONDS};
}

static void write_other_lock(const char *folder)
{
    write_lock(folder, "{\"host\":\"elsewhere\",\"pid\":7}", 0);
}

/* Between the old lock's end and the new one's beginning there is none: who asks then waits for the name. */
static void the_moment_between_two_holders(void **state)
{
    struct error error;
    struct folder_lock lock;
    struct test_clock clock = {.happens_at = 15, .happen = write_other_lock, .folder = *state};
    struct folder_lock_clock of_lock = tested(&clock);
    assert_ok(folder_lock_take(&lock, *state, &kind, &of_lock, &error), error);
    unlink(lock.path);
    assert_fails(folder_lock_held(&lock, &error), error, "taken over by process 7 on elsewhere");
    assert_int_equal(clock.pauses, 15);
    folder_lock_release(&lock);
}

static void make_guard_old(const char *folder)
{
    char *guard = path_join(folder, "lock.takeover");
    make_old(guard, FOLDER_LOCK_RENEW_SECONDS + 5);
    free(guard);
}

/* A job that was killed while it removed a dead job's lock: waited for, not given up on. */
static void a_guard_that_was_left(void **state)
{
    struct error error;
    struct folder_lock lock;
    struct test_clock clock = {.happens_at = 100, .happen = make_guard_old, .folder = *state};
    struct folder_lock_clock of_lock = tested(&clock);
    char *guard = path_join(*state, "lock.takeover");
    FILE *file = fopen(guard, "w");
    assert_true(file && fclose(file) == 0);
    make_old(guard, -3600);
    write_lock(*state, "{\"host\":\"elsewhere\",\"token\":\"t\"}", FOLDER_LOCK_STALE_SECONDS + 5);
    assert_ok(folder_lock_take(&lock, *state, &kind, &of_lock, &error), error);
    assert_int_equal(clock.pauses, 100);
    folder_lock_release(&lock);
    assert_int_equal(scratch_count(*state), 0);
    free(guard);
}

static void do_nothing(const char *folder)
{
    (void)folder;
}

/* But not forever. */
static void a_guard_that_stays(void **state)
{
    struct error error;
    struct folder_lock lock;
    struct test_clock clock = {.happens_at = 1, .happen = do_nothing, .folder = *state};
    struct folder_lock_clock of_lock = tested(&clock);
    char *guard = path_join(*state, "lock.takeover");
    FILE *file = fopen(guard, "w");
    assert_true(file && fclose(file) == 0);
    make_old(guard, -3600); /* stays young, however long this takes */
    write_lock(*state, "{\"host\":\"elsewhere\",\"token\":\"t\"}", FOLDER_LOCK_STALE_SECONDS + 5);
    assert_fails(folder_lock_take(&lock, *state, &kind, &of_lock, &error), error, "several jobs are taking the run");
    assert_true(clock.now >= 2 * FOLDER_LOCK_RENEW_SECONDS);
    free(guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_thread_renews, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(an_abandoned_lock_is_not_renewed, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_lock_that_another_took_over_is_lost, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(the_moment_between_two_holders, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_guard_that_was_left, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_guard_that_stays, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
