/* An audio device that plays what was rendered, through ALSA: the sound card, or PipeWire or PulseAudio where they are its
 * default device, as they are on a desktop.
 *
 * From audio_player_open to audio_player_close SIGINT and SIGTERM stop what is played, and end nothing else; where they were
 * ignored before, they stay so. One player at a time. */
#ifndef DRUMLINE_RENDER_PLAYER_H
#define DRUMLINE_RENDER_PLAYER_H

#include "base/error.h"
#include "render/audio.h"

#define AUDIO_PLAYER_DEFAULT "default"

struct audio_player;

/* `device` is a name of ALSA's: AUDIO_PLAYER_DEFAULT, "plughw:1", ... NULL with the error set where there is no such device, it
 * is in use or takes no 16-bit stereo at AUDIO_RATE, or there is no ALSA. */
struct audio_player *audio_player_open(const char *device, struct error *error);

/* Plays it to the end, or until a signal stops it: at once, without what the device had still to play. Fails where the device
 * fails or takes nothing for ten seconds. */
bool audio_player_play(struct audio_player *player, const struct audio *audio, struct error *error);

/* The signal that came since the player was opened; 0: none. */
int audio_player_signal(const struct audio_player *player);

/* NULL: does nothing. */
void audio_player_close(struct audio_player *player);

#endif
