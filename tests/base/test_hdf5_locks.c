/* No file of ours is locked, unless the user says so: shared file systems may refuse locks, or wait forever. The locks that
 * HDF5 takes pass through the function below. */
#include "base/hdf5/hdf5.h"
#include "tests/support/save.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <sys/file.h>
#include <sys/wait.h>

static int num_locks;

/* In the place of the C library's, which the HDF5 library would call. */
int flock(int descriptor, int operation)
{
    (void)descriptor;
    num_locks += operation != LOCK_UN;
    return 0;
}

/* Writes a file and reads it, and returns how many locks that took; more than a hundred for a failure. */
static int locks_of_a_file(void)
{
    struct error error;
    hid_t file;
    struct hdf5_reader *reader = NULL;
    char *folder = scratch_make(), *path = path_join(folder, "a.h5");
    struct atomic_file to;
    bool ok = SAVE(path, &to, hdf5_create_on_disk(&file, &to, "drumline-test", &error) && hdf5_save(&file, &to, &error),
                   &error) &&
              hdf5_open(&reader, path, "drumline-test", &error);
    hdf5_close(&file);
    hdf5_reader_close(&reader);
    free(path);
    scratch_remove(folder);
    return ok ? num_locks : 101;
}

/* HDF5 reads its environment once, so each setting has a process of its own. */
static int locks_with(const char *setting)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        if (setting)
            setenv("HDF5_USE_FILE_LOCKING", setting, 1);
        else
            unsetenv("HDF5_USE_FILE_LOCKING");
        _exit(locks_of_a_file());
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void nothing_is_locked(void **state)
{
    (void)state;
    assert_int_equal(locks_with(NULL), 0);
    assert_int_equal(locks_with("FALSE"), 0);
}

static void the_user_has_the_last_word(void **state)
{
    (void)state;
    assert_in_range(locks_with("TRUE"), 1, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_locked),
        cmocka_unit_test(the_user_has_the_last_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
