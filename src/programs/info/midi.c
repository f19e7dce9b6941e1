/* MIDI files: what of them is drumming, bar by bar and drum by drum, and their pictures and audio. */
#include "base/io/files.h"
#include "base/text.h"
#include "data/midi/drum_map.h"
#include "data/midi/drum_notes.h"
#include "data/midi/reader.h"
#include "programs/common/playback.h"
#include "programs/common/provenance.h"
#include "programs/info/info.h"
#include "programs/info/kinds.h"
#include "run/json_members.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct time_signature four_four = {4, 4};

static json_t *json_of_drums(const struct grid *grid)
{
    json_t *drums = json_object();
    for (int drum = 0; drum < NUM_DRUMS; drum++) {
        json_int_t hits = 0;
        for (uint32_t step = 0; step < grid->num_steps; step++)
            hits += grid->hits[(size_t)step * NUM_DRUMS + (size_t)drum];
        json_object_set_new(drums, drum_name(drum), json_integer(hits));
    }
    return drums;
}

static json_t *json_of_stretch(const struct grid_part *part)
{
    char signature[16];
    json_t *object = json_object();
    uint32_t bar_steps = time_signature_bar_steps(part->time_signature);
    snprintf(signature, sizeof signature, "%d/%d", part->time_signature.numerator, part->time_signature.denominator);
    json_object_set_new(object, "time_signature", json_string(signature));
    json_object_set_new(object, "bars",
                        json_integer(bar_steps > 0 ? (json_int_t)(part->grid.num_steps / bar_steps) : 0));
    json_object_set_new(object, "qpm", json_real((double)part->grid.qpm));
    json_object_set_new(object, "hits", json_integer((json_int_t)grid_count_hits(&part->grid)));
    json_object_set_new(object, "drums", json_of_drums(&part->grid));
    return object;
}

/* Where nothing says which notes are drums, all of them are taken. */
static bool load_drums(struct midi *midi, struct drum_finding *finding, const char *path, const struct drum_map *map,
                       struct error *error)
{
    static const struct drum_choice any = {.channel = CHANNEL_AUTO};
    if (!midi_load(midi, path, false, NULL, error))
        return false;
    drum_notes_keep(midi, finding, &any, map, path);
    return true;
}

static json_t *json_of_lost(const struct midi *midi, const struct drum_map *map)
{
    struct pitch_census census = {{0}, {0}};
    struct lost_pitch lost[NUM_PITCHES];
    for (size_t i = 0; i < midi->num_onsets; i++) {
        census.notes[midi->onsets[i].pitch]++;
        census.files[midi->onsets[i].pitch] = 1;
    }
    return info_json_of_lost(lost, pitch_census_lost(lost, &census, map));
}

/* How the file was made, where it says so. */
static void add_provenance(json_t *object, const char *path)
{
    struct provenance provenance;
    if (!provenance_of_file(&provenance, path))
        return;
    json_t *made_by = json_object();
    json_object_set_new(made_by, "version", json_clean_text(provenance.version));
    json_object_set_new(made_by, "model_xxh3", json_clean_text(provenance.model_hash));
    json_object_set_new(made_by, "file", json_integer(provenance.number));
    json_object_set_new(made_by, "files", json_integer(provenance.count));
    json_object_set_new(made_by, "command", json_clean_text(provenance.command));
    json_object_set_new(object, "made_by", made_by);
    provenance_free(&provenance);
}

static void print_provenance(FILE *out, const json_t *made_by)
{
    if (!made_by)
        return;
    info_print_field(out, "made by", "drumline-generate %s, model of xxh3 %s, file %" PRId64 " of %" PRId64,
                     member_string(made_by, "version"), member_string(made_by, "model_xxh3"),
                     member_int(made_by, "file"), member_int(made_by, "files"));
    fprintf(out, "  %-11s %s --output_dir=again\n", "again",
            member_string(made_by, "command")); /* on one line, to be copied */
}

bool info_read_midi(json_t *object, const char *path, struct error *error)
{
    struct midi midi;
    struct grid_list list;
    struct drum_map map;
    struct drum_finding finding;
    drum_map_builtin(&map, "general");
    if (!load_drums(&midi, &finding, path, &map, error))
        return false;
    bool ok = grid_list_make(&list, &midi, &map, four_four, error);
    if (ok) {
        json_t *stretches = json_array();
        for (size_t i = 0; i < list.count; i++)
            if (list.parts[i].fault == GRID_VALID)
                json_array_append_new(stretches, json_of_stretch(&list.parts[i]));
        json_object_set_new(object, "performances", stretches);
        add_provenance(object, path);
        json_object_set_new(object, "notes", json_integer((json_int_t)midi.num_onsets));
        json_object_set_new(object, "notes_other_channels", json_integer((json_int_t)finding.num_skipped));
        json_object_set_new(object, "notes_unknown_pitch", json_integer((json_int_t)list.num_unknown));
        json_object_set_new(object, "lost_pitches", json_of_lost(&midi, &map));
        grid_list_free(&list);
    }
    midi_free(&midi);
    return ok;
}

