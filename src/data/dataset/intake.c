#include "data/dataset/intake.h"

#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "data/midi/reader.h"

#include <ctype.h>
#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

/* Whether `name` is the Groove set's, or E-GMD's: NUMBER_STYLE_TEMPO_beat_N-D[_KIT].mid, or fill for beat. *tag is where N-D
 * begins. */
static bool is_groove_name(const char **tag, const char *name)
{
    const char *kind = strstr(name, "_beat_");
    if (!kind)
        kind = strstr(name, "_fill_");
    if (!kind || !isdigit((unsigned char)name[0]) || !isdigit((unsigned char)kind[-1]))
        return false;
    *tag = kind + strlen("_beat_");
    const char *rest = *tag + strspn(*tag, "0123456789-");
    if (*rest == '_') {
        size_t kit = strspn(rest + 1, "0123456789");
        rest = kit > 0 ? rest + 1 + kit : rest;
    }
    return *rest == '.' && !strchr(rest + 1, '.');
}

/* Sets it to the time signature in a name of that pattern, and leaves it as it is for another. */
static bool take_name_signature(struct time_signature *time_signature, const char *path)
{
    struct error ignored;
    char text[16];
    const char *tag;
    if (!is_groove_name(&tag, path_name(path)))
        return false;
    size_t length = strspn(tag, "0123456789-");
    if (length >= sizeof text)
        return false;
    memcpy(text, tag, length);
    text[length] = '\0';
    return time_signature_parse(time_signature, text, &ignored);
}

char *intake_shown_path(const char *path)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(4 * strlen(path) + 1), *to = text;
    if (!text)
        return NULL;
    if (text_is_utf8(path))
        return memcpy(text, path, strlen(path) + 1);
    for (const char *from = path; *from != '\0'; from++) {
        unsigned char byte = (unsigned char)*from;
        if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
            *to++ = *from;
            continue;
        }
        *to++ = '\\';
        *to++ = 'x';
        *to++ = digits[byte >> 4];
        *to++ = digits[byte & 15];
    }
    *to = '\0';
    return text;
}

static void skip(struct intake_counts *counts, enum skip_reason reason, const char *shown)
{
    counts->sums.skipped[reason]++;
    log_debug_here("skipped: %s: %s", shown, skip_reason_words(reason));
}

static void report_repairs(struct intake_counts *counts, const struct midi_repairs *repairs, const char *shown)
{
    uint32_t total = midi_repairs_total(repairs);
    counts->num_repaired += total > 0;
    for (int repair = 0; repair < NUM_MIDI_REPAIRS; repair++)
        counts->repairs[repair] += repairs->counts[repair];
    for (uint32_t i = 0; i < repairs->num_described; i++)
        log_warning("%s: %s", shown, repairs->texts[i]);
    if (total > repairs->num_described)
        log_warning("%s: and %u more repairs like these", shown, total - repairs->num_described);
}

enum loading { LOADED, LOADING_SKIPPED, LOADING_FAILED };

/* The system's failure is none of the file's: with memory, a descriptor or a disk that answers it might be kept. */
static bool is_failure(enum midi_fault fault, const struct intake_rules *rules, const struct error *error)
{
    return error->number == ENOMEM || (fault == MIDI_UNREADABLE && error->number != 0 && !rules->skip_unreadable);
}

/* Loads a file; where it can't be used, warns and counts. */
static enum loading load(struct midi *midi, struct intake_counts *counts, const char *folder, const char *path,
                         const char *shown, const struct intake_rules *rules, struct error *error)
{
    enum midi_fault fault;
    char *full_path = path_join(folder, path);
    bool ok = midi_load(midi, full_path, rules->strict, &fault, error);
    free(full_path);
    if (ok) {
        report_repairs(counts, &midi->repairs, shown);
        return LOADED;
    }
    if (is_failure(fault, rules, error)) {
        if (error->number != ENOMEM)
            error_append(error, "; --skip_unreadable skips such files");
        return LOADING_FAILED;
    }
    enum skip_reason reason = SKIPPED_DAMAGED;
    if (fault == MIDI_UNREADABLE)
        reason = SKIPPED_UNREADABLE;
    else if (fault == MIDI_UNSUPPORTED)
        reason = SKIPPED_UNSUPPORTED;
    counts->sums.skipped[reason]++;
    char *message = intake_shown_path(error->message);
    log_warning("skipped: %s", message ? message : shown);
    free(message);
    return LOADING_SKIPPED;
}

