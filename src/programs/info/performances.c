/* Shards and data sets: counts by split, time signature, style and drummer. */
#include "base/text.h"
#include "data/dataset/shard.h"
#include "data/dataset/windows.h"
#include "programs/info/kinds.h"
#include "run/json_members.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_COLUMNS = 36, GROUPS_SHOWN = 24 };

/* The windows that are counted: those that the configs use. */
static const struct window_kind {
    const char *name, *words;
    uint32_t bars, hop_bars;
} window_kinds[] = {
    {"2_bars_apart",     "windows of 2 bars, no overlap", 2, 2},
    {"2_bars_every_bar", "windows of 2 bars, every bar",  2, 1},
    {"4_bars_apart",     "windows of 4 bars, no overlap", 4, 4},
    {"4_bars_every_bar", "windows of 4 bars, every bar",  4, 1},
};
enum { NUM_WINDOW_KINDS = sizeof window_kinds / sizeof window_kinds[0] };

const char *info_window_kind(size_t number, const char **key)
{
    if (number >= NUM_WINDOW_KINDS)
        return NULL;
    *key = window_kinds[number].name;
    return window_kinds[number].words;
}

struct split_counts {
    uint64_t performances, steps, hits, windows[NUM_WINDOW_KINDS];
    double hours;
};

static void count_performance(struct split_counts *counts, const struct performance *row, const uint8_t *hits)
{
    counts->performances++;
    counts->steps += row->num_steps;
    counts->hours += (double)row->num_steps / STEPS_PER_QUARTER / (double)row->qpm / 60;
    for (size_t i = 0; i < (size_t)row->num_steps * NUM_DRUMS; i++)
        counts->hits += hits[(size_t)row->first_step * NUM_DRUMS + i];
    for (int kind = 0; kind < NUM_WINDOW_KINDS; kind++)
        counts->windows[kind] += windows_in(row, window_kinds[kind].bars, window_kinds[kind].hop_bars);
}

static json_t *json_of_count(uint64_t count)
{
    return json_integer((json_int_t)count);
}

static json_t *json_of_counts(const struct split_counts *counts)
{
    json_t *object = json_object(), *windows = json_object();
    json_object_set_new(object, "performances", json_of_count(counts->performances));
    json_object_set_new(object, "steps", json_of_count(counts->steps));
    json_object_set_new(object, "hits", json_of_count(counts->hits));
    json_object_set_new(object, "hours", json_real(counts->hours));
    for (int kind = 0; kind < NUM_WINDOW_KINDS; kind++)
        json_object_set_new(windows, window_kinds[kind].name, json_of_count(counts->windows[kind]));
    json_object_set_new(object, "windows", windows);
    return object;
}

/* Counts one more of `name`, which a file gave, in a group, by split. */
static void add_to_group(json_t *group, const char *name, enum split split)
{
    json_t *clean = json_clean_text(name), *counts = json_object_get(group, json_string_value(clean));
    if (!counts) {
        counts = json_object();
        json_object_set_new(group, json_string_value(clean), counts);
    }
    json_object_set_new(counts, split_name(split), json_integer(member_int(counts, split_name(split)) + 1));
    json_decref(clean);
}

static void read_performances(json_t *object, const struct performance_table *table, const uint8_t *hits)
{
    struct split_counts counts[NUM_SPLITS] = {{0}};
    double slowest = 0, fastest = 0;
    json_t *splits = json_object(), *beats = json_object(), *styles = json_object(), *drummers = json_object(),
           *types = json_object();
    for (size_t i = 0; i < table->count; i++) {
        const struct performance *row = &table->rows[i];
        char beat[16];
        snprintf(beat, sizeof beat, "%d/%d", row->time_signature.numerator, row->time_signature.denominator);
        count_performance(&counts[row->split], row, hits);
        add_to_group(beats, beat, row->split);
        add_to_group(styles, row->style, row->split);
        add_to_group(drummers, row->drummer, row->split);
        add_to_group(types, beat_type_name(row->beat_type), row->split);
        slowest = i == 0 || (double)row->qpm < slowest ? (double)row->qpm : slowest;
        fastest = (double)row->qpm > fastest ? (double)row->qpm : fastest;
    }
    for (int split = 0; split < NUM_SPLITS; split++)
        json_object_set_new(splits, split_name((enum split)split), json_of_counts(&counts[split]));
    json_object_set_new(object, "num_performances", json_of_count(table->count));
    json_object_set_new(object, "slowest_qpm", json_real(slowest));
    json_object_set_new(object, "fastest_qpm", json_real(fastest));
    json_object_set_new(object, "splits", splits);
    json_object_set_new(object, "time_signatures", beats);
    json_object_set_new(object, "styles", styles);
    json_object_set_new(object, "drummers", drummers);
    json_object_set_new(object, "beat_types", types);
}

