/* Checkpoints: what is written is read again bit for bit, and no damaged or foreign file is taken for a valid one. */
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include "base/hdf5/hdf5.h"
#include "model/checkpoint.h"
#include "model/vae/parameters.h"

#include <math.h>
#include <stdlib.h>

/* A checkpoint of a small model, its tensors, and the folder that it is written to. */
struct saved {
    char *folder, *path;
    struct checkpoint checkpoint;
    struct tensor_table table;
    float *arrays[3]; /* of weights and two more groups */
};

static void name_groups(struct tensor_group groups[3], float *const arrays[3])
{
    const char *const names[3] = {CHECKPOINT_WEIGHTS, "optimizer/m", "ema"};
    for (int n = 0; n < 3; n++)
        groups[n] = (struct tensor_group){names[n], arrays[n]};
}

static void save(struct saved *saved)
{
    struct error error;
    struct tensor_group groups[3];
    name_groups(groups, saved->arrays);
    const struct checkpoint_content content = {&saved->table, groups, 3, CHECKPOINT_FLOAT32, NULL};
    assert_ok(checkpoint_save(saved->path, &saved->checkpoint, &content, &error), error);
}

static struct saved saved_make(void)
{
    struct saved saved = {.folder = scratch_make()};
    struct checkpoint *checkpoint = &saved.checkpoint;
    struct error error;
    assert_ok(hparams_make(&checkpoint->hparams, config_find("groovae_4bar", NULL),
                           "enc_rnn_size=[3],dec_rnn_size=[4,2],z_size=5,free_bits=7.5", &error),
              error);
    snprintf(checkpoint->config, sizeof checkpoint->config, "groovae_4bar");
    snprintf(checkpoint->content_sha256, sizeof checkpoint->content_sha256, "%064d", 12);
    snprintf(checkpoint->program_version, sizeof checkpoint->program_version, "0.1.0");
    snprintf(checkpoint->date, sizeof checkpoint->date, "2026-01-31T12:00:00Z");
    checkpoint->seed = 9007199254740993u;
    checkpoint->step = 4000000000u;
    checkpoint->epoch = 3;
    checkpoint->position = 77;
    checkpoint->updates = 3999999990u;
    checkpoint->skipped = 10;
    checkpoint->num_ranks = 4;
    assert_ok(parameters_describe(&saved.table, &checkpoint->hparams, &error), error);
    for (int n = 0; n < 3; n++) {
        saved.arrays[n] = calloc(saved.table.num_floats, sizeof(float));
        assert_non_null(saved.arrays[n]);
        tensors_initialize(saved.arrays[n], &saved.table, (uint64_t)n);
    }
    for (size_t k = 0; k < saved.table.num_floats; k++)
        saved.arrays[2][k] = fabsf(saved.arrays[2][k]);
    saved.path = path_join(saved.folder, "checkpoint-4000000000.h5");
    save(&saved);
    return saved;
}

static void saved_free(struct saved *saved)
{
    scratch_remove(saved->folder);
    free(saved->path);
    for (int n = 0; n < 3; n++)
        free(saved->arrays[n]);
}

/* Reads description and tensors as a resuming training does. */
static bool read_all(struct checkpoint *checkpoint, float *arrays[3], const struct saved *saved, struct error *error)
{
    struct tensor_group groups[3];
    name_groups(groups, arrays);
    return checkpoint_read(checkpoint, saved->path, error) &&
           checkpoint_read_groups(saved->path, &saved->table, groups, 3, error);
}

