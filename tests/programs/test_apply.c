/* A model applied to whole files: what it gives is put in place, everything else of the file stays as it was. */
#include "tests/programs/generate_support.h"
#include "tests/support/unit.h"

#include "base/io/files.h"
#include "data/midi/drum_notes.h"
#include "data/midi/events.h"
#include "data/midi/reader.h"
#include "data/midi/writer.h"
#include "programs/common/provenance.h"
#include "tests/data/drum_maps.h"
#include "tests/model/untrained_checkpoint.h"
#include "tests/support/scratch.h"

enum { PPQ = 480, PIANO = 0 };

/* A file of two tracks: drums, of which some hits are flams, with two tempos and a controller; and a piano with a marker. */
static void write_song(const char *path, uint32_t bars, int drum_channel)
{
    struct error error;
    struct midi_events events;
    struct midi_repairs repairs = {{0}, 0, {{0}}};
    struct midi_tempo tempos[] = {
        {0,       600000},
        {5 * PPQ, 200000}
    };
    uint8_t *bytes;
    size_t size;
    uint32_t piano;
    write_drums(path, bars, drum_channel, tempos);
    assert_ok(file_read(&bytes, &size, path, 1 << 24, &error), error);
    assert_ok(midi_events_parse(&events, &repairs, bytes, size, &error), error);
    free(bytes);
    uint32_t flam = events.notes[1].tick + 20;
    assert_ok(midi_events_add(&events, 0, (uint8_t)drum_channel, events.notes[1].pitch, 5, flam, 10, &error), error);
    assert_ok(midi_events_add_track(&events, &piano, "Piano", &error), error);
    for (uint32_t i = 0; i < 8; i++)
        assert_ok(midi_events_add(&events, piano, PIANO, (uint8_t)(60 + i), 77, i * 300 + 7, 100, &error), error);
    assert_ok(midi_events_set_text(&events, "a marker", "a marker of the song", &error), error);
    assert_ok(midi_events_write(&bytes, &size, &events, &error), error);
    assert_ok(file_write(path, path, bytes, size, &error), error);
    free(bytes);
    midi_events_free(&events);
}

static void read_events(struct midi_events *events, const char *path)
{
    struct error error;
    struct midi_repairs repairs = {{0}, 0, {{0}}};
    uint8_t *bytes;
    size_t size;
    assert_ok(file_read(&bytes, &size, path, 1 << 24, &error), error);
    assert_ok(midi_events_parse(events, &repairs, bytes, size, &error), error);
    assert_int_equal(midi_repairs_total(&repairs), 0);
    free(bytes);
}

/* The only file of a folder; the caller's. */
static char *only_file(const char *folder)
{
    static const char *const suffixes[] = {".mid", NULL};
    struct error error;
    struct file_list list;
    assert_ok(file_list_make(&list, folder, false, suffixes, &error), error);
    assert_int_equal(list.count, 1);
    char *path = path_join(folder, list.paths[0]);
    file_list_free(&list);
    return path;
}

/* What is no note of channel `but` (-1: none is left out), nor our text, is the same in both files, in the same order. */
static void assert_same_but(const char *path, const char *other, int but)
{
    struct midi_events pair[2];
    read_events(&pair[0], path);
    read_events(&pair[1], other);
    assert_int_equal(pair[0].num_tracks, pair[1].num_tracks);
    for (uint32_t t = 0; t < pair[0].num_tracks; t++) {
        size_t at[2] = {0, 0};
        for (;;) {
            const struct midi_event *events[2] = {NULL, NULL};
            for (int side = 0; side < 2; side++) {
                const struct midi_events_track *track = &pair[side].tracks[t];
                for (; at[side] < track->count && !events[side]; at[side]++) {
                    const struct midi_event *event = &track->events[at[side]];
                    const uint8_t *bytes = event->bytes ? event->bytes : event->message;
                    bool note = (bytes[0] & 0xe0) == 0x80 && (bytes[0] & 0x0f) == but;
                    bool ours = event->size > 30 && bytes[0] == 0xff && bytes[1] == 1;
                    events[side] = note || ours ? NULL : event;
                }
            }
            if (!events[0] && !events[1])
                break;
            assert_true(events[0] && events[1]);
            assert_int_equal(events[0]->tick, events[1]->tick);
            assert_int_equal(events[0]->size, events[1]->size);
            assert_memory_equal(events[0]->bytes ? events[0]->bytes : events[0]->message,
                                events[1]->bytes ? events[1]->bytes : events[1]->message, events[0]->size);
        }
        assert_int_equal(pair[0].tracks[t].end_tick, pair[1].tracks[t].end_tick);
    }
    midi_events_free(&pair[0]);
    midi_events_free(&pair[1]);
}

