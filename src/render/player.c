#include "render/player.h"

#include "base/clock.h"
#include "base/text.h"
#include "render/library.h"

#include <alsa/asoundlib.h>

#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { NUM_STOPS = 2 };
static const int stops[NUM_STOPS] = {SIGINT, SIGTERM};

/* The signal that came; 0: none. A handler has no argument of ours, and may run on any of the process's threads. */
static atomic_int stopped_by;

/* Samples go to the device a piece at a time, and between two of them signals are looked for. */
enum { PIECE = 1024, LATENCY_MICROSECONDS = 100000, WAIT_MILLISECONDS = 100, MOST_RECOVERIES = 100 };

/* A device that takes nothing for so long, and in so many waits, fails. Waits alone don't say it, as they may end early; nor does
 * the clock alone, as this process may have been stopped. */
enum { MOST_SECONDS = 10, MOST_WAITS = MOST_SECONDS * 1000 / WAIT_MILLISECONDS };

/* Since the device last took frames. */
struct standstill {
    double since; /* clock_seconds() */
    int waits, recoveries;
};

/* The functions of ALSA's library that are used. */
#define ALSA_FUNCTIONS(USE)                                                                                            \
    USE(snd_lib_error_set_handler)                                                                                     \
    USE(snd_pcm_close)                                                                                                 \
    USE(snd_pcm_drop)                                                                                                  \
    USE(snd_pcm_get_params)                                                                                            \
    USE(snd_pcm_open)                                                                                                  \
    USE(snd_pcm_prepare)                                                                                               \
    USE(snd_pcm_recover)                                                                                               \
    USE(snd_pcm_set_params)                                                                                            \
    USE(snd_pcm_wait)                                                                                                  \
    USE(snd_pcm_writei)                                                                                                \
    USE(snd_strerror)

struct alsa {
#define DECLARE(name) __typeof__(&name) name;
    ALSA_FUNCTIONS(DECLARE)
#undef DECLARE
};

