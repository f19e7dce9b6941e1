/* What drumline-info says of data sets, shards, checkpoints and runs, valid and damaged. */
#include "tests/support/save.h"
#include "tests/support/unit.h"

#include "base/hdf5/hdf5.h"
#include "base/io/files.h"
#include "data/dataset/dataset.h"
#include "data/dataset/index.h"
#include "data/dataset/shard.h"
#include "model/checkpoint.h"
#include "model/vae/parameters.h"
#include "programs/info/info.h"
#include "programs/info/kinds.h"
#include "run/json_members.h"
#include "tests/model/untrained_checkpoint.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <stdlib.h>

static const char small[] = "enc_rnn_size=[8],dec_rnn_size=[8,8],z_size=4";

static void write_text(const char *path, const char *text)
{
    struct error error;
    assert_ok(file_write(path, path, text, strlen(text), &error), error);
}

static json_t *describe(const char *path)
{
    struct error error = {.message = ""};
    json_t *object = info_describe(path, &error);
    if (!object)
        fail_msg("%s", error.message);
    return object;
}

static char *in_words(const json_t *object)
{
    struct capture capture = capture_start(1);
    info_print(stdout, object);
    return capture_end(&capture);
}

static void check_width(const char *text, const char *path)
{
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n"), columns = 0;
        for (size_t i = 0; i < length; i++)
            columns += ((unsigned char)line[i] & 0xc0) != 0x80;
        if (columns > 80 && strncmp(line, path, strlen(path)) != 0)
            fail_msg("wider than 80 columns: %.*s", (int)length, line);
        line += length + (line[length] != '\0');
    }
}

static void append(struct shard_writer *shard, const char *path, enum split split, const char *style, uint32_t bars,
                   struct time_signature time_signature)
{
    struct error error;
    struct grid grid;
    struct performance about = {.path = (char *)path, .style = (char *)style, .drummer = "ann", .split = split};
    assert_ok(grid_make(&grid, bars * time_signature_bar_steps(time_signature), &error), error);
    grid.qpm = 120;
    grid.time_signature = time_signature;
    grid.hits[0] = grid.hits[1] = 1;
    grid.velocity[0] = grid.velocity[1] = 100;
    assert_ok(shard_writer_append(shard, &about, &grid, &error), error);
    grid_free(&grid);
}

/* A data set of one shard: 9 bars and 3 bars for training, 2 bars of 3/4 for validation, and a bar whose style would have a
 * terminal clear its screen. */
static void make_dataset(const char *folder)
{
    static const struct time_signature common = {4, 4}, waltz = {3, 4};
    struct error error;
    struct atomic_file to;
    struct shard_writer shard = {.num_steps = 0};
    struct dataset_index index;
    struct dataset_counts counts = {
        .num_files = 6, .num_kept = 4, .num_hits = 8, .num_unknown = 4, .num_silent_bars = 30};
    char *name = shard_name(0, 1), *path = path_join(folder, name), *index_path = path_join(folder, INDEX_NAME);
    counts.skipped[SKIPPED_SHORT] = 2;
    append(&shard, "a.mid", SPLIT_TRAIN, "rock", 9, common);
    append(&shard, "b.mid", SPLIT_TRAIN, "jazz/caf\xc3\xa9", 3, common);
    append(&shard, "c.mid", SPLIT_VALIDATION, "rock", 2, waltz);
    append(&shard, "d.mid", SPLIT_TEST,
           "\xc2\x9b"
           "2J",
           1, common);
    assert_ok(SAVE(path, &to, shard_writer_write(&shard, &to, &error), &error), error);
    assert_ok(dataset_index_make(&index, &shard.table, 1, &counts, &error), error);
    index.lost[0] = (struct lost_pitch){24, 3, 2};
    index.lost[1] = (struct lost_pitch){35, 1, 1};
    index.num_lost = 2;
    assert_ok(SAVE(index_path, &to, dataset_index_write(&index, &to, &error), &error), error);
    dataset_index_free(&index);
    shard_writer_free(&shard);
    free(name);
    free(path);
    free(index_path);
}

