/* The music of a report, as drum rolls with players: samples and an interpolation; of a model that needs an input, what it makes
 * of a plain beat. */
#ifndef DRUMLINE_PROGRAMS_INFO_REPORT_MUSIC_H
#define DRUMLINE_PROGRAMS_INFO_REPORT_MUSIC_H

#include "run/run_model.h"

#include <stdio.h>

/* `soundfont` may be NULL: as audio_renderer_make finds one. Where there is no model, or no audio can be made, the page says so.
 * `latents` becomes what the model knows of its latent space, the caller's (latents_free); empty where it knows nothing, and may
 * be NULL. */
void report_put_music(FILE *out, const struct run_model_source *source, const char *soundfont, struct latents *latents);

#endif
