/* Any bytes as a MIDI file, read and put on the grid. */
#include "data/midi/drum_notes.h"
#include "data/midi/reader.h"
#include "data/music/grid.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

enum { MAX_CELLS_CHECKED = 1 << 18 }; /* a grid may have nine million: too slow for a fuzzer */

static void check_grids(const struct midi *midi, const struct drum_map *map)
{
    struct grid_list list;
    struct error error;
    if (!grid_list_make(&list, midi, map, (struct time_signature){4, 4}, &error))
        return;
    size_t left = MAX_CELLS_CHECKED;
    for (size_t p = 0; p < list.count; p++) {
        const struct grid *grid = &list.parts[p].grid;
        for (size_t i = 0; i < (size_t)grid->num_steps * NUM_DRUMS && left > 0; i++, left--)
            if (grid->hits[i] > 1 || grid->velocity[i] > 127 || !(grid->offset[i] >= -1 && grid->offset[i] <= 1))
                abort();
    }
    grid_list_free(&list);
}

/* The first byte chooses how the rest is read. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const maps[] = {"general", "roland", "superior_drummer", "addictive_drums"};
    struct midi midi;
    struct error error;
    struct drum_map map;
    struct drum_finding finding;
    if (size == 0)
        return 0;
    struct drum_choice choice = {.channel = bytes[0] & 2 ? CHANNEL_ALL : CHANNEL_AUTO,
                                 .track = bytes[0] & 4 ? "drum" : NULL};
    drum_map_builtin(&map, maps[bytes[0] >> 3 & 3]);
    if (!midi_parse(&midi, bytes + 1, size - 1, bytes[0] & 1, NULL, &error))
        return 0;
    size_t before = midi.num_onsets;
    drum_notes_keep(&midi, &finding, &choice, &map, "groove.mid");
    if (midi.num_onsets + finding.num_skipped != before || midi.repairs.num_described > MIDI_REPAIRS_DESCRIBED)
        abort();
    check_grids(&midi, &map);
    midi_free(&midi);
    return 0;
}
