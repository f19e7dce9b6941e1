#include "programs/generate/output.h"

#include "base/io/files.h"
#include "base/text.h"
#include "base/version.h"
#include "data/midi/writer.h"
#include "programs/common/provenance.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Seconds that are tried before the folder is called full, and times that another program may take them from us: far more
 * than anyone needs. */
enum { MOST_SECONDS = 3600, MOST_CLASHES = 16 };

bool generate_output_name_is_safe(const char *name)
{
    bool safe = isalnum((unsigned char)name[0]) || name[0] == '_';
    for (; *name; name++)
        safe = safe && (isalnum((unsigned char)*name) || strchr("_-.", *name));
    return safe;
}

/* "CONFIG_KIND_YYYY-MM-DD_HHMMSS", owned by the caller. */
static char *set_name(const struct generate_output *output, time_t second)
{
    char date[64];
    struct tm now;
    localtime_r(&second, &now);
    strftime(date, sizeof date, "%Y-%m-%d_%H%M%S", &now);
    return format_text("%s_%s_%s", output->config, output->kind, date);
}

static char *file_name(const struct generate_output *output, time_t second, int number)
{
    char largest[16], *set = set_name(output, second);
    int width = snprintf(largest, sizeof largest, "%d", output->count);
    if (width < 3)
        width = 3;
    char *name = format_text("%s-%0*d-of-%0*d.mid", set, width, number, width, output->count);
    free(set);
    return name;
}

static char *path_at(const struct generate_output *output, time_t second, int number)
{
    char *name = file_name(output, second, number);
    char *path = path_join(output->folder, name);
    free(name);
    return path;
}

char *generate_output_path(const struct generate_output *output, int number)
{
    return path_at(output, output->second, number);
}

char *generate_output_set_path(const struct generate_output *output, const char *what, const char *suffix)
{
    char *set = set_name(output, output->second), *name = format_text("%s_%s.%s", set, what, suffix);
    char *path = path_join(output->folder, name);
    free(name);
    free(set);
    return path;
}

/* Anything of that name, a link to nowhere too. */
static bool is_taken(const struct generate_output *output, int number)
{
    struct stat status;
    char *path = generate_output_path(output, number);
    bool taken = lstat(path, &status) == 0;
    free(path);
    return taken;
}

static bool find_second(struct generate_output *output, struct error *error)
{
    for (int tried = 0; tried < MOST_SECONDS; tried++, output->second++) {
        bool taken = false;
        for (int i = 0; !taken && i < output->count; i++)
            taken = is_taken(output, i);
        if (!taken)
            return true;
    }
    return error_set(error, "%s: no file name is free: give another --output_dir", output->folder);
}

bool generate_output_start(struct generate_output *output, const char *folder, const char *config, const char *kind,
                           int count, const struct drum_map *map, struct error *error)
{
    *output = (struct generate_output){.folder = folder,
                                       .config = config,
                                       .kind = kind,
                                       .count = count,
                                       .map = *map,
                                       .channel = MIDI_DRUM_CHANNEL,
                                       .second = time(NULL)};
    if (!folder_make(folder, error) || !find_second(output, error))
        return false;
    atomic_file_sweep_shared(folder);
    output->first_second = output->second;
    return true;
}

static int compare_onsets(const void *left, const void *right)
{
    const struct midi_onset *a = left, *b = right;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    return (a->pitch > b->pitch) - (a->pitch < b->pitch);
}

/* Hits that come before the first beat, which grid_to_midi puts onto it, go to the loop's end: played round, they sound where
 * they are meant to. */
