#include "data/midi/midi.h"

#include <math.h>
#include <stdlib.h>

void midi_free(struct midi *midi)
{
    free(midi->onsets);
    free(midi->tempos);
    free(midi->time_signatures);
    *midi = (struct midi){0};
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
