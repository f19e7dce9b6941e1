#include "programs/common/playback.h"

#include "base/log.h"
#include "programs/common/renderings.h"

#include <signal.h>

bool playback_start(struct playback *playback, const char *device, const char *soundfont, struct error *error)
{
    *playback = (struct playback){.renderer = audio_renderer_make(soundfont, error)};
    if (playback->renderer)
        playback->player = audio_player_open(device, error);
    if (playback->player)
        return true;
    if (playback->renderer)
        error_append(error, "; --wav, in place of --play, writes audio files");
    audio_renderer_free(playback->renderer);
    return error_prefix(error, "--play");
}

bool playback_play(struct playback *playback, const struct midi *midi, const char *path, struct error *error)
{
    struct audio audio;
    if (!audio_render(&audio, playback->renderer, midi, RENDERING_TAIL, error))
        return error_prefix(error, "--play: %s", path);
    log_info("playing %s, %.1f s (Ctrl-C stops)", path, (double)audio.num_frames / AUDIO_RATE);
    bool ok = audio_player_play(playback->player, &audio, error);
    audio_free(&audio);
    if (ok && playback_is_stopped(playback))
        log_info("stopped playing");
    return ok || error_prefix(error, "--play");
}

bool playback_is_stopped(const struct playback *playback)
{
    return audio_player_signal(playback->player) != 0;
}

void playback_finish(struct playback *playback)
{
    int signal_number = audio_player_signal(playback->player);
    audio_player_close(playback->player);
    audio_renderer_free(playback->renderer);
    if (signal_number != 0)
        raise(signal_number);
}
