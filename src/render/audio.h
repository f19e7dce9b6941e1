/* Drumming as audio: a MIDI file's notes played by FluidSynth with a sound font, as WAV or Ogg Vorbis through libsndfile.
 *
 * The tempo map is kept: an onset sounds at its written time, up to the 64 frames (1.5 ms) in which FluidSynth works. The
 * same notes, sound font and libraries give the same bytes. */
#ifndef DRUMLINE_RENDER_AUDIO_H
#define DRUMLINE_RENDER_AUDIO_H

#include "base/error.h"
#include "data/midi/midi.h"
#include "render/bytes.h"

enum {
    AUDIO_RATE = 44100,          /* frames per second */
    AUDIO_CHANNELS = 2,          /* left, right */
    AUDIO_LONGEST = 2 * 60 * 60, /* seconds of one file */
};

enum audio_format { AUDIO_WAV, AUDIO_OGG }; /* 16-bit PCM; Vorbis */

struct audio {
    float *frames; /* [num_frames, AUDIO_CHANNELS], owned; -1 to 1 */
    size_t num_frames;
};

/* Whether audio can be made: this build knows FluidSynth and libsndfile, and they are installed. */
bool audio_available(void);

/* A synthesizer with a sound font. It serves one thread at a time. */
struct audio_renderer;

/* `soundfont` is an SF2 or SF3 file; NULL: $DRUMLINE_SOUNDFONT, else the first General MIDI sound font in the places where
 * distributions put them. NULL with the error set where there is none, it can't be read, or there is no FluidSynth. */
struct audio_renderer *audio_renderer_make(const char *soundfont, struct error *error);
void audio_renderer_free(struct audio_renderer *renderer);

/* Plays the file's onsets on the drum channel, to `end_tick` and `tail` seconds more, in which the last notes die away: exactly
 * round((end + tail) * AUDIO_RATE) frames. Where it would clip, all of it is made quieter. `audio` is the caller's
 * (audio_free), empty on failure: too long, or no memory. */
bool audio_render(struct audio *audio, struct audio_renderer *renderer, const struct midi *midi, double tail,
                  struct error *error);
void audio_free(struct audio *audio);

/* The whole file in memory; `out` is the caller's, empty on failure. */
bool audio_encode(struct render_bytes *out, const struct audio *audio, enum audio_format format, struct error *error);

#endif
