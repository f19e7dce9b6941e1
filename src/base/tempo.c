#include "base/tempo.h"

#include <math.h>

void tempo_controls(float controls[NUM_TEMPO_CONTROLS], float qpm)
{
    double place = fmin(fmax(4 * log2((double)qpm / 60), 0), NUM_TEMPO_CONTROLS - 1);
    for (int i = 0; i < NUM_TEMPO_CONTROLS; i++)
        controls[i] = (float)fmax(0, 1 - fabs(place - i));
}