static void wrap_pick_up(struct midi *midi, const struct grid *grid, const struct drum_map *map)
{
    enum { HALF_STEP = MIDI_WRITTEN_PPQ / STEPS_PER_QUARTER / 2 };
    for (size_t i = 0; i < midi->num_onsets && midi->onsets[i].tick == 0; i++) {
        int drum = drum_class_of_pitch(map, midi->onsets[i].pitch);
        uint32_t early = (uint32_t)lroundf(fmaxf(grid->offset[drum], 0.0f) * HALF_STEP);
        if (early > 0 && early < midi->end_tick)
            midi->onsets[i].tick = midi->end_tick - early;
    }
    if (midi->num_onsets > 0)
        qsort(midi->onsets, midi->num_onsets, sizeof *midi->onsets, compare_onsets);
}

char *generate_output_text(const struct generate_output *output, int number)
{
    struct provenance provenance = {.number = number + 1, .count = output->count};
    if (!output->command)
        return NULL;
    snprintf(provenance.version, sizeof provenance.version, "%s", drumline_version());
    snprintf(provenance.model_hash, sizeof provenance.model_hash, "%s", output->model_hash);
    provenance.command = (char *)output->command;
    return provenance_text(&provenance);
}

bool generate_output_stage(struct atomic_file *file, const struct generate_output *output, int number,
                           const struct grid *grid, struct error *error)
{
    struct midi midi;
    char track_name[100];
    snprintf(track_name, sizeof track_name, "%.60s %.30s", output->config, output->kind);
    if (!grid_to_midi(&midi, grid, &output->map, error))
        return false;
    if (output->wrap_pick_up)
        wrap_pick_up(&midi, grid, &output->map);
    for (size_t i = 0; i < midi.num_onsets; i++)
        midi.onsets[i].channel = output->channel;
    char *path = path_at(output, output->first_second, number), *text = generate_output_text(output, number);
    bool ok = midi_stage(file, &midi, track_name, text, path, error);
    free(text);
    free(path);
    midi_free(&midi);
    return ok;
}

/* The first file claims the second for this set. Where somebody else was faster, the next one is tried. */
static bool name_next(struct generate_output *output, struct atomic_file *file, struct error *error)
{
    for (int tried = 1;; tried++) {
        char *path = generate_output_path(output, output->written);
        bool ok = atomic_file_name_new(file, path, error);
        free(path);
        if (ok)
            return true;
        if (tried == MOST_CLASHES || output->written > 0 || !is_taken(output, 0) || !find_second(output, error))
            return false;
    }
}

bool generate_output_name(struct generate_output *output, struct atomic_file *files, int count, struct error *error)
{
    int named = 0;
    while (named < count && name_next(output, &files[named], error)) {
        if (output->written == 0) {
            char *name = file_name(output, output->second, 0);
            snprintf(output->first_name, sizeof output->first_name, "%s", name);
            free(name);
        }
        output->written++;
        named++;
    }
    for (int i = named; i < count; i++)
        atomic_file_abandon(&files[i]);
    return named == count || generate_output_failed(output, error);
}

bool generate_output_failed(const struct generate_output *output, struct error *error)
{
    return output->written == 0 ? false : error_prefix(error, "after %d of %d files", output->written, output->count);
}

static bool finish(struct generate_output *output, struct atomic_file *file, struct error *error)
{
    if (!atomic_file_flush_all(file, 1, error)) {
        atomic_file_abandon(file);
        return generate_output_failed(output, error);
    }
    return generate_output_name(output, file, 1, error) && atomic_file_flush_folder(output->folder, error);
}

bool generate_output_write(struct generate_output *output, const struct grid *grid, struct error *error)
{
    struct atomic_file file;
    return generate_output_stage(&file, output, output->written, grid, error) ? finish(output, &file, error)
                                                                              : generate_output_failed(output, error);
}

bool generate_output_write_bytes(struct generate_output *output, const uint8_t *bytes, size_t size, struct error *error)
{
    struct atomic_file file;
    char *path = path_at(output, output->first_second, output->written);
    bool ok = atomic_file_start(&file, path, error);
    free(path);
    if (ok && !atomic_file_put(&file, bytes, size, error)) {
        atomic_file_abandon(&file);
        ok = false;
    }
    return ok ? finish(output, &file, error) : generate_output_failed(output, error);
}