bool info_read_shard(json_t *object, const char *path, struct error *error)
{
    struct shard shard;
    if (!shard_read(&shard, path, error))
        return false;
    read_performances(object, &shard.table, shard.hits);
    shard_free(&shard);
    return true;
}

static void read_skipped(json_t *object, const struct dataset_counts *counts)
{
    json_t *files = json_object(), *notes = json_object();
    for (int reason = 0; reason < NUM_SKIP_REASONS; reason++)
        json_object_set_new(files, skip_reason_name((enum skip_reason)reason), json_of_count(counts->skipped[reason]));
    json_object_set_new(notes, "melodic", json_of_count(counts->num_melodic));
    json_object_set_new(notes, "unknown", json_of_count(counts->num_unknown));
    json_object_set_new(object, "num_files", json_of_count(counts->num_files));
    json_object_set_new(object, "skipped_silent_bars", json_of_count(counts->num_silent_bars));
    json_object_set_new(object, "skipped_files", files);
    json_object_set_new(object, "skipped_notes", notes);
}

void info_describe_dataset(json_t *object, const struct dataset *dataset)
{
    json_object_set_new(object, "content_sha256", json_clean_text(dataset_content_sha256(dataset)));
    json_object_set_new(object, "num_shards", json_of_count(dataset->index.num_shards));
    read_performances(object, &dataset->index.table, dataset->hits);
    json_object_set_new(object, "drum_map", json_clean_text(dataset->index.drum_map.name));
    read_skipped(object, &dataset->index.counts);
    json_object_set_new(object, "lost_pitches", info_json_of_lost(dataset->index.lost, dataset->index.num_lost));
}

bool info_read_dataset(json_t *object, const char *folder, struct error *error)
{
    struct dataset *dataset = dataset_open(folder, error);
    if (!dataset)
        return false;
    info_describe_dataset(object, dataset);
    dataset_close(dataset);
    return true;
}

static void print_heading(FILE *out, const char *title)
{
    putc('\n', out);
    info_print_column(out, title, LABEL_COLUMNS);
    fprintf(out, "%11s%11s%11s%11s\n", "train", "validation", "test", "total");
}

/* One line of numbers: member `key` of each split, in the object `inside` of it where that is not NULL. */
static void print_counts(FILE *out, const json_t *splits, const char *label, const char *inside, const char *key,
                         int decimals)
{
    double total = 0;
    fprintf(out, "  ");
    info_print_column(out, label, LABEL_COLUMNS - 2);
    for (int split = 0; split < NUM_SPLITS; split++) {
        const json_t *counts = json_object_get(splits, split_name((enum split)split));
        double number = member_number(inside ? json_object_get(counts, inside) : counts, key);
        fprintf(out, "%11.*f", decimals, number);
        total += number;
    }
    fprintf(out, "%11.*f\n", decimals, total);
}

struct group_row {
    const char *name;
    const json_t *counts;
    int64_t total;
};