void info_print_midi(FILE *out, const json_t *object)
{
    size_t i;
    json_t *stretch, *hits;
    const char *drum;
    const json_t *stretches = json_object_get(object, "performances");
    int64_t other = member_int(object, "notes_other_channels"), unknown = member_int(object, "notes_unknown_pitch");
    fprintf(out, "%s: MIDI file, %" PRId64 " drum note%s\n", member_string(object, "path"), member_int(object, "notes"),
            PLURAL(member_int(object, "notes")));
    if (other > 0)
        info_print_field(out, "skipped", "%" PRId64 " note%s: not on the drum channel", other, PLURAL(other));
    if (unknown > 0)
        info_print_field(out, "skipped", "%" PRId64 " note%s: pitch maps to none of the nine drums", unknown,
                         PLURAL(unknown));
    info_print_lost(out, json_object_get(object, "lost_pitches"));
    if (json_array_size(stretches) == 0)
        info_print_field(out, "drumming", "none that can be placed on the grid");
    print_provenance(out, json_object_get(object, "made_by"));
    json_array_foreach(stretches, i, stretch)
    {
        info_print_field(
            out, "performance", "%" PRId64 " bar%s of %s at %.4g quarter notes per minute, %" PRId64 " hit%s",
            member_int(stretch, "bars"), PLURAL(member_int(stretch, "bars")), member_string(stretch, "time_signature"),
            member_number(stretch, "qpm"), member_int(stretch, "hits"), PLURAL(member_int(stretch, "hits")));
        json_object_foreach(json_object_get(stretch, "drums"), drum, hits) if (json_integer_value(hits) > 0)
            info_print_field(out, "", "%6lld %s", (long long)json_integer_value(hits), drum);
    }
}

static bool draw(const struct midi *midi, const char *path, const struct info_renderings *wanted,
                 enum rendering rendering, struct error *error)
{
    struct grid_list list;
    struct drum_map map;
    if (!drum_map_find(&map, wanted->drum_map, error) || !grid_list_make(&list, midi, &map, four_four, error))
        return false;
    struct drum_roll *rolls = calloc(list.count + 1, sizeof *rolls);
    int count = 0;
    for (size_t i = 0; rolls && i < list.count; i++)
        if (list.parts[i].fault == GRID_VALID)
            rolls[count++] = (struct drum_roll){.grid = &list.parts[i].grid};
    struct drum_roll_sheet sheet = {
        .title = path_name(path), .rolls = rolls, .num_rolls = count, .columns = 1, .dark = wanted->dark};
    bool ok = rolls || error_set(error, "out of memory");
    ok = ok && (count > 0 || error_set(error, "%s: holds no drumming to draw", path));
    ok = ok && rendering_draw(&sheet, rendering, wanted->paths[rendering], error);
    free(rolls);
    grid_list_free(&list);
    return ok;
}

static bool play(const struct midi *midi, const char *soundfont, enum rendering rendering, const char *path,
                 struct error *error)
{
    struct audio_renderer *renderer = audio_renderer_make(soundfont, error);
    bool ok = renderer && rendering_play(renderer, midi, rendering, path, error);
    audio_renderer_free(renderer);
    return ok;
}

static bool play_on_device(const struct midi *midi, const char *path, const struct info_renderings *wanted,
                           struct error *error)
{
    struct playback playback;
    if (!playback_start(&playback, wanted->device, wanted->soundfont, error))
        return false;
    bool ok = playback_play(&playback, midi, path, error);
    playback_finish(&playback);
    return ok;
}

bool info_render_midi(const char *path, const struct info_renderings *wanted, struct error *error)
{
    struct midi midi;
    struct drum_map map;
    struct drum_finding finding;
    drum_map_builtin(&map, "general");
    bool ok = load_drums(&midi, &finding, path, &map, error);
    if (!ok)
        return false;
    for (int i = 0; ok && i < NUM_RENDERINGS; i++) {
        if (!wanted->paths[i])
            continue;
        if (rendering_is_picture((enum rendering)i))
            ok = draw(&midi, path, wanted, (enum rendering)i, error);
        else
            ok = play(&midi, wanted->soundfont, (enum rendering)i, wanted->paths[i], error);
    }
    ok = ok && (!wanted->device || play_on_device(&midi, path, wanted, error));
    midi_free(&midi);
    return ok;
}
