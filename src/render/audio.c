#include "render/audio.h"

#include "base/io/files.h"
#include "base/text.h"
#include "render/library.h"

#include <fluidsynth.h>
#include <sndfile.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double gain = 0.6, loudest = 0.97;

/* The functions of FluidSynth that are used. */
#define FLUIDSYNTH_FUNCTIONS(USE)                                                                                      \
    USE(delete_fluid_settings)                                                                                         \
    USE(delete_fluid_synth)                                                                                            \
    USE(fluid_is_soundfont)                                                                                            \
    USE(fluid_set_log_function)                                                                                        \
    USE(fluid_settings_setint)                                                                                         \
    USE(fluid_settings_setnum)                                                                                         \
    USE(fluid_synth_noteoff)                                                                                           \
    USE(fluid_synth_noteon)                                                                                            \
    USE(fluid_synth_sfload)                                                                                            \
    USE(fluid_synth_write_float)                                                                                       \
    USE(new_fluid_settings)                                                                                            \
    USE(new_fluid_synth)

struct fluidsynth {
#define DECLARE(name) __typeof__(&name) name;
    FLUIDSYNTH_FUNCTIONS(DECLARE)
#undef DECLARE
};

static bool load_fluidsynth(struct fluidsynth *lib, struct error *error)
{
#define SYMBOL(name) {#name, &lib->name},
    const struct library_symbol symbols[] = {FLUIDSYNTH_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    return library_load("libfluidsynth.so.3", "libfluidsynth3", symbols, sizeof symbols / sizeof *symbols, error);
}

/* The functions of libsndfile that are used. */
#define SNDFILE_FUNCTIONS(USE)                                                                                         \
    USE(sf_close)                                                                                                      \
    USE(sf_command)                                                                                                    \
    USE(sf_open_virtual)                                                                                               \
    USE(sf_writef_float)

struct sndfile {
#define DECLARE(name) __typeof__(&name) name;
    SNDFILE_FUNCTIONS(DECLARE)
#undef DECLARE
};

static bool load_sndfile(struct sndfile *lib, struct error *error)
{
#define SYMBOL(name) {#name, &lib->name},
    const struct library_symbol symbols[] = {SNDFILE_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    return library_load("libsndfile.so.1", "libsndfile1", symbols, sizeof symbols / sizeof *symbols, error);
}

/* Every file gets a synthesizer of its own: one that has played before starts with another state of its reverb and dither.
 * `keeper` plays nothing; while it has the font, FluidSynth shares the font's samples with the others. */
struct audio_renderer {
    struct fluidsynth lib;
    fluid_settings_t *settings;
    fluid_synth_t *keeper;
    char *font;
};

struct event {
    uint32_t tick;
    uint8_t pitch, velocity; /* velocity 0: note off */
};

static const char *const font_places[] = {
    "/usr/share/sounds/sf2/default-GM.sf2",    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf2/TimGM6mb.sf2",      "/usr/share/sounds/sf3/default-GM.sf3",
    "/usr/share/soundfonts/default.sf2",       "/usr/share/soundfonts/FluidR3_GM.sf2",
    "/usr/local/share/soundfonts/default.sf2", "/opt/homebrew/share/soundfonts/default.sf2",
};

bool audio_available(void)
{
    struct fluidsynth fluidsynth;
    struct sndfile sndfile;
    struct error ignored;
    return load_fluidsynth(&fluidsynth, &ignored) && load_sndfile(&sndfile, &ignored);
}

static const char *find_font(const struct fluidsynth *lib, const char *soundfont, struct error *error)
{
    if (!soundfont || !*soundfont)
        soundfont = getenv("DRUMLINE_SOUNDFONT");
    if (soundfont && *soundfont) {
        if (!file_exists(soundfont))
            return error_set(error, "%s: no such sound font", soundfont), NULL;
        if (!lib->fluid_is_soundfont(soundfont))
            return error_set(error, "%s: is not a sound font (SF2 or SF3)", soundfont), NULL;
        return soundfont;
    }
    for (size_t i = 0; i < sizeof font_places / sizeof *font_places; i++)
        if (file_exists(font_places[i]) && lib->fluid_is_soundfont(font_places[i]))
            return font_places[i];
    error_set(error,
              "no sound font was found: give one with --soundfont or DRUMLINE_SOUNDFONT, or install one (Debian: "
              "timgm6mb-soundfont or fluid-soundfont-gm)");
    return NULL;
}

static void be_quiet(int level, const char *message, void *data)
{
    (void)level, (void)message, (void)data;
}

/* NULL where there is no memory or the font can't be read. */
static fluid_synth_t *make_synth(const struct audio_renderer *renderer)
{
    fluid_synth_t *synth = renderer->lib.new_fluid_synth(renderer->settings);
    if (synth && renderer->lib.fluid_synth_sfload(synth, renderer->font, 1) == FLUID_FAILED) {
        renderer->lib.delete_fluid_synth(synth);
        synth = NULL;
    }
    return synth;
}

struct audio_renderer *audio_renderer_make(const char *soundfont, struct error *error)
{
    struct fluidsynth lib;
    if (!load_fluidsynth(&lib, error))
        return NULL;
    for (int level = 0; level < LAST_LOG_LEVEL; level++)
        lib.fluid_set_log_function(level, be_quiet, NULL);
    const char *font = find_font(&lib, soundfont, error);
    struct audio_renderer *renderer = font ? calloc(1, sizeof *renderer) : NULL;
    if (!renderer)
        return font ? (error_set(error, "out of memory for the synthesizer"), NULL) : NULL;
    renderer->lib = lib;
    renderer->font = format_text("%s", font);
    renderer->settings = renderer->lib.new_fluid_settings();
    if (renderer->settings) {
        renderer->lib.fluid_settings_setnum(renderer->settings, "synth.sample-rate", AUDIO_RATE);
        renderer->lib.fluid_settings_setnum(renderer->settings, "synth.gain", gain);
        renderer->lib.fluid_settings_setint(renderer->settings, "synth.chorus.active", 0);
        renderer->lib.fluid_settings_setint(renderer->settings, "synth.cpu-cores", 1);
        renderer->lib.fluid_settings_setint(renderer->settings, "synth.polyphony", 512);
        renderer->lib.fluid_settings_setint(renderer->settings, "synth.lock-memory", 0);
        renderer->keeper = make_synth(renderer);
    }
    if (renderer->keeper)
        return renderer;
    error_set(error, "%s: FluidSynth can't read this sound font, or there is no memory for it", font);
    audio_renderer_free(renderer);
    return NULL;
}

void audio_renderer_free(struct audio_renderer *renderer)
{
    if (!renderer)
        return;
    if (renderer->keeper)
        renderer->lib.delete_fluid_synth(renderer->keeper);
    if (renderer->settings)
        renderer->lib.delete_fluid_settings(renderer->settings);
    free(renderer->font);
    free(renderer);
}

/* A place in the tempo map that moves on with the ticks. */
struct tempo_cursor {
    const struct midi *midi;
    size_t next; /* of midi->tempos */
    uint32_t tick;
    double seconds, microseconds_per_quarter;
};

/* Seconds from the beginning to `tick`, which must not lie before those asked for earlier. */
static double seconds_at(struct tempo_cursor *cursor, uint32_t tick)
{
    const struct midi *midi = cursor->midi;
    double scale = 1e-6 / midi->ppq;
    for (; cursor->next < midi->num_tempos && midi->tempos[cursor->next].tick <= tick; cursor->next++) {
        const struct midi_tempo *tempo = &midi->tempos[cursor->next];
        cursor->seconds += (tempo->tick - cursor->tick) * cursor->microseconds_per_quarter * scale;
        cursor->tick = tempo->tick;
        cursor->microseconds_per_quarter = tempo->microseconds_per_quarter;
    }
    return cursor->seconds + (tick - cursor->tick) * cursor->microseconds_per_quarter * scale;
}

static struct tempo_cursor first_tempo(const struct midi *midi)
{
    return (struct tempo_cursor){.midi = midi, .microseconds_per_quarter = MIDI_DEFAULT_TEMPO};
}

/* By tick; at the same tick ends before beginnings, so that a repeated note sounds again. */
static int compare_events(const void *left, const void *right)
{
    const struct event *a = left, *b = right;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    if (!a->velocity != !b->velocity)
        return a->velocity ? 1 : -1;
    return a->pitch < b->pitch ? -1 : a->pitch > b->pitch;
}

/* A note on for every onset and its end a sixteenth later, as our files have them: [2 * num_onsets], the caller's. */
static struct event *list_events(const struct midi *midi)
{
    struct event *events = calloc(2 * midi->num_onsets + 1, sizeof *events);
    uint32_t sixteenth = midi->ppq / 4 > 0 ? midi->ppq / 4 : 1;
    for (size_t i = 0; events && i < midi->num_onsets; i++) {
        const struct midi_onset *onset = &midi->onsets[i];
        uint32_t end = onset->tick < UINT32_MAX - sixteenth ? onset->tick + sixteenth : UINT32_MAX;
        events[2 * i] = (struct event){onset->tick, onset->pitch, onset->velocity};
        events[2 * i + 1] = (struct event){end, onset->pitch, 0};
    }
    if (events)
        qsort(events, 2 * midi->num_onsets, sizeof *events, compare_events);
    return events;
}

static void play(const struct fluidsynth *lib, fluid_synth_t *synth, struct audio *audio, const struct midi *midi,
                 const struct event *events, size_t num_events)
{
    size_t done = 0;
    struct tempo_cursor cursor = first_tempo(midi);
    for (size_t i = 0; i <= num_events; i++) {
        double seconds = i < num_events ? seconds_at(&cursor, events[i].tick) : 0;
        size_t until = i < num_events ? (size_t)llround(seconds * AUDIO_RATE) : audio->num_frames;
        until = until > audio->num_frames ? audio->num_frames : until;
        for (size_t count; done < until; done += count) {
            float *frames = audio->frames + done * AUDIO_CHANNELS;
            count = until - done < (1 << 20) ? until - done : 1 << 20;
            lib->fluid_synth_write_float(synth, (int)count, frames, 0, AUDIO_CHANNELS, frames, 1, AUDIO_CHANNELS);
        }
        if (i < num_events && events[i].velocity)
            lib->fluid_synth_noteon(synth, MIDI_DRUM_CHANNEL, events[i].pitch, events[i].velocity);
        else if (i < num_events)
            lib->fluid_synth_noteoff(synth, MIDI_DRUM_CHANNEL, events[i].pitch);
    }
}

static void keep_from_clipping(struct audio *audio)
{
    float peak = 0.0f;
    for (size_t i = 0; i < audio->num_frames * AUDIO_CHANNELS; i++)
        peak = fmaxf(peak, fabsf(audio->frames[i]));
    if (!((double)peak > loudest))
        return;
    float scale = (float)(loudest / (double)peak);
    for (size_t i = 0; i < audio->num_frames * AUDIO_CHANNELS; i++)
        audio->frames[i] *= scale;
}

bool audio_render(struct audio *audio, struct audio_renderer *renderer, const struct midi *midi, double tail,
                  struct error *error)
{
    struct tempo_cursor cursor = first_tempo(midi);
    double seconds = seconds_at(&cursor, midi->end_tick) + tail;
    *audio = (struct audio){0};
    if (!(seconds <= AUDIO_LONGEST))
        return error_set(error, "too long for audio: %.0f s, at most %d", seconds, AUDIO_LONGEST);
    audio->num_frames = (size_t)llround(seconds * AUDIO_RATE);
    audio->frames = calloc(audio->num_frames * AUDIO_CHANNELS + 1, sizeof *audio->frames);
    struct event *events = list_events(midi);
    fluid_synth_t *synth = make_synth(renderer);
    bool ok = (audio->frames && events && synth) || error_set(error, "out of memory for %.0f s of audio", seconds);
    if (ok) {
        play(&renderer->lib, synth, audio, midi, events, 2 * midi->num_onsets);
        keep_from_clipping(audio);
    } else {
        audio_free(audio);
    }
    if (synth)
        renderer->lib.delete_fluid_synth(synth);
    free(events);
    return ok;
}

void audio_free(struct audio *audio)
{
    free(audio->frames);
    *audio = (struct audio){0};
}

/* A file in memory for libsndfile. */
struct memory_file {
    struct render_bytes *bytes;
    size_t at;
};

static sf_count_t memory_length(void *data)
{
    return (sf_count_t)((struct memory_file *)data)->bytes->size;
}

static sf_count_t memory_seek(sf_count_t offset, int whence, void *data)
{
    struct memory_file *file = data;
    sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (sf_count_t)file->at : memory_length(data);
    if (base + offset >= 0)
        file->at = (size_t)(base + offset);
    return (sf_count_t)file->at;
}

static sf_count_t memory_read(void *to, sf_count_t count, void *data)
{
    struct memory_file *file = data;
    size_t left = file->at < file->bytes->size ? file->bytes->size - file->at : 0;
    size_t taken = (size_t)count < left ? (size_t)count : left;
    memcpy(to, file->bytes->data + file->at, taken);
    file->at += taken;
    return (sf_count_t)taken;
}

static sf_count_t memory_write(const void *from, sf_count_t count, void *data)
{
    struct memory_file *file = data;
    if (!render_bytes_put(file->bytes, file->at, from, (size_t)count))
        return 0;
    file->at += (size_t)count;
    return count;
}

static sf_count_t memory_tell(void *data)
{
    return (sf_count_t)((struct memory_file *)data)->at;
}

/* Ogg's checksum (RFC 3533): the polynomial 0x04c11db7, most significant bit first, from 0. */
static uint32_t ogg_checksum(const uint8_t *bytes, size_t size)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum ^= (uint32_t)bytes[i] << 24;
        for (int bit = 0; bit < 8; bit++)
            sum = sum & 0x80000000u ? sum << 1 ^ 0x04c11db7u : sum << 1;
    }
    return sum;
}

