#include "base/text.h"
#include "data/dataset/folder.h"

#include "base/host.h"
#include "base/log.h"
#include "tests/data/data_set_fixture.h"
#include "tests/support/scratch.h"

#include <sys/wait.h>

static bool holds_one(const char *folder)
{
    struct error error;
    bool holds;
    assert_ok(dataset_folder_holds_one(&holds, folder, &error), error);
    return holds;
}

static void expect_valid(const char *folder, uint32_t num_shards, int num_files)
{
    struct error error;
    struct dataset *dataset = dataset_open(folder, &error);
    if (!dataset)
        fail_msg("%s", error.message);
    assert_int_equal(dataset->index.num_shards, num_shards);
    assert_int_equal(scratch_count(folder), num_files);
    dataset_close(dataset);
}

static void put(const char *folder, uint32_t num_shards)
{
    struct error error;
    char *staging;
    assert_ok(dataset_folder_stage(&staging, folder, &error), error);
    fixture_data_set(staging, num_shards);
    assert_ok(dataset_folder_commit(folder, staging, num_shards, &error), error);
    assert_false(folder_exists(staging));
    free(staging);
}

static void test_replaces_whole(void **state)
{
    char *folder = scratch_make();
    (void)state;
    assert_false(holds_one(folder));
    put(folder, 4);
    assert_true(holds_one(folder));
    expect_valid(folder, 4, 5);
    put(folder, 2); /* fewer shards: none of the four stays */
    expect_valid(folder, 2, 3);
    put(folder, 3);
    expect_valid(folder, 3, 4);
    scratch_remove(folder);
}

static void test_leaves_other_files_alone(void **state)
{
    char *folder = scratch_make(), *other = path_join(folder, "notes.txt");
    FILE *stream = fopen(other, "w");
    (void)state;
    assert_non_null(stream);
    fclose(stream);
    put(folder, 2);
    put(folder, 1);
    assert_true(file_exists(other));
    expect_valid(folder, 1, 3);
    free(other);
    scratch_remove(folder);
}

static void test_discard(void **state)
{
    char *folder = scratch_make(), *staging;
    struct error error;
    (void)state;
    put(folder, 2);
    assert_ok(dataset_folder_stage(&staging, folder, &error), error);
    fixture_data_set(staging, 3);
    dataset_folder_discard(staging);
    expect_valid(folder, 2, 3);
    free(staging);
    scratch_remove(folder);
}

static void test_commit_needs_an_index(void **state)
{
    char *folder = scratch_make(), *staging;
    struct error error;
    (void)state;
    put(folder, 2);
    assert_ok(dataset_folder_stage(&staging, folder, &error), error);
    assert_fails(dataset_folder_commit(folder, staging, 1, &error), error, "not a data set");
    dataset_folder_discard(staging);
    expect_valid(folder, 2, 3);
    free(staging);
    scratch_remove(folder);
}

static void test_check_misses_a_shard(void **state)
{
    char *folder = scratch_make(), *shard = path_join(folder, "shard-00001-of-00003.h5");
    struct error error;
    (void)state;
    fixture_data_set(folder, 3);
    assert_ok(dataset_folder_check(folder, 3, &error), error);
    assert_int_equal(unlink(shard), 0);
    assert_fails(dataset_folder_check(folder, 3, &error), error, "shard-00001-of-00003.h5: does not exist");
    free(shard);
    scratch_remove(folder);
}

/* Stages a data set of three shards in a process that is then gone; it has moved `num_moved` shards, and before that
 * removed the old index. -1: it was killed before it removed anything. */
static void die_while_moving(const char *folder, int num_moved)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct error error;
        char *staging, *index = path_join(folder, INDEX_NAME);
        if (!dataset_folder_stage(&staging, folder, &error))
            _exit(1);
        fixture_data_set(staging, 3);
        if (num_moved >= 0)
            unlink(index);
        for (int number = 0; number < num_moved; number++) {
            char *name = shard_name((uint32_t)number, 3);
            if (rename(path_join(staging, name), path_join(folder, name)) != 0)
                _exit(1);
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_recovers(void **state)
{
    struct error error;
    (void)state;
    for (uint32_t old_shards = 2; old_shards <= 3; old_shards++)
        for (int num_moved = -1; num_moved <= 3; num_moved++) {
            char *folder = scratch_make();
            put(folder, old_shards);
            die_while_moving(folder, num_moved);
            assert_ok(dataset_folder_recover(folder, &error), error);
            uint32_t expected = num_moved < 0 ? old_shards : 3;
            expect_valid(folder, expected, (int)expected + 1);
            scratch_remove(folder);
        }
}

/* Jobs of the first version take no lock; their staging folders end in HOST-PID. */
static void test_recover_spares_living_jobs_of_the_first_version(void **state)
{
    char *folder = scratch_make(), *staging, host[HOST_NAME_SIZE];
    struct error error;
    (void)state;
    host_name(host);
    assert_ok(dataset_folder_stage(&staging, folder, &error), error);
    fixture_data_set(staging, 1);
    char *others = format_text("%s/.drumline-staging-%s-%ld", folder, host, (long)getppid());
    assert_int_equal(rename(staging, others), 0);
    assert_ok(dataset_folder_recover(folder, &error), error);
    assert_true(folder_exists(others));
    assert_false(holds_one(folder));
    free(others);
    free(staging);
    scratch_remove(folder);
}

/* Two jobs on one folder, one of which may be in a container with the same host name and process number. */
static void test_one_job_at_a_time(void **state)
{
    char *folder = scratch_make(), *staging, *second;
    struct folder_lock lock, other;
    struct error error;
    (void)state;
    assert_ok(dataset_folder_lock(&lock, folder, &error), error);
    assert_ok(dataset_folder_stage(&staging, folder, &error), error);
    assert_ok(dataset_folder_stage(&second, folder, &error), error); /* never the same name */
    assert_fails(dataset_folder_lock(&other, folder, &error), error, "the data set folder is in use by process ");
    assert_contains(error.message, "give another --output_dir");
    assert_true(folder_exists(staging));
    folder_lock_release(&lock);
    assert_ok(dataset_folder_lock(&other, folder, &error), error);
    assert_ok(dataset_folder_recover(folder, &error), error); /* what the first left in vain */
    assert_false(folder_exists(staging) || folder_exists(second));
    folder_lock_release(&other);
    assert_int_equal(scratch_count(folder), 0);
    free(staging);
    free(second);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replaces_whole),
        cmocka_unit_test(test_leaves_other_files_alone),
        cmocka_unit_test(test_discard),
        cmocka_unit_test(test_commit_needs_an_index),
        cmocka_unit_test(test_check_misses_a_shard),
        cmocka_unit_test(test_recovers),
        cmocka_unit_test(test_recover_spares_living_jobs_of_the_first_version),
        cmocka_unit_test(test_one_job_at_a_time),
    };
    log_set_level(LOG_LEVEL_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