static int compare_rows(const void *left, const void *right)
{
    const struct group_row *a = left, *b = right;
    if (a->total != b->total)
        return a->total > b->total ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void print_group(FILE *out, const json_t *object, const char *key, const char *title)
{
    json_t *group = json_object_get(object, key), *counts;
    const char *name;
    size_t count = 0;
    struct group_row *rows = calloc(json_object_size(group) + 1, sizeof *rows);
    if (!rows)
        return;
    json_object_foreach(group, name, counts)
    {
        rows[count] = (struct group_row){name, counts, 0};
        for (int split = 0; split < NUM_SPLITS; split++)
            rows[count].total += member_int(counts, split_name((enum split)split));
        count++;
    }
    qsort(rows, count, sizeof *rows, compare_rows);
    print_heading(out, title);
    for (size_t i = 0; i < count && i < GROUPS_SHOWN; i++) {
        fprintf(out, "  ");
        info_print_column(out, rows[i].name[0] ? rows[i].name : "(unknown)", LABEL_COLUMNS - 2);
        for (int split = 0; split < NUM_SPLITS; split++)
            fprintf(out, "%11" PRId64, member_int(rows[i].counts, split_name((enum split)split)));
        fprintf(out, "%11" PRId64 "\n", rows[i].total);
    }
    if (count > GROUPS_SHOWN)
        fprintf(out, "  ... and %zu more: --json lists all\n", count - GROUPS_SHOWN);
    free(rows);
}

static void print_skipped(FILE *out, const json_t *object)
{
    const json_t *files = json_object_get(object, "skipped_files"), *notes = json_object_get(object, "skipped_notes");
    int64_t melodic = member_int(notes, "melodic"), unknown = member_int(notes, "unknown");
    info_print_field(out, "source", "%" PRId64 " MIDI file%s", member_int(object, "num_files"),
                     PLURAL(member_int(object, "num_files")));
    for (int reason = 0; reason < NUM_SKIP_REASONS; reason++) {
        int64_t count = member_int(files, skip_reason_name((enum skip_reason)reason));
        if (count > 0)
            info_print_field(out, "skipped", "%" PRId64 ": %s", count, skip_reason_words((enum skip_reason)reason));
    }
    if (melodic > 0)
        info_print_field(out, "skipped", "%" PRId64 " note%s: not on the drum channel", melodic, PLURAL(melodic));
    if (unknown > 0)
        info_print_field(out, "skipped", "%" PRId64 " note%s: pitch maps to none of the nine drums", unknown,
                         PLURAL(unknown));
    info_print_lost(out, json_object_get(object, "lost_pitches"));
    if (member_int(object, "skipped_silent_bars") > 0)
        info_print_field(out, "skipped", "%" PRId64 " bar%s: in long silences",
                         member_int(object, "skipped_silent_bars"), PLURAL(member_int(object, "skipped_silent_bars")));
}

void info_print_performances(FILE *out, const json_t *object)
{
    const json_t *splits = json_object_get(object, "splits");
    bool is_dataset = strcmp(member_string(object, "kind"), "dataset") == 0;
    fprintf(out, "%s: %s, valid\n", member_string(object, "path"), is_dataset ? "data set" : "shard");
    if (is_dataset) {
        info_print_field(out, "content", "%s", member_string(object, "content_sha256"));
        info_print_field(out, "shards", "%" PRId64, member_int(object, "num_shards"));
        info_print_field(out, "drum map", "%s", member_string(object, "drum_map"));
        print_skipped(out, object);
    }
    info_print_field(out, "tempo", "%.4g to %.4g quarter notes per minute", member_number(object, "slowest_qpm"),
                     member_number(object, "fastest_qpm"));
    print_heading(out, "");
    print_counts(out, splits, "performances", NULL, "performances", 0);
    print_counts(out, splits, "steps (sixteenths)", NULL, "steps", 0);
    print_counts(out, splits, "hits", NULL, "hits", 0);
    print_counts(out, splits, "hours", NULL, "hours", 2);
    for (int kind = 0; kind < NUM_WINDOW_KINDS; kind++)
        print_counts(out, splits, window_kinds[kind].words, "windows", window_kinds[kind].name, 0);
    if (json_object_get(json_object_get(object, "beat_types"), beat_type_name(BEAT_TYPE_BEAT)) ||
        json_object_get(json_object_get(object, "beat_types"), beat_type_name(BEAT_TYPE_FILL)))
        print_group(out, object, "beat_types", "beat or fill");
    print_group(out, object, "time_signatures", "time signature");
    print_group(out, object, "styles", "style");
    print_group(out, object, "drummers", "drummer");
}