/* Bars [first, end) of a grid. */
struct stretch {
    uint32_t first, end;
};

static bool bar_is_silent(const struct grid *grid, uint32_t bar, uint32_t bar_steps)
{
    size_t cells = (size_t)bar_steps * NUM_DRUMS;
    return memchr(grid->hits + bar * cells, 1, cells) == NULL;
}

/* The stretch from its `first` bar up to the last hit before a long silence; `first` of the next one, the bar of its first hit,
 * is returned, and is the number of bars where there is none. */
static uint32_t find_end(struct stretch *stretch, const struct grid *grid, uint32_t bar_steps)
{
    uint32_t num_bars = grid->num_steps / bar_steps, last = stretch->first;
    bool any = false;
    for (uint32_t bar = stretch->first; bar < num_bars; bar++) {
        if (bar_is_silent(grid, bar, bar_steps))
            continue;
        if (any && bar - last > INTAKE_LONG_SILENCE + 1) {
            stretch->end = last + 1;
            return bar;
        }
        any = true;
        last = bar;
    }
    stretch->end = num_bars;
    return num_bars;
}

/* The reason to skip a part, NUM_SKIP_REASONS for none. */
static enum skip_reason judge(const struct grid_part *part, const struct intake_rules *rules)
{
    if (part->fault == GRID_NO_DRUMS)
        return SKIPPED_NO_DRUMS;
    if (rules->only_beat && !time_signature_same_bar(part->time_signature, rules->beat))
        return SKIPPED_TIME_SIGNATURE;
    if (part->fault == GRID_BROKEN_BAR)
        return SKIPPED_BROKEN_BAR;
    if (part->fault == GRID_TOO_LONG)
        return SKIPPED_LONG;
    return NUM_SKIP_REASONS;
}

static bool take_stretch(struct shard_writer *writer, struct intake_counts *counts, const struct grid_part *part,
                         struct stretch stretch, const struct midi *midi, const struct performance *about,
                         struct error *error)
{
    uint32_t bar_steps = time_signature_bar_steps(part->time_signature);
    struct grid grid = part->grid; /* whose arrays it shares */
    size_t cell = (size_t)stretch.first * bar_steps * NUM_DRUMS;
    grid.num_steps = (stretch.end - stretch.first) * bar_steps;
    grid.hits += cell;
    grid.velocity += cell;
    grid.offset += cell;
    if (stretch.first > 0)
        grid.qpm = grid_starting_qpm(midi, grid_tick_of_step(part, stretch.first * bar_steps, midi->ppq));
    if (!shard_writer_append(writer, about, &grid, error))
        return false;
    counts->sums.num_kept++;
    counts->sums.num_hits += grid_count_hits(&grid);
    return true;
}

/* A part, without its long silences. */
static bool take_part(struct shard_writer *writer, struct intake_counts *counts, const struct grid_part *part,
                      const struct midi *midi, const struct performance *about, const struct intake_rules *rules,
                      struct error *error)
{
    uint32_t bar_steps = time_signature_bar_steps(part->time_signature), num_bars = part->grid.num_steps / bar_steps;
    struct stretch stretch = {0, 0};
    for (uint32_t next = 0; next < num_bars; stretch.first = next) {
        next = find_end(&stretch, &part->grid, bar_steps);
        counts->sums.num_silent_bars += next - stretch.end;
        if (stretch.end - stretch.first < rules->min_bars)
            skip(counts, SKIPPED_SHORT, about->path);
        else if (!take_stretch(writer, counts, part, stretch, midi, about, error))
            return false;
    }
    return true;
}

