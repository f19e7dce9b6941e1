/* Locks of a folder, as other jobs would have left them. */
#ifndef DRUMLINE_TESTS_BASE_FOLDER_LOCK_FIXTURE_H
#define DRUMLINE_TESTS_BASE_FOLDER_LOCK_FIXTURE_H

#include "base/io/folder_lock.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <fcntl.h>
#include <time.h>

static const struct folder_lock_kind kind = {.name = "lock", .noun = "run", .flag = "--run_dir"};

static inline void leave_slurm(void)
{
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_RESTART_COUNT");
    unsetenv("SLURM_CLUSTER_NAME");
}

static inline int make_scratch(void **state)
{
    leave_slurm();
    *state = scratch_make();
    return 0;
}

static inline int remove_scratch(void **state)
{
    leave_slurm();
    scratch_remove(*state);
    return 0;
}

static inline void make_old(const char *path, long age)
{
    const struct timespec past = {.tv_sec = time(NULL) - age}, times[] = {past, past};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* A lock as another job would have written it. */
static inline void write_lock(const char *folder, const char *text, long age)
{
    char *path = path_join(folder, "lock");
    FILE *file = fopen(path, "w");
    assert_true(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    make_old(path, age);
    free(path);
}

static inline void assert_taken(const char *folder)
{
    struct error error;
    struct folder_lock lock;
    assert_ok(folder_lock_take(&lock, folder, &kind, NULL, &error), error);
    assert_ok(folder_lock_held(&lock, &error), error);
    assert_int_equal(scratch_count(folder), 1);
    folder_lock_release(&lock);
    assert_int_equal(scratch_count(folder), 0);
}

static inline void assert_refused(const char *folder, const char *reason)
{
    struct error error;
    struct folder_lock lock;
    assert_fails(folder_lock_take(&lock, folder, &kind, NULL, &error), error, reason);
    assert_contains(error.message, folder);
    assert_null(lock.path);
    folder_lock_release(&lock);
    assert_int_equal(scratch_count(folder), 1);
}

#endif
