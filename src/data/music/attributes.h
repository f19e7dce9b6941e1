/* What can be measured of a stretch of drumming: how much, how loud, how straight. The names are those of drumline-generate's
 * --attribute and of /latents in checkpoints; a model's latent space has a direction for each (model/latents/latents.h).
 *
 * | name | is | unit |
 * |---|---|---|
 * | density | hits | a bar |
 * | syncopation | how much weaker than the strongest silent step that follows it each onset of kick, snare and toms is | levels a bar |
 * | swing | how late off-beats are | sixteenths |
 * | push | how early hits on the beats are: positive is pushed, negative laid back | sixteenths |
 * | loudness | the mean velocity | 1 to 127 |
 * | dynamics | the velocities' standard deviation | 1 to 127 |
 * | ride | the ride's share of the hits of ride and hi-hats | 0 to 1 |
 * | fills | the toms' share of all hits | 0 to 1 |
 *
 * Syncopation is Longuet-Higgins and Lee's ("The rhythmic interpretation of monophonic music", Music Perception 1984) with the levels
 * 0 for the first sixteenth of a bar, -1 for the ninth, -2 for the other beats, -3 for the other eighths and -4 for the rest.
 *
 * An off-beat is a hit on the third sixteenth of a beat; one between 2.45 and 2.85 sixteenths behind the beat, where the third has
 * none, is a swung one; or a hit on the second or fourth. */
#ifndef DRUMLINE_DATA_MUSIC_ATTRIBUTES_H
#define DRUMLINE_DATA_MUSIC_ATTRIBUTES_H

#include <stdint.h>

enum music_attribute {
    ATTRIBUTE_DENSITY,
    ATTRIBUTE_SYNCOPATION,
    ATTRIBUTE_SWING,
    ATTRIBUTE_PUSH,
    ATTRIBUTE_LOUDNESS,
    ATTRIBUTE_DYNAMICS,
    ATTRIBUTE_RIDE,
    ATTRIBUTE_FILLS,
    NUM_ATTRIBUTES
};

extern const char *const attribute_names[NUM_ATTRIBUTES];

/* Of `bars` bars on the grid (data/music/grid.h), [16 * bars, 9] each. NaN for what the music does not have: swing without an
 * off-beat, push without a hit on a beat, ride without ride and hi-hats, and all but density and syncopation without a hit. */
void attributes_measure(double values[NUM_ATTRIBUTES], const uint8_t *hits, const uint8_t *velocity,
                        const float *offset, uint32_t bars);

#endif
