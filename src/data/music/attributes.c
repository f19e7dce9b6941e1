#include "data/music/attributes.h"

#include "data/music/grid.h"

#include <math.h>

const char *const attribute_names[NUM_ATTRIBUTES] = {
    [ATTRIBUTE_DENSITY] = "density",   [ATTRIBUTE_SYNCOPATION] = "syncopation",
    [ATTRIBUTE_SWING] = "swing",       [ATTRIBUTE_PUSH] = "push",
    [ATTRIBUTE_LOUDNESS] = "loudness", [ATTRIBUTE_DYNAMICS] = "dynamics",
    [ATTRIBUTE_RIDE] = "ride",         [ATTRIBUTE_FILLS] = "fills",
};

enum { KICK, SNARE, CLOSED_HIHAT, OPEN_HIHAT, LOW_TOM, MID_TOM, HIGH_TOM, CRASH, RIDE, BEAT_STEPS = 4 };

struct music {
    const uint8_t *hits, *velocity;
    const float *offset;
    uint32_t num_steps;
};

static int level(uint32_t step)
{
    return step % 16 == 0 ? 0 : step % 16 == 8 ? -1 : step % 4 == 0 ? -2 : step % 2 == 0 ? -3 : -4;
}

static bool is_onset(const struct music *music, uint32_t step)
{
    const uint8_t *hits = music->hits + (size_t)step * NUM_DRUMS;
    return hits[KICK] || hits[SNARE] || hits[LOW_TOM] || hits[MID_TOM] || hits[HIGH_TOM];
}

/* The sum over onsets; the stretch is taken as a loop. */
static double syncopation(const struct music *music)
{
    double sum = 0;
    for (uint32_t step = 0; step < music->num_steps; step++) {
        int strongest = level(step);
        for (uint32_t next = 1; is_onset(music, step) && next < music->num_steps; next++) {
            uint32_t at = (step + next) % music->num_steps;
            if (is_onset(music, at))
                break;
            strongest = level(at) > strongest ? level(at) : strongest;
        }
        sum += strongest - level(step);
    }
    return sum;
}

static bool any_hit(const struct music *music, uint32_t step)
{
    for (uint32_t drum = 0; drum < NUM_DRUMS; drum++)
        if (music->hits[(size_t)step * NUM_DRUMS + drum])
            return true;
    return false;
}

/* How late a hit is as an off-beat, in sixteenths; NaN on a beat. `delay`: behind its step. */
static double lateness(const struct music *music, uint32_t step, double delay)
{
    static const double first = 2.45, last = 2.85;
    uint32_t place = step % BEAT_STEPS;
    double position = place + delay;
    if (place == 0)
        return NAN;
    if (place == 3 && position >= first && position <= last && !any_hit(music, step - 1))
        return position - 2;
    return delay;
}

struct mean {
    double sum, count;
};

static void add(struct mean *mean, double value)
{
    if (!isfinite(value))
        return;
    mean->sum += value;
    mean->count++;
}

static double value_of(const struct mean *mean)
{
    return mean->count > 0 ? mean->sum / mean->count : NAN;
}

void attributes_measure(double values[NUM_ATTRIBUTES], const uint8_t *hits, const uint8_t *velocity,
                        const float *offset, uint32_t bars)
{
    const struct music music = {hits, velocity, offset, bars * GRID_BAR_STEPS};
    struct mean swing = {0}, push = {0}, loudness = {0}, squares = {0}, ride = {0}, fills = {0};
    for (uint32_t step = 0; step < music.num_steps; step++)
        for (uint32_t drum = 0; drum < NUM_DRUMS; drum++) {
            size_t cell = (size_t)step * NUM_DRUMS + drum;
            if (!hits[cell])
                continue;
            double loud = velocity[cell], delay = -(double)offset[cell] / 2;
            add(&loudness, loud);
            add(&squares, loud * loud);
            add(&fills, drum == LOW_TOM || drum == MID_TOM || drum == HIGH_TOM);
            if (drum == RIDE || drum == CLOSED_HIHAT || drum == OPEN_HIHAT)
                add(&ride, drum == RIDE);
            if (step % BEAT_STEPS == 0)
                add(&push, -delay);
            add(&swing, lateness(&music, step, delay));
        }
    double mean = value_of(&loudness);
    values[ATTRIBUTE_DENSITY] = loudness.count / bars;
    values[ATTRIBUTE_SYNCOPATION] = syncopation(&music) / bars;
    values[ATTRIBUTE_SWING] = value_of(&swing);
    values[ATTRIBUTE_PUSH] = value_of(&push);
    values[ATTRIBUTE_LOUDNESS] = mean;
    values[ATTRIBUTE_DYNAMICS] = sqrt(fmax(value_of(&squares) - mean * mean, 0));
    values[ATTRIBUTE_RIDE] = value_of(&ride);
    values[ATTRIBUTE_FILLS] = value_of(&fills);
    if (!(loudness.count > 0))
        values[ATTRIBUTE_DYNAMICS] = NAN; /* fmax would take a NaN for 0 */
}
