/* Damages a few sound MIDI files in some 20,000 ways, always the same ones, and takes each through reading and onto the
 * grid. What is looked for is what the sanitizers see, an abort, output from libsmf, and results out of their
 * ranges. */
#include "base/random.h"
#include "data/midi/drum_notes.h"
#include "data/midi/reader.h"
#include "data/music/grid.h"
#include "tests/data/drum_maps.h"
#include "tests/data/midi_bytes.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <stdlib.h>

enum { NUM_SEEDS = 3, MUTANTS_PER_SEED = 7000 };

static void plain_seed(struct midi_bytes *file)
{
    midi_bytes_start(file, 0, 1, 480);
    midi_bytes_start_track(file);
    PUT(file, 0, 0xff, 0x03, 5, 'd', 'r', 'u', 'm', 's');
    midi_bytes_tempo(file, 0, 500000);
    midi_bytes_time_signature(file, 0, 4, 2);
    for (int i = 0; i < 24; i++) {
        midi_bytes_note(file, 110 + (uint32_t)i, 9, 36 + i % 3 * 2, 40 + 3 * i);
        PUT(file, 30, 0x89, (uint8_t)(36 + i % 3 * 2), 64);
    }
    midi_bytes_end_track(file);
}

static void changing_seed(struct midi_bytes *file)
{
    midi_bytes_start(file, 1, 3, 96);
    midi_bytes_start_track(file);
    for (int i = 0; i < 6; i++) {
        midi_bytes_time_signature(file, i > 0 ? 700 : 0, 3 + i, 2 + i % 2);
        midi_bytes_tempo(file, 0, 400000 + 1000 * (uint32_t)i);
    }
    midi_bytes_end_track(file);
    for (int track = 0; track < 2; track++) {
        midi_bytes_start_track(file);
        PUT(file, 0, 0xc0, 5, 0, 0xb0, 7, 100, 0, 0xe0, 0, 64);
        for (int i = 0; i < 20; i++)
            midi_bytes_note(file, 150, track * 9, 38 + i, 100);
        midi_bytes_end_track(file);
    }
}

static void odd_seed(struct midi_bytes *file)
{
    midi_bytes_start(file, 1, 1, 25);
    PUT(file, 'X', 'X', 'X', 'X', 0, 0, 0, 2, 0, 0);
    midi_bytes_start_track(file);
    PUT(file, 0, 0xf0, 5, 0x7e, 0x7f, 9, 1, 0xf7, 0, 0xf7, 2, 0xf3, 1);
    midi_bytes_note(file, 0x3fff, 9, 36, 100);
    PUT(file, 0, 38, 90, 10, 42, 0, 0, 0xff, 0x7f, 0x81, 0x00);
    for (int i = 0; i < 128; i++)
        PUT(file, (uint8_t)(2 * i));
    PUT(file, 5, 51, 12);
    midi_bytes_end_track(file);
}

static void insert(struct midi_bytes *file, size_t place, uint8_t byte)
{
    if (file->size == MIDI_BYTES_MAX)
        return;
    memmove(file->bytes + place + 1, file->bytes + place, file->size - place);
    file->bytes[place] = byte;
    file->size++;
}

static void mutate_once(struct midi_bytes *file, struct random_stream *stream)
{
    static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0x81, 0x99, 0xf0, 0xf7, 0xff, 0x2f, 0x51, 0x58};
    if (file->size == 0)
        return;
    size_t place = random_below(stream, (uint32_t)file->size);
    uint8_t byte = telling[random_below(stream, sizeof telling)];
    switch (random_below(stream, 6)) {
    case 0:
        file->bytes[place] ^= (uint8_t)(1U << random_below(stream, 8));
        break;
    case 1:
        file->bytes[place] = byte;
        break;
    case 2:
        file->bytes[place] = (uint8_t)random_bits(stream);
        break;
    case 3:
        insert(file, place, byte);
        break;
    case 4:
        memmove(file->bytes + place, file->bytes + place + 1, file->size - place - 1);
        file->size--;
        break;
    default:
        if (random_below(stream, 8) == 0)
            file->size = place;
        else
            insert(file, place, (uint8_t)random_bits(stream));
    }
}

