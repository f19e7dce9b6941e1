/* Says which drum notes a drum map loses, and which map would lose fewer. */
#ifndef DRUMLINE_PROGRAMS_COMMON_LOST_NOTES_H
#define DRUMLINE_PROGRAMS_COMMON_LOST_NOTES_H

#include "data/midi/drum_map.h"

/* Logs a line for each pitch that `map` does not know, the most frequent first: its number, its name, how
 * many notes and in how many files. Warns, with the built-in map that keeps most, where more than a tenth of the notes is
 * lost, or where a drum stays empty that has notes under that map; and says what drums that map takes the lost pitches for. `what` is the folder or file. */
void lost_notes_report(const struct pitch_census *census, const struct drum_map *map, const char *what);

#endif
