#include "data/midi/midi.h"

#include <math.h>
#include <stdlib.h>

const char *midi_repair_words(enum midi_repair repair)
{
    static const char *const words[NUM_MIDI_REPAIRS] = {
        [MIDI_EVENT_SKIPPED] = "event skipped",
        [MIDI_EVENT_CLIPPED] = "event clipped",
        [MIDI_TRACK_CUT] = "track read up to a broken event",
        [MIDI_CHUNK_LENGTH] = "wrong chunk length",
        [MIDI_TRACK_COUNT] = "wrong number of tracks in the header",
        [MIDI_WRAPPER] = "wrapped in another format",
        [MIDI_TRAILING_BYTES] = "bytes outside any chunk",
        [MIDI_HEADER] = "header with a wrong field",
    };
    return words[repair];
}

uint32_t midi_repairs_total(const struct midi_repairs *repairs)
{
    uint32_t total = 0;
    for (int repair = 0; repair < NUM_MIDI_REPAIRS; repair++)
        total += repairs->counts[repair];
    return total;
}

void midi_free(struct midi *midi)
{
    free(midi->onsets);
    free(midi->tempos);
    free(midi->time_signatures);
    free(midi->tracks);
    free(midi->onset_tracks);
    *midi = (struct midi){0};
}

uint8_t *midi_put_delta(uint8_t *to, uint32_t ticks)
{
    for (int shift = 7 * (MIDI_DELTA_BYTES - 1); shift > 0; shift -= 7)
        if (ticks >> shift != 0)
            *to++ = (uint8_t)(0x80 | (ticks >> shift & 0x7f));
    *to++ = (uint8_t)(ticks & 0x7f);
    return to;
}

double midi_qpm(uint32_t microseconds_per_quarter)
{
    return 60e6 / microseconds_per_quarter;
}

uint32_t midi_tempo_of_qpm(double qpm)
{
    double tempo = 60e6 / qpm;
    if (!(tempo >= 1))
        return tempo < 1 ? 1 : MIDI_DEFAULT_TEMPO;
    return tempo > MIDI_LONGEST_TEMPO ? MIDI_LONGEST_TEMPO : (uint32_t)lround(tempo);
}
