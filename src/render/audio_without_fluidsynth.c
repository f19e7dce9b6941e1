/* Where the headers of FluidSynth or libsndfile were not found at build time. */
#include "render/audio.h"

bool audio_available(void)
{
    return false;
}

static bool refuse(struct error *error)
{
    return error_set(error, "this build makes no audio: install FluidSynth and libsndfile (Debian: libfluidsynth-dev "
                            "libsndfile1-dev) and build again");
}

struct audio_renderer *audio_renderer_make(const char *soundfont, struct error *error)
{
    (void)soundfont;
    refuse(error);
    return NULL;
}

void audio_renderer_free(struct audio_renderer *renderer)
{
    (void)renderer;
}

bool audio_render(struct audio *audio, struct audio_renderer *renderer, const struct midi *midi, double tail,
                  struct error *error)
{
    (void)renderer, (void)midi, (void)tail;
    *audio = (struct audio){0};
    return refuse(error);
}

void audio_free(struct audio *audio)
{
    *audio = (struct audio){0};
}

bool audio_encode(struct render_bytes *out, const struct audio *audio, enum audio_format format, struct error *error)
{
    (void)audio, (void)format;
    *out = (struct render_bytes){0};
    return refuse(error);
}