static void check_splits(const json_t *object)
{
    const json_t *splits = json_object_get(object, "splits"), *train = json_object_get(splits, "train");
    const json_t *windows = json_object_get(train, "windows");
    assert_int_equal(member_int(object, "num_performances"), 4);
    assert_int_equal(member_int(train, "performances"), 2);
    assert_int_equal(member_int(train, "steps"), 192);
    assert_int_equal(member_int(train, "hits"), 4);
    assert_true(fabs(member_number(train, "hours") - 24.0 / 3600) < 1e-9);
    assert_int_equal(member_int(windows, "2_bars_apart"), 4 + 1);
    assert_int_equal(member_int(windows, "2_bars_every_bar"), 8 + 2);
    assert_int_equal(member_int(windows, "4_bars_apart"), 2);
    assert_int_equal(member_int(windows, "4_bars_every_bar"), 6);
    assert_int_equal(member_int(json_object_get(splits, "test"), "performances"), 1);
    assert_int_equal(member_int(json_object_get(json_object_get(object, "styles"), "rock"), "validation"), 1);
    assert_int_equal(member_int(json_object_get(json_object_get(object, "time_signatures"), "3/4"), "validation"), 1);
    assert_int_equal(member_int(json_object_get(json_object_get(object, "drummers"), "ann"), "train"), 2);
}

static void test_dataset_and_shard(void **state)
{
    struct error error;
    char *folder = scratch_make(), *index = path_join(folder, INDEX_NAME), *name = shard_name(0, 1),
         *shard = path_join(folder, name);
    (void)state;
    make_dataset(folder);
    json_t *object = describe(folder), *same = describe(index), *part = describe(shard);
    assert_string_equal(member_string(object, "kind"), "dataset");
    assert_string_equal(member_string(part, "kind"), "shard");
    assert_true(json_equal(object, same));
    check_splits(object);
    check_splits(part);
    struct dataset *dataset = dataset_open(folder, &error);
    assert_non_null(dataset);
    assert_string_equal(member_string(object, "content_sha256"), dataset_content_sha256(dataset));
    dataset_close(dataset);
    assert_int_equal(member_int(json_object_get(object, "skipped_files"), "short"), 2);
    char *words = in_words(object);
    check_width(words, folder);
    assert_contains(words, "data set, valid");
    assert_contains(words, "2: fewer bars than --min_bars");
    assert_contains(words, "4 notes: pitch maps to none of the nine drums");
    assert_contains(words, "3 notes of pitch 24 (C1) in 2 files");
    assert_contains(words, "1 note of pitch 35 (Acoustic Bass Drum) in 1 file");
    assert_contains(words, "30 bars: in long silences");
    assert_int_equal(json_array_size(json_object_get(object, "lost_pitches")), 2);
    assert_contains(words, "jazz/caf\xc3\xa9                                   1          0          0          1\n");
    assert_contains(words, "  ??2J ");
    assert_null(strstr(words, "\xc2\x9b"));
    free(words);
    json_decref(object);
    json_decref(same);
    json_decref(part);
    assert_int_equal(unlink(shard), 0);
    assert_fails(info_describe(folder, &error), error, "missing");
    free(index);
    free(name);
    free(shard);
    scratch_remove(folder);
}

/* A checkpoint whose file is whole, but a weight of which is no number. */
static void spoil_weight(const char *path)
{
    struct error error;
    struct checkpoint checkpoint;
    struct tensor_table table;
    assert_ok(checkpoint_read(&checkpoint, path, &error), error);
    assert_ok(parameters_describe(&table, &checkpoint.hparams, &error), error);
    float *values = calloc(table.num_floats, sizeof *values);
    assert_non_null(values);
    const struct tensor_group weights = {CHECKPOINT_WEIGHTS, values};
    const struct checkpoint_content content = {&table, &weights, 1, CHECKPOINT_FLOAT32, NULL};
    assert_ok(checkpoint_read_groups(path, &table, &weights, 1, &error), error);
    values[tensors_find(&table, "encoder/mu/kernel")->offset] = NAN;
    assert_ok(checkpoint_save(path, &checkpoint, &content, &error), error);
    free(values);
}

