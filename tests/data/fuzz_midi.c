/* libFuzzer target: any bytes as a MIDI file, read and put on the grid.
 *
 * Built with clang and -DDRUMLINE_FUZZ=ON; run as `fuzz_midi -max_len=4096 CORPUS_FOLDER`. */
#include "data/midi/reader.h"
#include "data/music/grid.h"
#include "tests/data/drum_maps.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct midi midi;
    struct grid_list list;
    struct error error;
    if (!midi_parse(&midi, bytes, size, NULL, &error))
        return 0;
    if (grid_list_make(&list, &midi, MAP("general"), (struct time_signature){4, 4}, &error)) {
        for (size_t p = 0; p < list.count; p++)
            for (size_t i = 0; i < (size_t)list.parts[p].grid.num_steps * NUM_DRUMS; i++)
                if (list.parts[p].grid.hits[i] > 1 || list.parts[p].grid.velocity[i] > 127)
                    abort();
        grid_list_free(&list);
    }
    midi_free(&midi);
    return 0;
}
