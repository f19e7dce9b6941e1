/* Audio: its length, its level, and where an onset detector of the test's own hears the notes. */
#include "render/audio.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>

#ifdef DRUMLINE_HAS_AUDIO
#include <sndfile.h>

enum { SNARE = 38, CRASH = 49 };

/* Eight snares, a beat apart at 120 a minute, the last four at 240: at 0, 0.5, 1, 1.5, 2, 2.25, 2.5, 2.75 s; ends at 3 s. */
static struct midi_onset onsets[] = {
    {0,    9, SNARE, 100},
    {480,  9, SNARE, 100},
    {960,  9, SNARE, 100},
    {1440, 9, SNARE, 100},
    {1920, 9, SNARE, 100},
    {2400, 9, SNARE, 100},
    {2880, 9, SNARE, 100},
    {3360, 9, SNARE, 100}
};
static struct midi_tempo tempos[] = {
    {0,    500000},
    {1920, 250000}
};
static const double times[] = {0, 0.5, 1, 1.5, 2, 2.25, 2.5, 2.75};
enum { NUM_NOTES = 8 };

static struct midi eight_snares(void)
{
    return (struct midi){
        .ppq = 480, .end_tick = 3840, .onsets = onsets, .num_onsets = NUM_NOTES, .tempos = tempos, .num_tempos = 2};
}

/* NULL, and the test is skipped, where no sound font is installed. */
static struct audio_renderer *renderer_or_skip(void)
{
    struct error error;
    struct audio_renderer *renderer = audio_renderer_make(NULL, &error);
    if (!renderer && strstr(error.message, "no sound font was found")) {
        print_message("skipped: %s\n", error.message);
        skip();
    }
    assert_non_null(renderer);
    return renderer;
}

static float level(const struct audio *audio, size_t from, size_t count)
{
    float most = 0.0f;
    for (size_t i = from * AUDIO_CHANNELS;
         i < (from + count) * AUDIO_CHANNELS && i < audio->num_frames * AUDIO_CHANNELS; i++)
        most = fmaxf(most, fabsf(audio->frames[i]));
    return most;
}

/* The frame at which the level first rises to a fifth of the file's peak after a tenth of a second below that; from `from`. */
static size_t next_onset(const struct audio *audio, size_t from, float peak)
{
    enum { BLOCK = 16 };
    for (size_t at = from; at < audio->num_frames; at += BLOCK)
        if (level(audio, at, BLOCK) > 0.2f * peak)
            return at;
    return audio->num_frames;
}

static void notes_are_heard_at_their_times(void **state)
{
    (void)state;
    struct audio_renderer *renderer = renderer_or_skip();
    struct midi midi = eight_snares();
    struct audio audio;
    struct error error;
    assert_ok(audio_render(&audio, renderer, &midi, 1.25, &error), error);
    assert_int_equal(audio.num_frames, (size_t)(4.25 * AUDIO_RATE));
    float peak = level(&audio, 0, audio.num_frames);
    assert_true(peak > 0.05f && peak <= 0.98f);
    for (int i = 0; i < NUM_NOTES; i++) {
        size_t from = (size_t)(fmax(0, times[i] - 0.02) * AUDIO_RATE);
        double heard = (double)next_onset(&audio, from, peak) / AUDIO_RATE;
        if (!(heard >= times[i] && heard <= times[i] + 0.006))
            fail_msg("note %d of %.3f s is heard at %.4f s", i, times[i], heard);
    }
    audio_free(&audio);
    audio_renderer_free(renderer);
}

static void nothing_clips(void **state)
{
    (void)state;
    struct audio_renderer *renderer = renderer_or_skip();
    struct midi_onset many[64];
    for (int i = 0; i < 64; i++)
        many[i] = (struct midi_onset){(uint32_t)(i / 8) * 10, 9, (uint8_t)(CRASH - i % 8), 127};
    struct midi midi = {.ppq = 480, .end_tick = 480, .onsets = many, .num_onsets = 64};
    struct audio audio;
    struct error error;
    assert_ok(audio_render(&audio, renderer, &midi, 0.5, &error), error);
    float peak = level(&audio, 0, audio.num_frames);
    assert_true(peak > 0.9f && peak <= 0.98f);
    audio_free(&audio);
    audio_renderer_free(renderer);
}

static sf_count_t count_frames(const struct render_bytes *bytes)
{
    char path[] = "/tmp/drumline-audio-XXXXXX";
    int descriptor = mkstemp(path);
    FILE *file = fdopen(descriptor, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes->data, 1, bytes->size, file), bytes->size);
    assert_int_equal(fclose(file), 0);
    SF_INFO info = {0};
    SNDFILE *sound = sf_open(path, SFM_READ, &info);
    if (!sound)
        fail_msg("%s", sf_strerror(NULL));
    assert_int_equal(info.samplerate, AUDIO_RATE);
    assert_int_equal(info.channels, AUDIO_CHANNELS);
    float frames[2 * 512];
    sf_count_t all = 0;
    for (sf_count_t got; (got = sf_readf_float(sound, frames, 512)) > 0;)
        all += got;
    sf_close(sound);
    remove(path);
    return all;
}

static void files_repeat_and_are_read(void **state)
{
    (void)state;
    struct audio_renderer *renderer = renderer_or_skip();
    struct midi midi = eight_snares();
    for (int format = AUDIO_WAV; format <= AUDIO_OGG; format++) {
        struct render_bytes files[2];
        for (int i = 0; i < 2; i++) {
            struct audio audio;
            struct error error;
            assert_ok(audio_render(&audio, renderer, &midi, 0, &error), error);
            assert_ok(audio_encode(&files[i], &audio, (enum audio_format)format, &error), error);
            audio_free(&audio);
        }
        assert_int_equal(files[0].size, files[1].size);
        assert_memory_equal(files[0].data, files[1].data, files[0].size);
        assert_int_equal(count_frames(&files[0]), 3 * AUDIO_RATE);
        render_bytes_free(&files[0]);
        render_bytes_free(&files[1]);
    }
    audio_renderer_free(renderer);
}

static void what_is_refused(void **state)
{
    (void)state;
    struct error error;
    assert_true(audio_available());
    assert_fails(audio_renderer_make("/nowhere.sf2", &error), error, "/nowhere.sf2: no such sound font");
    assert_fails(audio_renderer_make("/etc/passwd", &error), error, "/etc/passwd: is not a sound font");
    struct audio_renderer *renderer = renderer_or_skip();
    struct midi_tempo slow = {0, 16777215};
    struct midi midi = {.ppq = 1, .end_tick = UINT32_MAX, .tempos = &slow, .num_tempos = 1};
    struct audio audio;
    assert_fails(audio_render(&audio, renderer, &midi, 0, &error), error, "too long for audio");
    audio_renderer_free(renderer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_are_heard_at_their_times),
        cmocka_unit_test(nothing_clips),
        cmocka_unit_test(files_repeat_and_are_read),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
static void says_what_to_install(void **state)
{
    (void)state;
    struct error error;
    assert_false(audio_available());
    assert_fails(audio_renderer_make(NULL, &error), error, "libfluidsynth-dev");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_to_install)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