/* The drums of a file. */
static struct grid grid_of(const char *path)
{
    struct error error;
    struct midi midi;
    struct grid_list list;
    struct drum_finding finding;
    struct drum_choice any = {.channel = CHANNEL_AUTO};
    assert_ok(midi_load(&midi, path, true, NULL, &error), error);
    drum_notes_keep(&midi, &finding, &any, MAP("general"), path);
    assert_ok(grid_list_make(&list, &midi, MAP("general"), (struct time_signature){4, 4}, &error), error);
    assert_int_equal(list.count, 1);
    struct grid grid = list.parts[0].grid;
    list.parts[0].grid = (struct grid){0};
    grid_list_free(&list);
    midi_free(&midi);
    return grid;
}

static void assert_same_hits(const char *path, const char *other, bool same_feel)
{
    struct grid a = grid_of(path), b = grid_of(other);
    size_t cells = (size_t)a.num_steps * NUM_DRUMS;
    assert_int_equal(a.num_steps, b.num_steps);
    assert_memory_equal(a.hits, b.hits, cells);
    assert_int_equal(memcmp(a.velocity, b.velocity, cells) == 0, same_feel);
    assert_int_equal(memcmp(a.offset, b.offset, cells * sizeof *a.offset) == 0, same_feel);
    grid_free(&a);
    grid_free(&b);
}

/* Every hit is kept and nothing but drums is touched; with an amount of 0 nothing is touched at all. */
static void test_feel_is_applied(void **state)
{
    static const char *const configs[] = {"groovae_2bar_humanize", "groovae_2bar_hits_control"};
    (void)state;
    for (int c = 0; c < 2; c++)
        for (uint32_t bars = 1; bars <= 7; bars += 3) {
            struct place place;
            make_place(&place, configs[c]);
            char *none = path_join(place.folder, "none");
            write_song(place.midi[0], bars, 9);
            struct generate_options options = {
                .mode = GENERATE_APPLY, .amount = 1, .seed = 3, .input_midi = {place.midi[0]}};
            play(&place, options);
            char *path = only_file(place.output);
            assert_same_but(place.midi[0], path, 9);
            assert_same_hits(place.midi[0], path, false);
            struct midi_events before, after;
            read_events(&before, place.midi[0]);
            read_events(&after, path);
            assert_int_equal(before.num_notes, after.num_notes);
            midi_events_free(&before);
            midi_events_free(&after);
            free(path);
            options.amount = 0;
            options.output_dir = none;
            play(&place, options);
            path = only_file(none);
            assert_same_but(place.midi[0], path, -1);
            free(path);
            free(none);
            free_place(&place);
        }
}

/* The same bytes on any number of threads, of a file of 300 bars. */
static void test_threads_change_nothing(void **state)
{
    struct place place;
    (void)state;
    make_place(&place, "groovae_2bar_tap_fixed_velocity");
    char *other = path_join(place.folder, "other");
    write_song(place.midi[0], 300, 9);
    struct generate_options options = {
        .mode = GENERATE_APPLY, .num_outputs = 2, .seed = 3, .amount = 1, .input_midi = {place.midi[0]}};
    play(&place, options);
    options.threads = 3;
    options.output_dir = other;
    play(&place, options);
    assert_same_files(place.output, other, 2);
    assert_false(same_grid(other, 0, other, 1));
    free(other);
    free_place(&place);
}

