#include "tests/programs/generate_support.h"

#include "base/io/files.h"
#include "data/midi/reader.h"
#include "data/midi/writer.h"
#include "tests/data/drum_maps.h"
#include "tests/model/untrained_checkpoint.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

const char generate_small_model[] = "enc_rnn_size=[8],dec_rnn_size=[8,8],z_size=4";

void make_place(struct place *place, const char *config)
{
    struct error error;
    place->folder = scratch_make();
    place->checkpoint = path_join(place->folder, "checkpoint.h5");
    place->output = path_join(place->folder, "new/grooves");
    place->midi[0] = path_join(place->folder, "one.mid");
    place->midi[1] = path_join(place->folder, "two.mid");
    assert_ok(untrained_checkpoint(place->checkpoint, config, generate_small_model, 7, &error), error);
}

void free_place(struct place *place)
{
    scratch_remove(place->folder);
    free(place->checkpoint);
    free(place->output);
    free(place->midi[0]);
    free(place->midi[1]);
}

void write_grid(const char *path, struct grid *grid)
{
    struct error error;
    struct midi midi;
    assert_ok(grid_to_midi(&midi, grid, MAP("general"), &error), error);
    assert_ok(midi_save(&midi, "test", path, true, &error), error);
    midi_free(&midi);
}

/* Bars of 4/4 without a hit. */
void make_bars(struct grid *grid, uint32_t bars, float qpm)
{
    struct error error;
    assert_ok(grid_make(grid, bars * GRID_BAR_STEPS, &error), error);
    grid->qpm = qpm;
    grid->time_signature = (struct time_signature){4, 4};
}

/* A file of `bars` bars of 4/4 at 90 a minute in which `drum` is hit on the first beat of bars [from, to). */
void write_beats(const char *path, uint32_t bars, uint32_t from, uint32_t to, int drum)
{
    struct grid grid;
    make_bars(&grid, bars, 90);
    for (uint32_t bar = from; bar < to; bar++) {
        size_t cell = (size_t)bar * GRID_BAR_STEPS * NUM_DRUMS + (size_t)drum;
        grid.hits[cell] = 1;
        grid.velocity[cell] = (uint8_t)(60 + bar);
    }
    write_grid(path, &grid);
    grid_free(&grid);
}

/* Some 4 hits a bar, off the grid and of many velocities. */
static void fill_grid(struct grid *grid, uint32_t bars)
{
    make_bars(grid, bars, 100);
    for (uint32_t step = 0; step < grid->num_steps; step += 4) {
        size_t cell = (size_t)step * NUM_DRUMS + step / 4 % 2; /* kick and snare by turns */
        grid->hits[cell] = 1;
        grid->velocity[cell] = (uint8_t)(40 + step % 80);
        grid->offset[cell] = (float)((int)(step % 11) - 5) / 8;
    }
}

void write_drums(const char *path, uint32_t bars, int channel, struct midi_tempo tempos[2])
{
    struct error error;
    struct grid grid;
    struct midi midi;
    fill_grid(&grid, bars);
    assert_ok(grid_to_midi(&midi, &grid, MAP("general"), &error), error);
    free(midi.tempos);
    midi.tempos = tempos;
    midi.num_tempos = 2;
    for (size_t i = 0; i < midi.num_onsets; i++)
        midi.onsets[i].channel = (uint8_t)channel;
    assert_ok(midi_save(&midi, "song", path, true, &error), error);
    midi.tempos = NULL;
    midi_free(&midi);
    grid_free(&grid);
}

void write_time_signatures(const char *path, struct time_signature first, struct time_signature second)
{
    struct error error;
    struct midi_onset onsets[] = {
        {0,        9, 36, 100},
        {8 * 1920, 9, 38, 100}
    };
    struct midi_time_signature signatures[] = {
        {0,        first.numerator,  first.denominator },
        {4 * 1920, second.numerator, second.denominator}
    };
    struct midi midi = {.ppq = 480,
                        .end_tick = 9 * 1920,
                        .onsets = onsets,
                        .num_onsets = 2,
                        .time_signatures = signatures,
                        .num_time_signatures = 2};
    assert_ok(midi_save(&midi, "test", path, true, &error), error);
}

