/* Any text as a drum map's table: what is accepted is read back the same from what it is written as. */
#include "data/midi/drum_map.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct drum_map map, again;
    struct error error = {.message = ""};
    char *text = fuzz_text(bytes, size);
    if (drum_map_parse(&map, "fuzz", text, &error)) {
        for (int pitch = 0; pitch < NUM_PITCHES; pitch++) {
            int drum = drum_class_of_pitch(&map, (uint8_t)pitch);
            fuzz_require(drum == DRUM_NONE || (drum >= 0 && drum < NUM_DRUMS), "a pitch plays one of nine, or none");
        }
        char *written = drum_map_text(&map);
        fuzz_require(drum_map_parse(&again, "fuzz", written, &error), "what is written is read");
        fuzz_require(memcmp(map.classes, again.classes, sizeof map.classes) == 0, "pitches play the same drums");
        fuzz_require(memcmp(map.written, again.written, sizeof map.written) == 0,
                     "drums are written as the same pitches");
        free(written);
    } else {
        fuzz_require(error.message[0] != '\0', "a refusal has a message");
    }
    free(text);
    return 0;
}