/* Each bar is what the window plays that begins half a window before it. */
static void test_windows_overlap(void **state)
{
    enum { BARS = 9 };
    struct place place;
    (void)state;
    make_place(&place, "groovae_4bar_flat");
    write_song(place.midi[0], BARS, 9);
    play(&place, (struct generate_options){.mode = GENERATE_APPLY,
                                           .amount = 1,
                                           .temperature = 1e-4,
                                           .keep_hits = SETTING_TRUE,
                                           .input_midi = {place.midi[0]}});
    char *path = only_file(place.output);
    struct grid whole = grid_of(path);
    free(path);
    for (uint32_t bar = 0; bar < BARS; bar++) {
        uint32_t first = bar < 2 ? 0 : bar - 2 > BARS - 4 ? BARS - 4 : bar - 2;
        char *folder = path_join(place.folder, (char[]){(char)('0' + bar), '\0'});
        play(&place, (struct generate_options){.mode = GENERATE_RECONSTRUCT,
                                               .num_outputs = 1,
                                               .keep_hits = SETTING_TRUE,
                                               .input_midi = {place.midi[0]},
                                               .input_bar = {first + 1},
                                               .output_dir = folder});
        struct grid window = read_output(folder, 0);
        size_t bar_cells = (size_t)GRID_BAR_STEPS * NUM_DRUMS;
        const uint8_t *expected = window.velocity + (bar - first) * bar_cells;
        assert_memory_equal(whole.velocity + bar * bar_cells, expected, bar_cells);
        grid_free(&window);
        free(folder);
    }
    grid_free(&whole);
    free_place(&place);
}

static void test_closed_hi_hat_is_added(void **state)
{
    struct place place;
    (void)state;
    make_place(&place, "groovae_2bar_add_closed_hh");
    write_song(place.midi[0], 5, 9);
    play(&place, (struct generate_options){.mode = GENERATE_APPLY, .amount = 1, .input_midi = {place.midi[0]}});
    char *path = only_file(place.output);
    assert_same_but(place.midi[0], path, 9);
    struct midi_events before, after;
    read_events(&before, place.midi[0]);
    read_events(&after, path);
    size_t kept = 0, added = 0;
    for (size_t i = 0; i < after.num_notes; i++) {
        const struct midi_note *note = &after.notes[i];
        const struct midi_note *same = &before.notes[kept];
        if (note->channel == 9 && note->pitch == 42) {
            added++;
            continue;
        }
        assert_true(kept < before.num_notes && note->tick == same->tick && note->velocity == same->velocity &&
                    note->pitch == same->pitch);
        kept++;
    }
    assert_int_equal(kept, before.num_notes);
    assert_true(added > 0);
    assert_true(after.notes[after.num_notes - 1].tick < before.copy.end_tick);
    assert_int_equal(after.copy.end_tick, before.copy.end_tick);
    midi_events_free(&before);
    midi_events_free(&after);
    free(path);
    free_place(&place);
}

/* Taps on the drum channel give way to the kit; a melody stays, and gets the kit beside it. */
static void test_taps_become_a_kit(void **state)
{
    (void)state;
    for (int melody = 0; melody < 2; melody++) {
        struct place place;
        make_place(&place, "groovae_2bar_tap_fixed_velocity");
        write_song(place.midi[0], 4, melody ? 3 : 9);
        play(&place, (struct generate_options){
                         .mode = GENERATE_APPLY, .amount = 1, .temperature = 2, .input_midi = {place.midi[0]}});
        char *path = only_file(place.output);
        struct midi_events before, after;
        read_events(&before, place.midi[0]);
        read_events(&after, path);
        if (!melody)
            assert_same_but(place.midi[0], path, 9);
        size_t kit = 0, others = 0, others_before = 0;
        for (size_t i = 0; i < after.num_notes; i++) {
            kit += after.notes[i].channel == 9;
            others += after.notes[i].channel != 9;
        }
        for (size_t i = 0; i < before.num_notes; i++)
            others_before += before.notes[i].channel != 9;
        assert_true(kit > 0);
        assert_int_equal(others, others_before);
        assert_int_equal(after.num_tracks, before.num_tracks + (melody ? 1 : 0));
        midi_events_free(&before);
        midi_events_free(&after);
        free(path);
        free_place(&place);
    }
}

