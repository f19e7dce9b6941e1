/* Who may have a folder: one living job at a time, and what a dead one left is taken over. */
#define _GNU_SOURCE /* unshare */
#include "base/clock.h"
#include "base/host.h"
#include "base/io/folder_lock.h"
#include "base/ticker.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { RACES = 60, RACERS = 12 };

static const struct folder_lock_kind kind = {.name = "lock", .noun = "run", .flag = "--run_dir"};

static void leave_slurm(void)
{
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_RESTART_COUNT");
    unsetenv("SLURM_CLUSTER_NAME");
}

static int make_scratch(void **state)
{
    leave_slurm();
    *state = scratch_make();
    return 0;
}

static int remove_scratch(void **state)
{
    leave_slurm();
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
    struct folder_lock lock;
    assert_ok(folder_lock_take(&lock, folder, &kind, NULL, &error), error);
    assert_ok(folder_lock_held(&lock, &error), error);
    assert_int_equal(scratch_count(folder), 1);
    folder_lock_release(&lock);
    assert_int_equal(scratch_count(folder), 0);
}

static void assert_refused(const char *folder, const char *reason)
{
    struct error error;
    struct folder_lock lock;
    assert_fails(folder_lock_take(&lock, folder, &kind, NULL, &error), error, reason);
    assert_contains(error.message, folder);
    assert_null(lock.path);
    folder_lock_release(&lock);
    assert_int_equal(scratch_count(folder), 1);
}

static void taken_and_given_back(void **state)
{
    struct error error;
    struct folder_lock lock;
    char self[64];
    assert_ok(folder_lock_take(&lock, *state, &kind, NULL, &error), error);
    snprintf(self, sizeof self, "in use by process %ld on ", (long)getpid());
    assert_refused(*state, self);
    assert_ok(folder_lock_held(&lock, &error), error);
    folder_lock_release(&lock);
    assert_null(lock.path);
    assert_taken(*state);
}

static void a_folder_that_is_not_there(void **state)
{
    struct error error;
    struct folder_lock lock;
    char *missing = path_join(*state, "missing");
    assert_fails(folder_lock_take(&lock, missing, &kind, NULL, &error), error,
                 "missing/lock: can't write: No such file or directory");
    free(missing);
}

