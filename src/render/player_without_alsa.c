/* Where the headers of ALSA's library were not found at build time. */
#include "render/player.h"

static bool refuse(struct error *error)
{
    return error_set(error,
                     "this build plays no audio: install ALSA's library (Debian: libasound2-dev) and build again");
}

struct audio_player *audio_player_open(const char *device, struct error *error)
{
    (void)device;
    refuse(error);
    return NULL;
}

bool audio_player_play(struct audio_player *player, const struct audio *audio, struct error *error)
{
    (void)player, (void)audio;
    return refuse(error);
}

int audio_player_signal(const struct audio_player *player)
{
    (void)player;
    return 0;
}

void audio_player_close(struct audio_player *player)
{
    (void)player;
}