static bool take_parts(struct shard_writer *writer, struct intake_counts *counts, const struct grid_list *list,
                       const struct midi *midi, const struct performance *about, const struct intake_rules *rules,
                       struct error *error)
{
    for (size_t p = 0; p < list->count; p++) {
        const struct grid_part *part = &list->parts[p];
        enum skip_reason reason = judge(part, rules);
        if (reason != NUM_SKIP_REASONS) {
            skip(counts, reason, about->path);
            continue;
        }
        if (!take_part(writer, counts, part, midi, about, rules, error))
            return false;
    }
    return true;
}

static void report_lost(const char *shown, uint8_t pitch, uint64_t notes)
{
    char label[DRUM_PITCH_LABEL_SIZE];
    drum_pitch_label(label, pitch);
    log_debug_here("skipped: %s: %llu note%s of pitch %d (%s)", shown, (unsigned long long)notes, PLURAL(notes), pitch,
                   label);
}

/* Adds the file's notes, and names at debug level those that the map does not know. */
static void take_census(struct intake_counts *counts, const struct midi *midi, const struct drum_map *map,
                        const char *shown)
{
    struct pitch_census *census = &counts->census;
    uint64_t lost = 0;
    struct pitch_census own = {{0}, {0}};
    for (size_t i = 0; i < midi->num_onsets; i++)
        own.notes[midi->onsets[i].pitch]++;
    for (int pitch = 0; pitch < NUM_PITCHES; pitch++) {
        if (own.notes[pitch] == 0)
            continue;
        census->notes[pitch] += own.notes[pitch];
        census->files[pitch]++;
        if (drum_class_of_pitch(map, (uint8_t)pitch) == DRUM_NONE) {
            report_lost(shown, (uint8_t)pitch, own.notes[pitch]);
            lost += own.notes[pitch];
        }
    }
    if (10 * lost <= midi->num_onsets)
        return;
    counts->num_lossy++;
    log_debug_here("%s: drum map %s skips %llu of %zu drum notes", shown, map->name, (unsigned long long)lost,
                   midi->num_onsets);
}

/* Leaves the drums in *midi. False where nothing says that there are any. */
static bool keep_drums(struct midi *midi, struct intake_counts *counts, const struct intake_rules *rules,
                       const char *shown)
{
    struct drum_finding finding;
    size_t num_notes = midi->num_onsets;
    drum_notes_keep(midi, &finding, &rules->choice, &rules->map, shown);
    counts->evidence[finding.evidence]++;
    if (finding.evidence == DRUMS_UNKNOWN) {
        counts->sums.num_melodic += num_notes;
        skip(counts, SKIPPED_NOT_DRUMS, shown);
        return false;
    }
    counts->sums.num_melodic += finding.num_skipped;
    counts->num_replaced += finding.replaced;
    if (finding.replaced)
        log_warning("%s: %s; --channel and --track override", shown, finding.words);
    else if (finding.words[0] != '\0')
        log_debug_here("%s: %s", shown, finding.words);
    return true;
}

static void hash_step(struct sha256_ctx *context, uint32_t step)
{
    uint8_t bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(step >> 8 * i);
    sha256_update(context, sizeof bytes, bytes);
}

/* A hash of the steps that are hit, in all stretches of the file, whatever drum, velocity or offset. */
static uint64_t hash_of_onsets(const struct grid_list *list)
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    uint64_t number = 0;
    sha256_init(&context);
    for (size_t p = 0; p < list->count; p++) {
        const struct grid *grid = &list->parts[p].grid;
        for (uint32_t step = 0; step < grid->num_steps; step++)
            for (size_t drum = 0; drum < NUM_DRUMS; drum++)
                if (grid->hits[(size_t)step * NUM_DRUMS + drum]) {
                    hash_step(&context, step);
                    break;
                }
        hash_step(&context, UINT32_MAX);
    }
    sha256_digest(&context, sizeof digest, digest);
    for (int i = 0; i < 8; i++)
        number = number << 8 | digest[i];
    return number;
}