/* Generates; fails the test where that fails. Returns the name of the first file, up to its number. */
void play(const struct place *place, struct generate_options options)
{
    struct error error;
    bool wrong_usage;
    if (!options.checkpoint_file && !options.run_dir)
        options.checkpoint_file = place->checkpoint;
    if (!options.output_dir)
        options.output_dir = place->output;
    options.temperature = options.temperature > 0 ? options.temperature : 1;
    options.threads = options.threads > 0 ? options.threads : 1;
    assert_ok(generate_check(&options, &error), error);
    assert_ok(generate(&options, &wrong_usage, &error), error);
}

bool try_to_play(const struct place *place, struct generate_options options, bool *wrong_usage, struct error *error)
{
    *wrong_usage = true;
    options.checkpoint_file = place->checkpoint;
    options.output_dir = options.output_dir ? options.output_dir : place->output;
    options.temperature = 1;
    options.threads = options.threads > 0 ? options.threads : 1;
    return generate_check(&options, error) && generate(&options, wrong_usage, error);
}

/* The grid of file `number` in a folder that holds one set of files. */
struct grid read_output(const char *folder, size_t number)
{
    static const char *const suffixes[] = {".mid", NULL};
    struct error error;
    struct file_list list;
    struct midi midi;
    struct grid_list grids;
    assert_ok(file_list_make(&list, folder, false, suffixes, &error), error);
    assert_true(number < list.count);
    char *path = path_join(folder, list.paths[number]);
    assert_ok(midi_load(&midi, path, false, NULL, &error), error);
    assert_ok(grid_list_make(&grids, &midi, MAP("general"), (struct time_signature){4, 4}, &error), error);
    assert_int_equal(grids.count, 1);
    struct grid grid = grids.parts[0].grid;
    grids.parts[0].grid = (struct grid){0};
    grid_list_free(&grids);
    midi_free(&midi);
    free(path);
    file_list_free(&list);
    return grid;
}

bool same_grid(const char *folder, size_t number, const char *other_folder, size_t other_number)
{
    struct grid a = read_output(folder, number), b = read_output(other_folder, other_number);
    size_t cells = (size_t)a.num_steps * NUM_DRUMS;
    assert_true(grid_count_hits(&a) > 0);
    bool same = a.num_steps == b.num_steps && memcmp(a.hits, b.hits, cells) == 0 &&
                memcmp(a.velocity, b.velocity, cells) == 0 && memcmp(a.offset, b.offset, cells * sizeof *a.offset) == 0;
    grid_free(&a);
    grid_free(&b);
    return same;
}

/* Whether both folders hold `count` files of the same bytes, whatever their names. */
void assert_same_files(const char *folder, const char *other_folder, size_t count)
{
    static const char *const suffixes[] = {".mid", NULL};
    struct error error;
    struct file_list list, other_list;
    assert_ok(file_list_make(&list, folder, false, suffixes, &error), error);
    assert_ok(file_list_make(&other_list, other_folder, false, suffixes, &error), error);
    assert_int_equal(scratch_count(folder), count);
    assert_int_equal(scratch_count(other_folder), count);
    for (size_t i = 0; i < count; i++) {
        uint8_t *bytes[2];
        size_t sizes[2];
        char *paths[2] = {path_join(folder, list.paths[i]), path_join(other_folder, other_list.paths[i])};
        for (int k = 0; k < 2; k++) {
            assert_ok(file_read(&bytes[k], &sizes[k], paths[k], 1 << 20, &error), error);
            free(paths[k]);
        }
        assert_int_equal(sizes[0], sizes[1]);
        assert_memory_equal(bytes[0], bytes[1], sizes[0]);
        free(bytes[0]);
        free(bytes[1]);
    }
    file_list_free(&list);
    file_list_free(&other_list);
}