/* Two tracks, of taps that nothing identifies as drums, in 4/4, in 3/4 and in 4/4 again. */
static void write_stretches(const char *path)
{
    enum { BAR = 4 * PPQ, NUM_TAPS = 48 };
    struct error error;
    struct midi_events events;
    uint8_t *bytes;
    size_t size;
    uint32_t melody;
    struct midi_onset onsets[NUM_TAPS];
    struct midi_time_signature signatures[] = {
        {0,           4, 4},
        {4 * BAR,     3, 4},
        {4 * BAR * 2, 4, 4}
    };
    for (uint32_t i = 0; i < NUM_TAPS; i++)
        onsets[i] = (struct midi_onset){i * PPQ, 3, 60, 90};
    struct midi midi = {.ppq = PPQ,
                        .end_tick = 12 * BAR,
                        .onsets = onsets,
                        .num_onsets = NUM_TAPS,
                        .time_signatures = signatures,
                        .num_time_signatures = 3};
    assert_ok(midi_save(&midi, "taps", path, true, &error), error);
    read_events(&events, path);
    assert_ok(midi_events_add_track(&events, &melody, "Melody", &error), error);
    assert_ok(midi_events_add(&events, melody, PIANO, 72, 77, 10, 100, &error), error);
    assert_ok(midi_events_write(&bytes, &size, &events, &error), error);
    assert_ok(file_write(path, path, bytes, size, &error), error);
    free(bytes);
    midi_events_free(&events);
}

/* What is added to several stretches of a file is in one track, in every output. */
static void test_stretches_share_a_track(void **state)
{
    struct place place;
    (void)state;
    make_place(&place, "groovae_2bar_tap_fixed_velocity");
    write_stretches(place.midi[0]);
    play(&place,
         (struct generate_options){
             .mode = GENERATE_APPLY, .amount = 1, .temperature = 2, .num_outputs = 2, .input_midi = {place.midi[0]}});
    static const char *const suffixes[] = {".mid", NULL};
    struct file_list list;
    struct error error;
    assert_ok(file_list_make(&list, place.output, false, suffixes, &error), error);
    assert_int_equal(list.count, 2);
    for (size_t i = 0; i < list.count; i++) {
        char *path = path_join(place.output, list.paths[i]);
        struct midi_events before, after;
        bool early = false, late = false;
        read_events(&before, place.midi[0]);
        read_events(&after, path);
        assert_int_equal(after.num_tracks, before.num_tracks + 1);
        for (size_t n = 0; n < after.num_notes; n++) {
            early = early || (after.notes[n].track == before.num_tracks && after.notes[n].tick < 4 * 4 * PPQ);
            late = late || (after.notes[n].track == before.num_tracks && after.notes[n].tick > 8 * 4 * PPQ);
        }
        assert_true(early && late);
        midi_events_free(&before);
        midi_events_free(&after);
        free(path);
    }
    file_list_free(&list);
    free_place(&place);
}

/* The hits are those of the first file whatever the second is, which decides how they are played. */
static void test_feel_is_transferred(void **state)
{
    struct place place;
    struct error error;
    bool wrong_usage;
    char *paths[2];
    (void)state;
    make_place(&place, "groovae_2bar_hits_control");
    char *feel = path_join(place.folder, "feel.mid");
    write_song(place.midi[0], 5, 9);
    for (int i = 0; i < 2; i++) {
        char *folder = path_join(place.folder, i == 0 ? "a" : "b");
        write_beats(feel, 6, 0, 6, i == 0 ? 0 : 8);
        play(&place,
             (struct generate_options){
                 .mode = GENERATE_TRANSFER, .amount = 1, .input_midi = {place.midi[0], feel},
                         .output_dir = folder
        });
        paths[i] = only_file(folder);
        assert_same_but(place.midi[0], paths[i], 9);
        free(folder);
    }
    assert_same_hits(paths[0], paths[1], false);
    free(paths[0]);
    free(paths[1]);
    free_place(&place);
    make_place(&place, "groovae_2bar_humanize");
    struct generate_options options = {
        .mode = GENERATE_TRANSFER, .amount = 1, .input_midi = {place.midi[0], feel}
    };
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "needs a model that is given the hits");
    assert_true(wrong_usage);
    free(feel);
    free_place(&place);
}

