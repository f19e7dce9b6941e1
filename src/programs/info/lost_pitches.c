/* The pitches that a drum map does not know, of a data set or a MIDI file. */
#include "base/text.h"
#include "programs/info/kinds.h"
#include "run/json_members.h"

#include <inttypes.h>

json_t *info_json_of_lost(const struct lost_pitch *lost, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        char label[DRUM_PITCH_LABEL_SIZE];
        json_t *pitch = json_object();
        drum_pitch_label(label, (uint8_t)lost[i].pitch);
        json_object_set_new(pitch, "pitch", json_integer((json_int_t)lost[i].pitch));
        json_object_set_new(pitch, "name", json_string(label));
        json_object_set_new(pitch, "notes", json_integer((json_int_t)lost[i].notes));
        json_object_set_new(pitch, "files", json_integer((json_int_t)lost[i].files));
        json_array_append_new(list, pitch);
    }
    return list;
}

/* The most frequent ones. */
void info_print_lost(FILE *out, const json_t *lost)
{
    enum { PITCHES_SHOWN = 24 };
    size_t i;
    json_t *pitch;
    json_array_foreach(lost, i, pitch)
    {
        int64_t notes = member_int(pitch, "notes"), files = member_int(pitch, "files");
        if (i == PITCHES_SHOWN) {
            info_print_field(out, "", "... and %zu more pitches: --json lists all", json_array_size(lost) - i);
            return;
        }
        info_print_field(out, "", "%" PRId64 " note%s of pitch %" PRId64 " (%s) in %" PRId64 " file%s", notes,
                         PLURAL(notes), member_int(pitch, "pitch"), member_string(pitch, "name"), files, PLURAL(files));
    }
}
