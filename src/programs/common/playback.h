/* MIDI files played on an audio device, one after the other: --play of drumline-generate and drumline-info. */
#ifndef DRUMLINE_PROGRAMS_COMMON_PLAYBACK_H
#define DRUMLINE_PROGRAMS_COMMON_PLAYBACK_H

#include "render/audio.h"
#include "render/player.h"

struct playback {
    struct audio_renderer *renderer;
    struct audio_player *player;
};

/* Opens the device. `soundfont`: as for audio_renderer_make. Until playback_finish, SIGINT and SIGTERM stop what is played and
 * nothing else. On failure nothing is open. */
bool playback_start(struct playback *playback, const char *device, const char *soundfont, struct error *error);

/* Says what it plays, and plays it to the end, or until a signal comes. */
bool playback_play(struct playback *playback, const struct midi *midi, const char *path, struct error *error);

/* Whether a signal has come. */
bool playback_is_stopped(const struct playback *playback);

/* Closes the device. Where a signal came, the program then ends by that signal, so that a shell's loop ends too. */
void playback_finish(struct playback *playback);

#endif
