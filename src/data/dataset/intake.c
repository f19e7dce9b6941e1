#include "data/dataset/intake.h"

#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "data/midi/reader.h"

#include <stdlib.h>
#include <string.h>

/* Sets it to the tag of a name, and leaves it as it is where there is none. */
static void take_name_tag(struct time_signature *time_signature, const char *path)
{
    struct error ignored;
    char tag[16];
    const char *name = path_name(path), *underscore = strrchr(name, '_'), *dot = strrchr(name, '.');
    if (underscore == NULL || dot == NULL || dot < underscore)
        return;
    size_t length = (size_t)(dot - underscore - 1);
    if (length >= sizeof tag)
        return;
    memcpy(tag, underscore + 1, length);
    tag[length] = '\0';
    time_signature_parse(time_signature, tag, &ignored);
}

/* A name that may hold anything, fit for a message: bytes outside printable ASCII are written as \xNN. */
static char *printable(const char *name)
{
    char *text = malloc(4 * strlen(name) + 1), *to = text;
    if (text == NULL)
        return NULL;
    for (const char *from = name; *from != '\0'; from++) {
        static const char digits[] = "0123456789abcdef";
        unsigned char byte = (unsigned char)*from;
        if (byte >= 0x20 && byte < 0x7f) {
            *to++ = *from;
        } else {
            *to++ = '\\';
            *to++ = 'x';
            *to++ = digits[byte >> 4];
            *to++ = digits[byte & 15];
        }
    }
    *to = '\0';
    return text;
}

/* Why a file of this name can't be in a data set; NULL where it can. */
static const char *fault_of_name(const char *path)
{
    if (strlen(path) > PERFORMANCE_TEXT_MAX)
        return "its name is too long";
    for (const unsigned char *byte = (const unsigned char *)path; *byte != '\0'; byte++)
        if (*byte < 0x20 || *byte == 0x7f)
            return "its name holds a control character";
    return text_is_utf8(path) ? NULL : "its name is no UTF-8 text";
}

static void skip_for_name(struct intake_counts *counts, const char *folder, const char *path, const char *fault)
{
    char *name = printable(path), *full_path = path_join(folder, name != NULL ? name : "?");
    counts->sums.skipped[SKIPPED_NAME]++;
    log_warning("skipped: %s: %s", full_path, fault);
    free(full_path);
    free(name);
}

static void skip(struct intake_counts *counts, enum skip_reason reason, const char *path)
{
    counts->sums.skipped[reason]++;
    log_debug_here("skipped: %s: %s", path, skip_reason_words(reason));
}

/* Loads a file; where it can't, warns and counts. */
static bool load(struct midi *midi, struct intake_counts *counts, const char *folder, const char *path)
{
    enum midi_fault fault;
    struct error error;
    char *full_path = path_join(folder, path);
    bool ok = midi_load(midi, full_path, &fault, &error);
    free(full_path);
    if (ok)
        return true;
    enum skip_reason reason = fault == MIDI_UNREADABLE    ? SKIPPED_UNREADABLE
                              : fault == MIDI_UNSUPPORTED ? SKIPPED_UNSUPPORTED
                                                          : SKIPPED_DAMAGED;
    counts->sums.skipped[reason]++;
    log_warning("skipped: %s", error.message);
    return false;
}

/* The reason to leave a part out, NUM_SKIP_REASONS for none. */
static enum skip_reason judge(const struct grid_part *part, const struct intake_rules *rules)
{
    if (part->fault == GRID_NO_DRUMS)
        return SKIPPED_NO_DRUMS;
    if (rules->only_beat && !time_signature_equal(part->time_signature, rules->beat))
        return SKIPPED_TIME_SIGNATURE;
    if (part->fault == GRID_BROKEN_BAR)
        return SKIPPED_BROKEN_BAR;
    if (part->fault == GRID_TOO_LONG)
        return SKIPPED_LONG;
    if (part->grid.num_steps / time_signature_bar_steps(part->time_signature) < rules->min_bars)
        return SKIPPED_SHORT;
    return NUM_SKIP_REASONS;
}

static bool take_parts(struct shard_writer *writer, struct intake_counts *counts, const struct grid_list *list,
                       const struct performance *about, const struct intake_rules *rules, struct error *error)
{
    for (size_t p = 0; p < list->count; p++) {
        const struct grid_part *part = &list->parts[p];
        enum skip_reason reason = judge(part, rules);
        if (reason != NUM_SKIP_REASONS) {
            skip(counts, reason, about->path);
            continue;
        }
        if (!shard_writer_append(writer, about, &part->grid, error))
            return false;
        counts->sums.num_kept++;
        counts->sums.num_hits += grid_count_hits(&part->grid);
    }
    return true;
}

/* Adds the file's notes, and names at debug level those that the map does not know. */
static void take_census(struct pitch_census *census, const struct midi *midi, const struct drum_map *map,
                        const char *path)
{
    struct pitch_census own = {{0}, {0}};
    for (size_t i = 0; i < midi->num_onsets; i++)
        own.notes[midi->onsets[i].pitch]++;
    for (int pitch = 0; pitch < NUM_PITCHES; pitch++) {
        if (own.notes[pitch] == 0)
            continue;
        census->notes[pitch] += own.notes[pitch];
        census->files[pitch]++;
        if (drum_class_of_pitch(map, (uint8_t)pitch) == DRUM_NONE)
            log_debug_here("skipped: %s: %llu note%s of pitch %d", path, (unsigned long long)own.notes[pitch],
                           own.notes[pitch] == 1 ? "" : "s", pitch);
    }
}

bool intake_file(struct shard_writer *writer, struct intake_counts *counts, const char *folder, const char *path,
                 const struct splits *splits, const struct intake_rules *rules, struct error *error)
{
    static char unknown[] = "";
    const struct performance_info *info = splits_find(splits, path);
    struct performance about = {.path = (char *)path, .style = unknown, .drummer = unknown};
    struct time_signature fallback = {4, 4};
    struct midi midi;
    struct grid_list list;
    counts->sums.num_files++;
    const char *fault = fault_of_name(path);
    if (fault != NULL) {
        skip_for_name(counts, folder, path, fault);
        return true;
    }
    about.split = info != NULL ? info->split : split_by_hash(path);
    if (info != NULL) {
        about.style = info->style;
        about.drummer = info->drummer;
    }
    if (info != NULL && info->time_signature.numerator > 0)
        fallback = info->time_signature;
    else
        take_name_tag(&fallback, path);
    if (!load(&midi, counts, folder, path))
        return true;
    counts->sums.num_melodic += midi.num_melodic;
    take_census(&counts->census, &midi, &rules->map, path);
    bool ok = grid_list_make(&list, &midi, &rules->map, fallback, error);
    midi_free(&midi);
    if (!ok)
        return error_prefix(error, "%s", path);
    counts->sums.num_unknown += list.num_unknown;
    ok = take_parts(writer, counts, &list, &about, rules, error) || error_prefix(error, "%s", path);
    grid_list_free(&list);
    return ok;
}
