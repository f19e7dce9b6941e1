/* What tests/checks/preprocess.sh works with.
 *
 *   performances make DIR     fills DIR with small MIDI performances of different length, and files that must be skipped
 *   performances hash DIR     opens the data set in DIR, all checks on, and prints its content_sha256
 *   performances windows DIR  prints how many windows train and validation hold: 4 bars, 4 bars every bar, 2 bars, 2 bars
 *                             every bar */
#include "base/io/files.h"
#include "base/random.h"
#include "base/text.h"
#include "data/dataset/windows.h"
#include "data/midi/writer.h"
#include "data/music/grid.h"
#include "tests/data/drum_maps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool write_performance(const char *folder, uint32_t number, struct error *error)
{
    struct random_stream stream;
    struct grid grid;
    struct midi midi;
    random_stream_start(&stream, 5, RANDOM_DRUMMER, number, 0);
    if (!grid_make(&grid, (1 + random_below(&stream, number % 10 == 0 ? 60 : 8)) * GRID_BAR_STEPS, error))
        return false;
    grid.qpm = (float)(80 + random_below(&stream, 80));
    grid.time_signature = number % 7 == 3 ? (struct time_signature){2, 4} : (struct time_signature){4, 4};
    for (size_t i = 0; i < (size_t)grid.num_steps * NUM_DRUMS; i++)
        if (i == 0 || random_below(&stream, 4) == 0) {
            grid.hits[i] = 1;
            grid.velocity[i] = (uint8_t)(1 + random_below(&stream, 127));
            grid.offset[i] = 2 * random_uniform(&stream) - 1;
        }
    char *path = format_text("%s/%s%03u.mid", folder, number % 2 == 0 ? "even/" : "", number);
    bool ok = grid_to_midi(&midi, &grid, MAP("general"), error);
    if (ok) {
        ok = midi_save(&midi, "performance", path, true, error);
        midi_free(&midi);
    }
    free(path);
    grid_free(&grid);
    return ok;
}

static bool write_text(const char *folder, const char *name, const char *text)
{
    char *path = path_join(folder, name);
    FILE *stream = fopen(path, "w");
    bool ok = stream != NULL && fputs(text, stream) >= 0;
    ok = stream != NULL && fclose(stream) == 0 && ok;
    free(path);
    return ok;
}

static bool make(const char *folder, struct error *error)
{
    char *even = path_join(folder, "even");
    bool ok = folder_make(even, error);
    for (uint32_t number = 0; ok && number < 60; number++)
        ok = write_performance(folder, number, error);
    free(even);
    if (ok && !(write_text(folder, "text.mid", "these are words") && write_text(folder, "even/empty.midi", "") &&
                write_text(folder, "even/cut.mid", "MThd") && write_text(folder, "notes.txt", "no MIDI")))
        ok = error_set(error, "%s: can't be written", folder);
    return ok;
}

static bool print_windows(const struct dataset *dataset, struct error *error)
{
    static const int bars[] = {4, 4, 2, 2}, hop_bars[] = {4, 1, 2, 1};
    static const char *const splits[] = {"train", "validation"};
    for (int i = 0; i < 4; i++)
        for (int s = 0; s < 2; s++) {
            struct windows windows;
            if (!windows_make(&windows, dataset, splits[s], bars[i], hop_bars[i], error))
                return false;
            printf("%zu%c", windows.count, s == 0 ? ' ' : '\n');
            windows_free(&windows);
        }
    return true;
}

int main(int argc, char **argv)
{
    struct error error;
    bool ok = false;
    if (argc != 3) {
        fputs("usage: performances make|hash|windows DIR\n", stderr);
        return 2;
    }
    if (strcmp(argv[1], "make") == 0) {
        ok = make(argv[2], &error);
    } else {
        struct dataset *dataset = dataset_open(argv[2], &error);
        ok = dataset != NULL;
        if (ok && strcmp(argv[1], "hash") == 0)
            puts(dataset_content_sha256(dataset));
        else if (ok)
            ok = print_windows(dataset, &error);
        dataset_close(dataset);
    }
    if (!ok)
        fprintf(stderr, "%s\n", error.message);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