/* Bars of other time signatures stay as they are; files of nothing else, without drums or of a melody are refused. */
static void test_odd_inputs(void **state)
{
    struct place place;
    struct error error;
    bool wrong_usage;
    struct time_signature six_eight = {6, 8}, common = {4, 4};
    (void)state;
    make_place(&place, "groovae_2bar_humanize");
    struct generate_options options = {.mode = GENERATE_APPLY, .amount = 1, .input_midi = {place.midi[0]}};
    write_time_signatures(place.midi[0], six_eight, six_eight);
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "is in 6/8; the models play 4/4");
    assert_false(wrong_usage);
    write_song(place.midi[0], 2, 3);
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "nothing identifies its notes as drums");
    struct midi empty = {.ppq = PPQ, .end_tick = 4 * 1920};
    assert_ok(midi_save(&empty, "test", place.midi[0], true, &error), error);
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "has no notes");
    options.qpm = 100;
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "keeps the tempo");
    assert_true(wrong_usage);
    assert_false(folder_exists(place.output));
    options.qpm = 0;
    write_time_signatures(place.midi[0], six_eight, common);
    play(&place, options);
    char *path = only_file(place.output);
    struct midi_events before, after;
    read_events(&before, place.midi[0]);
    read_events(&after, path);
    assert_int_equal(after.num_notes, 2);
    assert_int_equal(after.notes[0].tick, before.notes[0].tick);
    assert_int_equal(after.notes[0].velocity, before.notes[0].velocity);
    assert_int_not_equal(after.notes[1].velocity, before.notes[1].velocity);
    midi_events_free(&before);
    midi_events_free(&after);
    free(path);
    free_place(&place);
}

/* A file says which command made it; one that was made of another says only the last. */
static void test_files_say_how_they_were_made(void **state)
{
    struct place place;
    struct provenance provenance;
    (void)state;
    make_place(&place, "groovae_2bar_humanize");
    char *second = path_join(place.folder, "it's second");
    write_song(place.midi[0], 2, 9);
    struct generate_options options = {.mode = GENERATE_APPLY, .amount = 0.5, .seed = 3, .input_midi = {place.midi[0]}};
    play(&place, options);
    char *path = only_file(place.output);
    options.input_midi[0] = path;
    options.output_dir = second;
    options.seed = 4;
    play(&place, options);
    char *last = only_file(second);
    assert_true(provenance_of_file(&provenance, last));
    assert_contains(provenance.command, " --mode=apply");
    assert_contains(provenance.command, " --amount=0.5");
    assert_contains(provenance.command, " --seed=4");
    assert_null(strstr(provenance.command, "output_dir"));
    assert_int_equal(strlen(provenance.model_hash), 16);
    assert_int_equal(provenance.count, 1);
    provenance_free(&provenance);
    struct midi_events events;
    read_events(&events, last);
    size_t texts = 0;
    for (uint32_t t = 0; t < events.num_tracks; t++)
        for (size_t i = 0; i < events.tracks[t].count; i++)
            texts += events.tracks[t].events[i].bytes && events.tracks[t].events[i].bytes[1] == 1;
    assert_int_equal(texts, 2); /* and the song's own */
    midi_events_free(&events);
    free(last);
    free(path);
    free(second);
    free_place(&place);
}

/* A command out of a file is shown to people who may run it. */
static void test_hostile_commands(void **state)
{
    static const char beginning[] = "made by drumline-generate 1.0 (model xxh3 0123, file 1 of 2): ";
    static const char *const bad[] = {"rm -rf ~",
                                      "drumline-generate --seed=1; rm",
                                      "drumline-generate --seed=$(rm)",
                                      "drumline-generate --x='a' b",
                                      "drumline-generate --x='a",
                                      "drumline-generate -x=1",
                                      "drumline-generate --seed=1\n--x=2",
                                      "drumline-generate --x='a'b",
                                      "drumline-generate2 --x=1",
                                      "drumline-generate --x=\033[2J",
                                      "drumline-generate --x="};
    struct provenance provenance;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = format_text("%s%s", beginning, bad[i]);
        if (provenance_parse(&provenance, text))
            fail_msg("'%s' passed", bad[i]);
        free(text);
    }
    const char *const values[] = {"plain", "", "two words", "it's", "'", "$(rm)", "ä\"`\\"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char *quoted = provenance_quote(values[i]),
             *text = format_text("%sdrumline-generate --x=%s", beginning, quoted);
        assert_true(provenance_parse(&provenance, text));
        provenance_free(&provenance);
        char *command = format_text("[ %s = \"$V\" ]", quoted);
        assert_int_equal(setenv("V", values[i], 1), 0);
        assert_int_equal(system(command), 0);
        free(command);
        free(quoted);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feel_is_applied),   cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_windows_overlap),   cmocka_unit_test(test_closed_hi_hat_is_added),
        cmocka_unit_test(test_taps_become_a_kit), cmocka_unit_test(test_feel_is_transferred),
        cmocka_unit_test(test_odd_inputs),        cmocka_unit_test(test_files_say_how_they_were_made),
        cmocka_unit_test(test_hostile_commands),  cmocka_unit_test(test_stretches_share_a_track),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