static bool load_alsa(struct alsa *lib, struct error *error)
{
#define SYMBOL(name) {#name, &lib->name},
    const struct library_symbol symbols[] = {ALSA_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    return library_load("libasound.so.2", "libasound2", symbols, sizeof symbols / sizeof *symbols, error);
}

struct audio_player {
    struct alsa lib;
    snd_pcm_t *pcm;
    snd_pcm_uframes_t buffer; /* frames that the device holds before they are heard */
    char *device;
    struct sigaction before[NUM_STOPS]; /* what the signals did before it was opened */
};

static void note_signal(int number)
{
    atomic_store(&stopped_by, number);
}

static void catch_signals(struct audio_player *player)
{
    struct sigaction action = {.sa_handler = note_signal};
    sigemptyset(&action.sa_mask);
    atomic_store(&stopped_by, 0);
    for (int i = 0; i < NUM_STOPS; i++) {
        sigaction(stops[i], NULL, &player->before[i]);
        if (player->before[i].sa_handler != SIG_IGN)
            sigaction(stops[i], &action, NULL);
    }
}

/* ALSA prints its complaints on standard error; what is returned says what matters of them. */
static void be_quiet(const char *file, int line, const char *function, int number, const char *format, ...)
{
    (void)file, (void)line, (void)function, (void)number, (void)format;
}

/* Always fails. */
static bool refuse_device(const struct alsa *lib, const char *device, int number, struct error *error)
{
    const char *why = number == -ENOENT || number == -ENODEV || number == -ENXIO ? "there is no such device"
                      : number == -EBUSY                                         ? "another program is using it"
                      : number == -EACCES || number == -EPERM ? "you may not use it; is the user in the group audio?"
                                                              : lib->snd_strerror(number);
    return error_set(error, "can't open the audio device '%s': %s", device, why);
}

/* Mixers and sound servers convert to what the device has; a bare one ("hw:0") may refuse. */
static bool set_up(struct audio_player *player, struct error *error)
{
    snd_pcm_uframes_t period;
    int number = player->lib.snd_pcm_set_params(player->pcm, SND_PCM_FORMAT_S16, SND_PCM_ACCESS_RW_INTERLEAVED,
                                                AUDIO_CHANNELS, AUDIO_RATE, 1, LATENCY_MICROSECONDS);
    if (number >= 0)
        number = player->lib.snd_pcm_get_params(player->pcm, &player->buffer, &period);
    return number >= 0 || error_set(error,
                                    "the audio device '%s' can't play 16-bit stereo at %d Hz: %s; a device named "
                                    "plughw:... converts",
                                    player->device, AUDIO_RATE, player->lib.snd_strerror(number));
}

struct audio_player *audio_player_open(const char *device, struct error *error)
{
    struct alsa lib;
    if (!load_alsa(&lib, error))
        return NULL;
    struct audio_player *player = calloc(1, sizeof *player);
    if (!player)
        return error_set(error, "out of memory for the audio device"), NULL;
    player->lib = lib;
    player->device = format_text("%s", device);
    lib.snd_lib_error_set_handler(be_quiet);
    catch_signals(player);
    int number = lib.snd_pcm_open(&player->pcm, device, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK);
    if (number < 0) {
        player->pcm = NULL;
        refuse_device(&lib, device, number, error);
    } else if (set_up(player, error)) {
        return player;
    }
    audio_player_close(player);
    return NULL;
}

void audio_player_close(struct audio_player *player)
{
    if (!player)
        return;
    if (player->pcm)
        player->lib.snd_pcm_close(player->pcm);
    player->lib.snd_lib_error_set_handler(NULL);
    for (int i = 0; i < NUM_STOPS; i++)
        sigaction(stops[i], &player->before[i], NULL);
    free(player->device);
    free(player);
}

/* Frames [from, from + count) as 16-bit samples; silence behind the end. */
static void convert(int16_t *samples, const struct audio *audio, size_t from, size_t count)
{
    for (size_t i = 0; i < count * AUDIO_CHANNELS; i++) {
        size_t at = from * AUDIO_CHANNELS + i;
        float value = at < audio->num_frames * AUDIO_CHANNELS ? audio->frames[at] : 0.0f;
        samples[i] = (int16_t)lrintf(fmaxf(-1.0f, fminf(1.0f, value)) * 32767.0f);
    }
}

/* Always fails. */
static bool report_failure(const struct audio_player *player, int number, struct error *error)
{
    return error_set(error, "the audio device '%s' fails: %s", player->device, player->lib.snd_strerror(number));
}

/* Waits until the device takes more. */
static bool wait_for_room(const struct audio_player *player, struct standstill *standstill, struct error *error)
{
    int number = player->lib.snd_pcm_wait(player->pcm, WAIT_MILLISECONDS);
    if (++standstill->waits >= MOST_WAITS && clock_seconds() - standstill->since >= MOST_SECONDS)
        return error_set(error, "the audio device '%s' has taken nothing for %d s", player->device, MOST_SECONDS);
    if (number < 0 && number != -EINTR &&
        (++standstill->recoveries > MOST_RECOVERIES ||
         (number = player->lib.snd_pcm_recover(player->pcm, number, 1)) < 0))
        return report_failure(player, number, error);
    return true;
}

/* Frames that the device took, which may be 0; -1 with the error set where it fails. One that ran empty, for this process was
 * late, goes on. */
static long write_piece(const struct audio_player *player, const int16_t *samples, size_t count,
                        struct standstill *standstill, struct error *error)
{
    snd_pcm_sframes_t taken = player->lib.snd_pcm_writei(player->pcm, samples, count);
    if (taken >= 0)
        return taken;
    if (taken == -EAGAIN)
        return 0;
    int number = ++standstill->recoveries > MOST_RECOVERIES ? (int)taken
                                                            : player->lib.snd_pcm_recover(player->pcm, (int)taken, 1);
    if (number < 0)
        return report_failure(player, number, error), -1;
    return 0;
}

int audio_player_signal(const struct audio_player *player)
{
    (void)player;
    return atomic_load(&stopped_by);
}

bool audio_player_play(struct audio_player *player, const struct audio *audio, struct error *error)
{
    int16_t samples[PIECE * AUDIO_CHANNELS];
    /* Silence behind it: once the device has taken as much as it holds, the audio before it has been heard. */
    size_t done = 0, end = audio->num_frames + player->buffer;
    struct standstill standstill = {.since = clock_seconds()};
    int number = player->lib.snd_pcm_prepare(player->pcm);
    bool ok = number >= 0 || report_failure(player, number, error);
    while (ok && atomic_load(&stopped_by) == 0 && done < end) {
        size_t count = end - done < PIECE ? end - done : PIECE;
        convert(samples, audio, done, count);
        long taken = write_piece(player, samples, count, &standstill, error);
        ok = taken >= 0;
        if (taken > 0) {
            done += (size_t)taken;
            standstill = (struct standstill){.since = clock_seconds()};
        } else if (ok) {
            ok = wait_for_room(player, &standstill, error);
        }
    }
    player->lib.snd_pcm_drop(player->pcm);
    return ok;
}