static void assert_refused(const struct saved *saved, const char *reason)
{
    struct checkpoint checkpoint;
    struct error error;
    float *arrays[3];
    for (int n = 0; n < 3; n++)
        arrays[n] = calloc(saved->table.num_floats, sizeof(float));
    assert_fails(read_all(&checkpoint, arrays, saved, &error), error, reason);
    assert_contains(error.message, saved->path);
    const char *first = strstr(error.message, saved->path);
    if (strstr(first + 1, saved->path))
        fail_msg("'%s' names the file twice", error.message);
    for (int n = 0; n < 3; n++)
        free(arrays[n]);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    struct saved saved = saved_make();
    struct metric_set set;
    metric_set_make(&set, hparams_representation(&saved.checkpoint.hparams));
    for (int validated = 0; validated < 2; validated++) {
        struct checkpoint read, *written = &saved.checkpoint;
        struct error error;
        float *arrays[3];
        size_t bytes = saved.table.num_floats * sizeof(float);
        written->has_validation = validated;
        written->validation_step = 17;
        metric_values_clear(&written->validation);
        metric_put(&written->validation, &set, METRIC_LOSS, 130.25);
        written->validation.values[set.count - 1] = 7; /* a gauge is not stored */
        save(&saved);
        for (int n = 0; n < 3; n++)
            arrays[n] = calloc(1, bytes);
        assert_ok(read_all(&read, arrays, &saved, &error), error);
        for (int n = 0; n < 3; n++) {
            assert_memory_equal(arrays[n], saved.arrays[n], bytes);
            free(arrays[n]);
        }
        assert_string_equal(read.config, written->config);
        assert_string_equal(read.content_sha256, written->content_sha256);
        assert_string_equal(read.date, written->date);
        assert_true(read.seed == written->seed && read.step == written->step && read.epoch == written->epoch);
        assert_true(read.position == written->position && read.updates == written->updates);
        assert_true(read.skipped == written->skipped && read.num_ranks == written->num_ranks);
        assert_ok(hparams_same_model(&read.hparams, &written->hparams, &error), error);
        assert_true(fabs(read.hparams.free_bits - 7.5) <= 0);
        assert_int_equal(read.has_validation, validated);
        if (!validated)
            continue;
        assert_int_equal(read.validation_step, 17);
        assert_true(fabs(metric_get(&read.validation, &set, METRIC_LOSS) - 130.25) <= 0);
        assert_true(isnan(metric_get_named(&read.validation, &set, "hits_f1")));
        assert_true(isnan(read.validation.values[set.count - 1]));
    }
    assert_int_equal(scratch_count(saved.folder), 1);
    saved_free(&saved);
}

/* Whether a flip is refused or hit nothing that counts (the seal's own words): what is read is never wrong. */
static bool refuses_or_reads_right(const struct saved *saved, const struct checkpoint *expected)
{
    struct checkpoint read;
    struct error error;
    float *arrays[3];
    size_t bytes = saved->table.num_floats * sizeof(float);
    for (int n = 0; n < 3; n++)
        arrays[n] = calloc(1, bytes);
    bool refused = !read_all(&read, arrays, saved, &error);
    if (refused)
        assert_contains(error.message, saved->path);
    for (int n = 0; n < 3; n++) {
        if (!refused)
            assert_memory_equal(arrays[n], saved->arrays[n], bytes);
        free(arrays[n]);
    }
    read.is_sealed = expected->is_sealed; /* the flip may hit the seal's first word */
    if (!refused)
        assert_memory_equal(&read, expected, sizeof read);
    return refused;
}

/* Flips one bit here and there over the whole file. */
static void damage_is_found(void **state)
{
    (void)state;
    struct saved saved = saved_make();
    struct error error;
    struct checkpoint expected;
    uint8_t *bytes;
    size_t size, refused = 0, tried = 0;
    assert_ok(checkpoint_read(&expected, saved.path, &error), error);
    assert_ok(file_read(&bytes, &size, saved.path, 1 << 24, &error), error);
    for (size_t at = 0; at < size; at += 211, tried++) {
        FILE *file = fopen(saved.path, "wb");
        bytes[at] ^= 0x20;
        assert_true(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
        bytes[at] ^= 0x20;
        refused += refuses_or_reads_right(&saved, &expected);
    }
    assert_true(refused > tried / 2);
    free(bytes);
    saved_free(&saved);
}

static void cut_files_are_refused(void **state)
{
    (void)state;
    struct saved saved = saved_make();
    struct stat status;
    assert_int_equal(stat(saved.path, &status), 0);
    const off_t sizes[] = {status.st_size - 1, status.st_size / 2, 100, 0};
    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
        assert_int_equal(truncate(saved.path, sizes[n]), 0);
        assert_refused(&saved, "");
    }
    assert_int_equal(unlink(saved.path), 0);
    assert_refused(&saved, "");
    saved_free(&saved);
}