static void put_uint32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

/* libsndfile draws the stream's serial number by the clock: every page gets 1 in its place, so that the bytes repeat. */
static bool ogg_fix_serial(struct render_bytes *bytes)
{
    enum { HEADER = 27, SERIAL = 14, CHECKSUM = 22, SEGMENTS = 26 };
    size_t at = 0;
    while (at + HEADER <= bytes->size) {
        uint8_t *page = bytes->data + at;
        size_t size = HEADER + (size_t)page[SEGMENTS];
        if (memcmp(page, "OggS", 4) != 0 || at + size > bytes->size)
            return false;
        for (int i = 0; i < page[SEGMENTS]; i++)
            size += page[HEADER + i];
        if (at + size > bytes->size)
            return false;
        put_uint32(page + SERIAL, 1);
        put_uint32(page + CHECKSUM, 0);
        put_uint32(page + CHECKSUM, ogg_checksum(page, size));
        at += size;
    }
    return at == bytes->size;
}

/* libsndfile's Vorbis encoder uses much stack for long writes, so the frames go in pieces. */
static bool write_frames(const struct sndfile *lib, SNDFILE *file, const struct audio *audio)
{
    enum { PIECE = 4096 };
    for (size_t done = 0; done < audio->num_frames; done += PIECE) {
        size_t count = audio->num_frames - done < PIECE ? audio->num_frames - done : PIECE;
        if (lib->sf_writef_float(file, audio->frames + done * AUDIO_CHANNELS, (sf_count_t)count) != (sf_count_t)count)
            return false;
    }
    return true;
}