/* Whenever a taker is killed, the next one takes the run at once. */
static void a_taker_that_is_killed_leaves_no_riddle(void **state)
{
    enum { ROUNDS = 500, LONGEST = 1 << 20 };
    for (int i = 0; i < ROUNDS; i++) {
        struct error error;
        struct folder_lock lock;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            bool taken = folder_lock_take(&lock, *state, &kind, NULL, &error);
            pause();
            _exit(taken ? 0 : 1);
        }
        nanosleep(&(struct timespec){.tv_nsec = LONGEST / ROUNDS * i}, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_ok(folder_lock_take(&lock, *state, &kind, NULL, &error), error);
        folder_lock_release(&lock);
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
        struct folder_lock lock;
        if (!folder_lock_take(&lock, folder, &kind, NULL, &error) || write(ready[1], "x", 1) != 1)
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
    struct folder_lock lock;
    uint8_t *bytes;
    size_t size;
    assert_ok(folder_lock_take(&lock, *state, &kind, NULL, &error), error);
    assert_ok(file_read(&bytes, &size, lock.path, 4096, &error), error);
    char *start = strstr((char *)bytes, "\"start\":");
    assert_non_null(start);
    start += strlen("\"start\":");
    *start = *start == '1' ? '2' : '1';
    write_lock(*state, (char *)bytes, 0);
    free(bytes);
    ticker_stop(lock.renewal);
    free(lock.path);
    assert_taken(*state);
}

static void another_host_is_believed_while_its_lock_is_young(void **state)
{
    const char *text =
        "{\"host\":\"elsewhere\",\"boot\":\"b\",\"pid\":7,\"start\":1,\"slurm_job\":\"42\",\"token\":\"t\"}";
    write_lock(*state, text, FOLDER_LOCK_STALE_SECONDS / 2);
    assert_refused(*state, "in use by process 7 on elsewhere, Slurm job 42");
    write_lock(*state, text, FOLDER_LOCK_STALE_SECONDS + 5);
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

/* Two clusters on one file system count their jobs alike. */
static void a_job_of_another_cluster(void **state)
{
    const char *text = "{\"host\":\"elsewhere\",\"boot\":\"b\",\"pid\":7,\"start\":1,\"slurm_job\":\"42\","
                       "\"slurm_cluster\":\"north\",\"token\":\"t\"}";
    setenv("SLURM_JOB_ID", "42", 1);
    setenv("SLURM_RESTART_COUNT", "1", 1);
    setenv("SLURM_CLUSTER_NAME", "south", 1);
    write_lock(*state, text, 0);
    assert_refused(*state, "Slurm job 42");
    unsetenv("SLURM_CLUSTER_NAME");
    assert_refused(*state, "Slurm job 42");
    setenv("SLURM_CLUSTER_NAME", "north", 1);
    assert_taken(*state);
}

static void the_lock_names_the_cluster(void **state)
{
    struct error error;
    struct folder_lock lock;
    uint8_t *bytes;
    size_t size;
    setenv("SLURM_JOB_ID", "42", 1);
    setenv("SLURM_CLUSTER_NAME", "north", 1);
    assert_ok(folder_lock_take(&lock, *state, &kind, NULL, &error), error);
    assert_ok(file_read(&bytes, &size, lock.path, 4096, &error), error);
    assert_contains((char *)bytes, "\"slurm_job\":\"42\"");
    assert_contains((char *)bytes, "\"slurm_cluster\":\"north\"");
    free(bytes);
    folder_lock_release(&lock);
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
    struct folder_lock lock;
    setenv("SLURM_JOB_ID", "42", 1);
    pid_t child = start_holder(*state);
    assert_refused(*state, "Slurm job 42");
    setenv("SLURM_RESTART_COUNT", "1", 1);
    assert_ok(folder_lock_take(&lock, *state, &kind, NULL, &error), error);
    folder_lock_release(&lock);
    unsetenv("SLURM_RESTART_COUNT");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void locks_without_sense(void **state)
{
    const char *texts[] = {"", "{", "[]", "{\"pid\":\"many\"}", "\xff\xfe"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_lock(*state, texts[i], 0);
        assert_refused(*state, "/lock: does not say who has the run");
        write_lock(*state, texts[i], FOLDER_LOCK_STALE_SECONDS + 5);
        assert_taken(*state);
    }
}

static void make_old(const char *path, long age)
{
    const struct timespec past = {.tv_sec = time(NULL) - age}, times[] = {past, past};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

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

/* Whatever can't be read is somebody's, however old it is. Another user, for root may read all. */
static void a_lock_that_cannot_be_read(void **state)
{
    struct error error;
    struct folder_lock lock;
    char *path = path_join(*state, "lock");
    write_lock(*state, "{\"host\":\"elsewhere\",\"pid\":7,\"token\":\"t\"}", 100000);
    assert_int_equal(chmod(*state, 0777), 0);
    assert_int_equal(chmod(path, 0), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct folder_lock_view view;
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(1);
        folder_lock_look(&view, *state, &kind);
        bool taken = folder_lock_take(&lock, *state, &kind, NULL, &error);
        _exit(!taken && strstr(error.message, "/lock: another job may have the run, and who can't be read") &&
                      strstr(error.message, "Permission denied") && view.state == FOLDER_LOCK_HELD
                  ? 0
                  : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(file_exists(path));
    unlink(path);
    assert_int_equal(mkdir(path, 0777), 0);
    make_old(path, 100000);
    assert_fails(folder_lock_take(&lock, *state, &kind, NULL, &error), error, "who can't be read");
    assert_int_equal(rmdir(path), 0);
    free(path);
}

/* In a process of its own. */
static int take_without_descriptors(const char *folder)
{
    struct error error;
    struct folder_lock lock, other;
    struct rlimit limit;
    int last = 0;
    if (!folder_lock_take(&lock, folder, &kind, NULL, &error) || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1;
    make_old(lock.path, 100000);
    limit.rlim_cur = 64;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1;
    while (last >= 0)
        last = open("/dev/null", O_RDONLY);
    if (folder_lock_held(&lock, &error) || !strstr(error.message, strerror(EMFILE)))
        return 2;
    return folder_lock_take(&other, folder, &kind, NULL, &error) ? 3 : 0;
}

static void without_descriptors_nothing_is_taken_over(void **state)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(take_without_descriptors(*state));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Another user's living job where /proc shows each user their own processes alone. */
static void a_process_that_is_hidden_is_alive(void **state)
{
    enum { SKIPPED = 77 };
    struct error error;
    struct folder_lock lock;
    assert_ok(folder_lock_take(&lock, *state, &kind, NULL, &error), error);
    assert_int_equal(chmod(*state, 0777), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct folder_lock other;
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("proc", "/proc", "proc", 0, "hidepid=2") != 0 || setgroups(0, NULL) != 0 || setgid(65534) != 0 ||
            setuid(65534) != 0 || access("/proc/1/stat", F_OK) == 0)
            _exit(SKIPPED);
        bool taken = folder_lock_take(&other, *state, &kind, NULL, &error);
        _exit(taken ? 1 : strstr(error.message, "in use by process") ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_ok(folder_lock_held(&lock, &error), error);
    folder_lock_release(&lock);
    if (WEXITSTATUS(status) == SKIPPED)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void assert_seen(const char *folder, enum folder_lock_state expected, const char *host, long pid, double age)
{
    struct folder_lock_view view;
    folder_lock_look(&view, folder, &kind);
    assert_int_equal(view.state, expected);
    assert_string_equal(view.host, host);
    assert_int_equal(view.pid, pid);
    assert_true(view.age >= age && view.age < age + 60);
}

static void others_can_look(void **state)
{
    struct error error;
    struct folder_lock lock;
    char host[HOST_NAME_SIZE];
    host_name(host);
    assert_seen(*state, FOLDER_LOCK_FREE, "", 0, 0);
    assert_ok(folder_lock_take(&lock, *state, &kind, NULL, &error), error);
    assert_seen(*state, FOLDER_LOCK_HELD, host, getpid(), 0);
    assert_ok(folder_lock_held(&lock, &error), error);
    folder_lock_release(&lock);
    const char *text = "{\"host\":\"elsewhere\",\"pid\":7,\"slurm_job\":\"42\"}";
    write_lock(*state, text, 50);
    assert_seen(*state, FOLDER_LOCK_HELD, "elsewhere", 7, 50);
    write_lock(*state, text, FOLDER_LOCK_STALE_SECONDS + 5);
    assert_seen(*state, FOLDER_LOCK_STALE, "elsewhere", 7, FOLDER_LOCK_STALE_SECONDS + 5);
    write_lock(*state, "nonsense", -1000);
    assert_seen(*state, FOLDER_LOCK_HELD, "", 0, 0);
    assert_int_equal(scratch_count(*state), 1);
}

/* Takes the lock when `start` ends, tells `answers` whether it got it, and keeps running. */
static pid_t start_racer(const char *folder, const int start[2], int answers)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    char byte;
    struct error error;
    struct folder_lock lock;
    close(start[1]);
    bool taken = read(start[0], &byte, 1) == 0 && folder_lock_take(&lock, folder, &kind, NULL, &error);
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
    write_lock(folder, "{\"host\":\"elsewhere\",\"token\":\"t\"}", FOLDER_LOCK_STALE_SECONDS + 5);
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
        cmocka_unit_test_setup_teardown(a_taker_that_is_killed_leaves_no_riddle, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_killed_holder_is_followed, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_process_number_that_is_used_again, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(another_host_is_believed_while_its_lock_is_young, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_requeued_slurm_job_follows_itself, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_job_of_another_cluster, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(the_lock_names_the_cluster, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_former_start_does_not_follow, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_living_former_start_is_followed, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(locks_without_sense, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(the_thread_renews, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(an_abandoned_lock_is_not_renewed, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_lock_that_another_took_over_is_lost, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(the_moment_between_two_holders, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_guard_that_was_left, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_guard_that_stays, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_lock_that_cannot_be_read, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(without_descriptors_nothing_is_taken_over, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_process_that_is_hidden_is_alive, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(others_can_look, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(of_several_takers_one_wins, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