/* Turns one bit in the middle of a file round. */
static void damage_file(const char *path)
{
    struct error error;
    uint8_t *bytes;
    size_t size;
    assert_ok(file_read(&bytes, &size, path, 1 << 24, &error), error);
    bytes[size / 2] ^= 1;
    assert_ok(file_write(path, path, bytes, size, &error), error);
    free(bytes);
}

static void test_checkpoint(void **state)
{
    struct error error;
    char *folder = scratch_make(), *path = path_join(folder, "checkpoint-00000007.h5");
    (void)state;
    assert_ok(untrained_checkpoint(path, "groovae_2bar_humanize", small, 7, &error), error);
    json_t *object = describe(path);
    const json_t *hparams = json_object_get(object, "hparams"), *changed = json_object_get(object, "hparams_changed");
    assert_int_equal(member_int(object, "step"), 7);
    assert_string_equal(member_string(object, "config"), "groovae_2bar_humanize");
    assert_true(json_is_true(json_object_get(object, "valid")));
    assert_int_equal(json_object_size(hparams), hparams_table.count);
    assert_true(json_is_true(json_object_get(hparams, "humanize")));
    assert_int_equal(json_array_size(changed), 3);
    assert_string_equal(json_string_value(json_array_get(changed, 1)), "dec_rnn_size=[8,8]");
    const json_t *tensor = json_array_get(json_object_get(object, "tensors"), 0);
    assert_string_equal(member_string(tensor, "name"), "decoder/output/kernel");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(tensor, "shape"), 1)), 27);
    assert_true(member_number(tensor, "norm") > 0);
    assert_null(json_object_get(object, "damage"));
    char *words = in_words(object);
    check_width(words, path);
    assert_contains(words, "checkpoint, valid");
    assert_contains(words, "z_size=4\n");
    free(words);
    json_decref(object);

    spoil_weight(path);
    object = describe(path);
    assert_true(json_is_false(json_object_get(object, "valid")));
    assert_contains(json_string_value(json_array_get(json_object_get(object, "damage"), 0)), "encoder/mu/kernel");
    words = in_words(object);
    assert_contains(words, "DAMAGED");
    free(words);
    json_decref(object);
    damage_file(path);
    assert_fails(info_describe(path, &error), error, "checkpoint-00000007.h5: is damaged");
    free(path);
    scratch_remove(folder);
}

static void test_run(void **state)
{
    struct error error;
    char *folder = scratch_make(), *train = path_join(folder, "train");
    char *older = path_join(train, "checkpoint-00000010.h5"), *newer = path_join(train, "checkpoint-00000020.h5"),
         *metrics = path_join(train, "metrics.jsonl");
    (void)state;
    assert_ok(folder_make(train, &error), error);
    json_t *object = describe(folder);
    char *words = in_words(object);
    assert_contains(words, "checkpoints 0\n");
    free(words);
    json_decref(object);
    assert_ok(untrained_checkpoint(older, "groovae_4bar", small, 10, &error), error);
    assert_ok(untrained_checkpoint(newer, "groovae_4bar", small, 20, &error), error);
    write_text(metrics, "{\"event\":\"start\",\"step\":0,\"num_steps\":40}\n"
                        "{\"step\":20,\"total_loss\":1.5,\"seconds_per_step\":125}\n");
    object = describe(folder);
    assert_string_equal(member_string(object, "kind"), "run");
    assert_int_equal(member_int(json_object_get(object, "newest"), "step"), 20);
    assert_int_equal(json_array_size(json_object_get(object, "checkpoints")), 2);
    words = in_words(object);
    check_width(words, folder);
    assert_contains(words, "50 %, step 20 of 40\n");
    assert_contains(words, "0:41:40 at the last speed");
    free(words);
    json_decref(object);
    damage_file(newer);
    object = describe(folder);
    assert_int_equal(member_int(json_object_get(object, "newest"), "step"), 10);
    assert_int_equal(json_array_size(json_object_get(object, "damage")), 1);
    json_decref(object);
    spoil_weight(older);
    object = describe(folder);
    assert_null(json_object_get(object, "newest"));
    assert_int_equal(json_array_size(json_object_get(object, "damage")), 2);
    json_decref(object);
    assert_fails(info_describe(train, &error), error, "inside a run");
    free(train);
    free(older);
    free(newer);
    free(metrics);
    scratch_remove(folder);
}

