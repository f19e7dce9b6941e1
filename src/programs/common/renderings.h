/* Pictures and audio of one piece of drumming, written as files: what drumline-generate makes with each MIDI file and
 * drumline-info of one that it is given. */
#ifndef DRUMLINE_PROGRAMS_COMMON_RENDERINGS_H
#define DRUMLINE_PROGRAMS_COMMON_RENDERINGS_H

#include "base/error.h"
#include "data/music/grid.h"
#include "render/audio.h"
#include "render/drum_roll.h"

enum rendering { RENDERING_PNG, RENDERING_SVG, RENDERING_WAV, RENDERING_OGG, NUM_RENDERINGS };

/* "png", "svg", "wav", "ogg": the flag and the suffix. */
const char *rendering_name(enum rendering rendering);

static inline bool rendering_is_picture(enum rendering rendering)
{
    return rendering <= RENDERING_SVG;
}

/* Seconds of audio after the last bar, for cymbals to decay. */
#define RENDERING_TAIL 2.0

/* Draws the sheet into a new file, whole or not at all; an existing one is replaced. `rendering` is PNG or SVG. */
bool rendering_draw(const struct drum_roll_sheet *sheet, enum rendering rendering, const char *path,
                    struct error *error);

/* Plays the MIDI into a new file, whole or not at all; an existing one is replaced. `rendering` is WAV or OGG. */
bool rendering_play(struct audio_renderer *renderer, const struct midi *midi, enum rendering rendering,
                    const char *path, struct error *error);

#endif