static void check_grids(const struct midi *midi)
{
    struct grid_list list;
    struct error error;
    uint64_t total = 0;
    assert_ok(grid_list_make(&list, midi, MAP("general"), (struct time_signature){4, 4}, &error), error);
    for (size_t p = 0; p < list.count; p++) {
        const struct grid *grid = &list.parts[p].grid;
        total += grid->num_steps;
        for (size_t i = 0; i < (size_t)grid->num_steps * NUM_DRUMS; i++) {
            bool sound = grid->hits[i] == 0 ? grid->velocity[i] == 0
                                            : grid->velocity[i] <= 127 && grid->offset[i] >= -1 && grid->offset[i] <= 1;
            if (!sound)
                fail_msg("hit %u, velocity %u, offset %g", grid->hits[i], grid->velocity[i], (double)grid->offset[i]);
        }
    }
    assert_true(total <= GRID_MAX_STEPS);
    grid_list_free(&list);
}

static void keep_any_drums(struct midi *midi)
{
    static const struct drum_choice any = {.channel = CHANNEL_AUTO};
    struct drum_finding finding;
    size_t before = midi->num_onsets;
    drum_notes_keep(midi, &finding, &any, MAP("general"), "drums.mid");
    assert_true(midi->num_onsets + finding.num_skipped == before);
    assert_true(strlen(finding.words) < sizeof finding.words);
}

/* Reads the mutant from a block of its exact size, so that a byte too far is seen. */
static bool take(const struct midi_bytes *mutant, bool strict)
{
    struct midi midi;
    struct error error = {.message = ""};
    uint8_t *exact = malloc(mutant->size > 0 ? mutant->size : 1);
    assert_non_null(exact);
    memcpy(exact, mutant->bytes, mutant->size);
    enum midi_fault fault = MIDI_UNREADABLE;
    bool ok = midi_parse(&midi, exact, mutant->size, strict, &fault, &error);
    free(exact);
    if (ok) {
        assert_int_equal(fault, MIDI_VALID);
        assert_true(!strict || midi_repairs_total(&midi.repairs) == 0);
        keep_any_drums(&midi);
        check_grids(&midi);
        midi_free(&midi);
    } else {
        assert_true(fault == MIDI_DAMAGED || fault == MIDI_UNSUPPORTED);
        assert_true(strlen(error.message) > 0);
        if (strstr(error.message, "libsmf") != NULL)
            fail_msg("a file that passed the check was refused by libsmf: %s", error.message);
    }
    return ok;
}

static void test_mutants(void **state)
{
    static void (*const make_seed[NUM_SEEDS])(struct midi_bytes *) = {plain_seed, changing_seed, odd_seed};
    uint32_t num_valid = 0, num_read = 0;
    (void)state;
    for (uint32_t seed = 0; seed < NUM_SEEDS; seed++) {
        struct midi_bytes original, mutant;
        make_seed[seed](&original);
        assert_true(take(&original, true));
        for (uint32_t i = 0; i < MUTANTS_PER_SEED; i++) {
            struct random_stream stream;
            random_stream_start(&stream, 1, RANDOM_DRUMMER, seed, i);
            mutant = original;
            for (uint32_t times = 1 + random_below(&stream, 3); times > 0; times--)
                mutate_once(&mutant, &stream);
            bool is_valid = take(&mutant, true), is_read = take(&mutant, false);
            assert_true(is_read || !is_valid); /* what passes strictly passes */
            num_valid += is_valid;
            num_read += is_read;
        }
    }
    assert_in_range(num_valid, MUTANTS_PER_SEED / 2, NUM_SEEDS * MUTANTS_PER_SEED - MUTANTS_PER_SEED / 2);
    assert_in_range(num_read, num_valid + MUTANTS_PER_SEED / 2, NUM_SEEDS * MUTANTS_PER_SEED - 1);
}

static void test_nothing_is_printed(void **state)
{
    struct capture out = capture_start(1), err = capture_start(2);
    struct midi_bytes file;
    (void)state;
    changing_seed(&file);
    for (size_t i = 0; i < file.size; i++) {
        struct midi_bytes mutant = file;
        struct midi midi;
        struct error error;
        mutant.bytes[i] ^= 0x80;
        if (midi_parse(&midi, mutant.bytes, mutant.size, false, NULL, &error))
            midi_free(&midi);
    }
    char *err_text = capture_end(&err), *out_text = capture_end(&out);
    assert_string_equal(err_text, "");
    assert_string_equal(out_text, "");
    free(err_text);
    free(out_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutants),
        cmocka_unit_test(test_nothing_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