bool audio_encode(struct render_bytes *out, const struct audio *audio, enum audio_format format, struct error *error)
{
    SF_VIRTUAL_IO io = {memory_length, memory_seek, memory_read, memory_write, memory_tell};
    SF_INFO info = {.samplerate = AUDIO_RATE,
                    .channels = AUDIO_CHANNELS,
                    .format =
                        format == AUDIO_WAV ? SF_FORMAT_WAV | SF_FORMAT_PCM_16 : SF_FORMAT_OGG | SF_FORMAT_VORBIS};
    struct memory_file memory = {.bytes = out};
    struct sndfile lib;
    *out = (struct render_bytes){0};
    if (!load_sndfile(&lib, error))
        return false;
    SNDFILE *file = lib.sf_open_virtual(&io, SFM_WRITE, &info, &memory);
    bool ok = file != NULL;
    if (ok) {
        lib.sf_command(file, SFC_SET_CLIPPING, NULL, SF_TRUE);
        ok = write_frames(&lib, file, audio);
        ok = lib.sf_close(file) == 0 && ok;
    }
    ok = ok && (format != AUDIO_OGG || ogg_fix_serial(out));
    if (!ok) {
        render_bytes_free(out);
        error_set(error, "can't encode the audio as %s", format == AUDIO_WAV ? "WAV" : "Ogg Vorbis");
    }
    return ok;
}
