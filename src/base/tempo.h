/* A tempo as numbers for a model. */
#ifndef DRUMLINE_BASE_TEMPO_H
#define DRUMLINE_BASE_TEMPO_H

enum { NUM_TEMPO_CONTROLS = 9 };

/* The weights of nine tempos, from 60 to 240 quarter notes a minute, a quarter of an octave apart: 0 but for the two between which
 * qpm lies, which add up to 1, in proportion to the logarithm. Slower and faster ones are as 60 and 240. qpm > 0. */
void tempo_controls(float controls[NUM_TEMPO_CONTROLS], float qpm);

#endif