static bool keep_key(struct intake_counts *counts, struct intake_key key, struct error *error)
{
    if (counts->num_keys == counts->keys_capacity) {
        size_t capacity = 2 * counts->keys_capacity + 256;
        struct intake_key *keys = realloc(counts->keys, capacity * sizeof *keys);
        if (!keys)
            return error_set(error, "no memory for the hashes of %zu files", capacity);
        counts->keys = keys;
        counts->keys_capacity = capacity;
    }
    counts->keys[counts->num_keys++] = key;
    return true;
}

/* The grids of a file whose drums are in `midi`, into the shard. */
static bool take_grids(struct shard_writer *writer, struct intake_counts *counts, const struct midi *midi,
                       struct performance *about, const struct performance_info *info, struct time_signature fallback,
                       const struct intake_rules *rules, struct error *error)
{
    struct grid_list list;
    uint64_t num_kept = counts->sums.num_kept;
    if (!grid_list_make(&list, midi, &rules->map, fallback, error))
        return false;
    uint64_t key = hash_of_onsets(&list);
    if (!info || info->split == NUM_SPLITS)
        about->split = rules->split_by_path ? split_by_hash(about->path) : split_of_number(key);
    counts->sums.num_unknown += list.num_unknown;
    bool ok = take_parts(writer, counts, &list, midi, about, rules, error);
    if (ok && counts->sums.num_kept > num_kept)
        ok = keep_key(counts, (struct intake_key){key, about->split}, error);
    grid_list_free(&list);
    return ok;
}

static bool take_file(struct shard_writer *writer, struct intake_counts *counts, const char *folder, const char *path,
                      char *shown, const struct splits *splits, const struct intake_rules *rules, struct error *error)
{
    static char unknown[] = "";
    const struct performance_info *info = splits_find(splits, path);
    struct performance about = {.path = shown, .style = unknown, .drummer = unknown};
    struct time_signature fallback = {4, 4};
    struct midi midi;
    if (strlen(shown) > PERFORMANCE_TEXT_MAX) {
        counts->sums.skipped[SKIPPED_NAME]++;
        log_warning("skipped: %s: its name is too long", shown);
        return true;
    }
    if (info) {
        about.split = info->split;
        about.style = info->style;
        about.drummer = info->drummer;
        about.beat_type = info->beat_type;
    }
    enum loading loading = load(&midi, counts, folder, path, shown, rules, error);
    if (loading != LOADED)
        return loading == LOADING_SKIPPED;
    if (info && info->time_signature.numerator > 0)
        fallback = info->time_signature;
    else if (midi.num_time_signatures == 0)
        counts->num_name_signatures += take_name_signature(&fallback, path);
    bool ok = true;
    if (keep_drums(&midi, counts, rules, shown)) {
        take_census(counts, &midi, &rules->map, shown);
        ok =
            take_grids(writer, counts, &midi, &about, info, fallback, rules, error) || error_prefix(error, "%s", shown);
    }
    midi_free(&midi);
    return ok;
}

bool intake_file(struct shard_writer *writer, struct intake_counts *counts, const char *folder, const char *path,
                 const struct splits *splits, const struct intake_rules *rules, struct error *error)
{
    char *shown = intake_shown_path(path);
    counts->sums.num_files++;
    if (!shown)
        return error_set(error, "no memory for the name of a file");
    bool ok = take_file(writer, counts, folder, path, shown, splits, rules, error);
    free(shown);
    return ok;
}

void intake_counts_free(struct intake_counts *counts)
{
    free(counts->keys);
    *counts = (struct intake_counts){0};
}