static void numbers_out_of_bounds_are_refused(void **state)
{
    (void)state;
    struct saved saved = saved_make();
    saved.checkpoint.step = UINT64_MAX;
    save(&saved);
    assert_refused(&saved, "step is -1");
    saved.checkpoint.step = 1;
    saved.checkpoint.num_ranks = -2;
    save(&saved);
    assert_refused(&saved, "num_ranks is -2");
    saved.checkpoint.num_ranks = 1;
    saved.checkpoint.hparams.z_size = 0;
    save(&saved);
    assert_refused(&saved, "z_size");
    saved_free(&saved);
}

/* A file of a few kilobytes must not make anyone take gigabytes. */
static void a_model_that_the_file_cannot_hold_is_refused(void **state)
{
    (void)state;
    struct saved saved = saved_make();
    struct checkpoint read;
    struct error error;
    saved.checkpoint.hparams.z_size = 16384;
    saved.checkpoint.hparams.enc_rnn_size.values[0] = 16384;
    save(&saved);
    assert_fails(checkpoint_read(&read, saved.path, &error), error, "too small for the");
    saved_free(&saved);
}

/* Values, and moments: a training would carry either on. */
static void tensors_that_are_not_finite_are_refused(void **state)
{
    (void)state;
    struct saved saved = saved_make();
    const float bad[3] = {NAN, INFINITY, -INFINITY};
    for (int n = 0; n < 3; n++) {
        float *value = &saved.arrays[n][saved.table.rows[1].offset], before = *value;
        *value = bad[n];
        save(&saved);
        assert_refused(&saved, "decoder/output/bias");
        *value = before;
    }
    saved_free(&saved);
}

static void tensors_of_another_shape_are_refused(void **state)
{
    (void)state;
    struct saved saved = saved_make();
    saved.table.rows[0].rows++;
    assert_refused(&saved, "/model/decoder/output/kernel");
    saved.table.rows[0].rows--;
    snprintf(saved.table.rows[1].name, sizeof saved.table.rows[1].name, "decoder/output/bios");
    assert_refused(&saved, "/model/decoder/output/bios");
    saved_free(&saved);
}

/* A number between its two neighbours in half precision. */
static bool is_nearest_half(float stored, float value)
{
    float spacing = fmaxf(ldexpf(1, -24), ldexpf(1, ilogbf(fmaxf(fabsf(value), ldexpf(1, -14))) - 10));
    return fabsf(stored - value) <= 0.5f * spacing && fabsf(fmodf(stored, spacing)) <= 0;
}

