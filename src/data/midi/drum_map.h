/* The nine drums, and which MIDI pitch plays which of them.
 *
 * A class is a number from 0 to 8, in this order everywhere: kick, snare, closed hi-hat, open hi-hat, low tom, mid tom,
 * high tom, crash, ride. The tables are those of the groove data set's Roland kit and of General MIDI's percussion map
 * (Gillick et al., "Learning to Groove with Inverse Sequence Transformations", ICML 2019, appendix). */
#ifndef DRUMLINE_DATA_MIDI_DRUM_MAP_H
#define DRUMLINE_DATA_MIDI_DRUM_MAP_H

#include <stdint.h>

enum { NUM_DRUMS = 9, DRUM_NONE = -1, DRUM_TAP = 3 /* the class that `tapify` moves every hit to */ };

enum drum_map {
    DRUM_MAP_TRAINING, /* the pitches of the kit that the training data were played on */
    DRUM_MAP_GENERAL,  /* the wider General MIDI table, for input to the generator */
};

/* The class that `pitch` (0 to 127) plays, DRUM_NONE where it is none of them. */
int drum_class_of_pitch(enum drum_map map, uint8_t pitch);

/* The pitch that stands for a class (0 to 8) in the MIDI files we write. */
uint8_t drum_written_pitch(int drum);

/* "kick", "closed hi-hat" ...; a string that lives as long as the program. */
const char *drum_name(int drum);

#endif
