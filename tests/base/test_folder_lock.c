/* Who may have a folder: one living job at a time, and what a dead one left is taken over. */
#define _GNU_SOURCE /* unshare */
#include "base/host.h"
#include "base/ticker.h"
#include "tests/base/folder_lock_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { RACES = 60, RACERS = 12 };

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

static void *no_memory(size_t size)
{
    (void)size;
    errno = ENOMEM;
    return NULL;
}

static void too_little_memory_is_no_damage(void **state)
{
    struct error error;
    struct folder_lock lock;
    assert_ok(folder_lock_take(&lock, *state, &kind, NULL, &error), error);
    json_set_alloc_funcs(no_memory, free);
    bool held = folder_lock_held(&lock, &error);
    json_set_alloc_funcs(malloc, free);
    assert_false(held);
    assert_contains(error.message, strerror(ENOMEM));
    folder_lock_release(&lock);
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
        cmocka_unit_test_setup_teardown(a_lock_that_cannot_be_read, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(without_descriptors_nothing_is_taken_over, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(too_little_memory_is_no_damage, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_process_that_is_hidden_is_alive, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(others_can_look, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(of_several_takers_one_wins, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