/* The weights alone are a checkpoint, in either precision. */
static void a_model_needs_no_other_group(void **state)
{
    (void)state;
    const enum checkpoint_precision precisions[] = {CHECKPOINT_FLOAT32, CHECKPOINT_FLOAT16};
    struct saved saved = saved_make();
    const struct tensor_group weights = {CHECKPOINT_WEIGHTS, saved.arrays[0]};
    float *first = saved.arrays[0] + saved.table.rows[0].offset;
    const float special[] = {0.0f, -0.0f, 1e-9f, 3e-8f, -6.2e-5f, 1.0f + 0x1p-11f, 1.0f + 0x3p-11f, 65504.0f};
    memcpy(first, special, sizeof special);
    for (size_t n = 0; n < 2; n++) {
        struct checkpoint_content content = {&saved.table, &weights, 1, precisions[n], NULL};
        struct checkpoint checkpoint;
        struct error error;
        float *read = calloc(saved.table.num_floats, sizeof *read);
        const struct tensor_group group = {CHECKPOINT_WEIGHTS, read}, moments = {"optimizer/m", read};
        assert_ok(checkpoint_save(saved.path, &saved.checkpoint, &content, &error), error);
        struct checkpoint_reader *reader = checkpoint_open(&checkpoint, saved.path, &error);
        assert_ok(reader != NULL, error);
        assert_true(checkpoint.is_sealed && checkpoint_has(reader, CHECKPOINT_WEIGHTS));
        assert_false(checkpoint_has(reader, "optimizer") || checkpoint_has(reader, "optimizer/m"));
        assert_ok(checkpoint_verify(reader, CHECKPOINT_WEIGHTS, &error), error);
        checkpoint_close(reader);
        assert_ok(checkpoint_read_groups(saved.path, &saved.table, &group, 1, &error), error);
        for (size_t i = 0; i < saved.table.num_floats; i++)
            assert_true(precisions[n] == CHECKPOINT_FLOAT16 ? is_nearest_half(read[i], saved.arrays[0][i])
                                                            : read[i] == saved.arrays[0][i]);
        assert_fails(checkpoint_read_groups(saved.path, &saved.table, &moments, 1, &error), error,
                     "/optimizer/m/decoder/output/kernel: the dataset is missing");
        free(read);
    }
    saved_free(&saved);
}

static void numbers_too_large_for_a_half_are_refused(void **state)
{
    (void)state;
    struct saved saved = saved_make();
    const struct tensor_group weights = {CHECKPOINT_WEIGHTS, saved.arrays[0]};
    const struct checkpoint_content content = {&saved.table, &weights, 1, CHECKPOINT_FLOAT16, NULL};
    const float bad[] = {65520.0f, -1e30f, INFINITY, NAN};
    struct error error;
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        saved.arrays[0][saved.table.rows[1].offset] = bad[n];
        assert_fails(checkpoint_save(saved.path, &saved.checkpoint, &content, &error), error,
                     "/model/decoder/output/bias: holds a number that is not finite or too large");
        assert_int_equal(scratch_count(saved.folder), 1);
    }
    saved_free(&saved);
}

static void checkpoints_are_listed_newest_first(void **state)
{
    (void)state;
    struct saved saved = saved_make();
    const char *others[] = {"checkpoint-00000009.h5", "checkpoint-00000100.h5",     "checkpoint-9.h5",
                            "checkpoint-x.h5",        "checkpoint-00000010.h5.tmp", "metrics.jsonl"};
    struct error error;
    for (size_t n = 0; n < sizeof others / sizeof *others; n++) {
        char *path = path_join(saved.folder, others[n]);
        FILE *file = fopen(path, "w");
        assert_true(file != NULL && fclose(file) == 0);
        free(path);
    }
    struct checkpoint_list list;
    assert_ok(checkpoint_list_make(&list, saved.folder, &error), error);
    assert_int_equal(list.count, 3);
    assert_true(list.steps[0] == 4000000000u && list.steps[1] == 100 && list.steps[2] == 9);
    assert_string_equal(list.paths[0], saved.path);
    checkpoint_list_free(&list);
    char *missing = path_join(saved.folder, "nothing");
    assert_ok(checkpoint_list_make(&list, missing, &error), error);
    assert_int_equal(list.count, 0);
    checkpoint_list_free(&list);
    free(missing);
    saved_free(&saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(numbers_out_of_bounds_are_refused),
        cmocka_unit_test(a_model_that_the_file_cannot_hold_is_refused),
        cmocka_unit_test(tensors_that_are_not_finite_are_refused),
        cmocka_unit_test(tensors_of_another_shape_are_refused),
        cmocka_unit_test(a_model_needs_no_other_group),
        cmocka_unit_test(numbers_too_large_for_a_half_are_refused),
        cmocka_unit_test(checkpoints_are_listed_newest_first),
    };
    hdf5_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