static void test_what_is_none_of_these(void **state)
{
    struct error error;
    struct atomic_file to;
    hid_t file;
    char *folder = scratch_make(), *path = path_join(folder, "x.h5");
    (void)state;
    assert_fails(info_describe(path, &error), error, "no such file");
    assert_fails(info_describe(folder, &error), error, "neither a data set");
    write_text(path, "text");
    assert_fails(info_describe(path, &error), error, "x.h5");
    assert_ok(hdf5_create(&file, path, "drumline-other", &error), error);
    assert_ok(SAVE(path, &to, hdf5_save(&file, &to, &error), &error), error);
    assert_fails(info_describe(path, &error), error, "is not a data set, shard or checkpoint");
    free(path);
    path = path_join(folder, "broken.mid");
    write_text(path, "MThx, not the beginning of a MIDI file");
    assert_fails(info_describe(path, &error), error, "broken.mid: not a MIDI file");
    write_text(path, "MThd");
    assert_fails(info_describe(path, &error), error, "broken.mid: ");
    assert_null(strstr(error.message, "HDF5"));
    free(path);
    scratch_remove(folder);
}

static void test_text_from_outside(void **state)
{
    (void)state;
    json_t *kept = json_clean_text("caf\xc3\xa9"), *cleaned = json_clean_text("a\x1b[31m\xff");
    json_t *cleaned_of_csi = json_clean_text("a\xc2\x9b"
                                             "31m");
    assert_string_equal(json_string_value(cleaned_of_csi), "a??31m");
    json_decref(cleaned_of_csi);
    assert_string_equal(json_string_value(kept), "caf\xc3\xa9");
    assert_string_equal(json_string_value(cleaned), "a?[31m?");
    json_decref(kept);
    json_decref(cleaned);
    struct capture capture = capture_start(1);
    info_print_column(stdout, "caf\xc3\xa9s", 4);
    info_print_column(stdout, "\xc3\xa9", 3);
    char *text = capture_end(&capture);
    assert_string_equal(text, "caf\xc3\xa9\xc3\xa9  ");
    free(text);
}

static uint8_t *put(uint8_t *to, const char *bytes, size_t size)
{
    memcpy(to, bytes, size);
    return to + size;
}

/* How a MIDI file was made stands in it as text of anybody's. */
static void test_command_from_outside(void **state)
{
    struct error error;
    static const char head[] = "MThd\0\0\0\6\0\0\0\1\0\xdcMTrk\0\0\0",
                      note[] = "\0\x99\x24\x64\x60\x89\x24\0\0\xff\x2f";
    static const char text[] =
        "made by drumline-generate 1.0 (model xxh3 0, file 1 of 1): drumline-generate --config='\xc2\x9b"
        "2J'";
    uint8_t bytes[256], *to = bytes;
    char *folder = scratch_make(), *path = path_join(folder, "a.mid");
    (void)state;
    to = put(to, head, sizeof head - 1);
    *to++ = (uint8_t)(4 + sizeof text - 1 + sizeof note);
    to = put(to, "\0\xff\1", 3);
    *to++ = (uint8_t)(sizeof text - 1);
    to = put(to, text, sizeof text - 1);
    to = put(to, note, sizeof note);
    assert_ok(file_write(path, path, bytes, (size_t)(to - bytes), &error), error);
    json_t *object = describe(path);
    char *words = in_words(object);
    assert_non_null(strstr(words, "drumline-generate --config='??2J'"));
    json_decref(object);
    free(words);
    free(path);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dataset_and_shard),
        cmocka_unit_test(test_checkpoint),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_what_is_none_of_these),
        cmocka_unit_test(test_text_from_outside),
        cmocka_unit_test(test_command_from_outside),
    };
    hdf5_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
