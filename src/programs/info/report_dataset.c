/* The page of a data set: what is in it, how it is distributed, and what is missing. */
#include "data/dataset/dataset.h"
#include "programs/info/kinds.h"
#include "programs/info/report_page.h"
#include "programs/info/report_pages.h"
#include "programs/info/report_plots.h"
#include "programs/info/report_text.h"
#include "run/json_members.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    VELOCITY_BINS = 32,
    OFFSET_BINS = 33,
    LEAST_TEMPO_BINS = 9,
    MOST_TEMPO_BINS = 40,
    MOST_GROUPS = 24,
    MOST_LOST = 40
};

/* Counts of hits; by drum, from the top of a drum roll to its bottom. */
struct distributions {
    double drums[NUM_DRUMS][NUM_SPLITS];
    double positions[NUM_DRUMS][GRID_BAR_STEPS]; /* in bars of 16 steps alone */
    double velocities[NUM_DRUMS][VELOCITY_BINS], all_velocities[VELOCITY_BINS];
    double offsets[NUM_DRUMS][OFFSET_BINS], all_offsets[OFFSET_BINS]; /* early ones first */
};

static const int lanes[NUM_DRUMS] = {7, 8, 6, 5, 4, 3, 2, 1, 0};
static const char *const split_names[NUM_SPLITS] = {"train", "validation", "test"};

static void count_hit(struct distributions *counts, int lane, int velocity, double offset)
{
    int bin = (velocity - 1) * VELOCITY_BINS / 127;
    counts->velocities[lane][bin]++;
    counts->all_velocities[bin]++;
    bin = (int)((1 - offset) / 2 * OFFSET_BINS);
    bin = bin < OFFSET_BINS ? bin : OFFSET_BINS - 1;
    counts->offsets[lane][bin]++;
    counts->all_offsets[bin]++;
}

static void count_performance(struct distributions *counts, const struct dataset *dataset,
                              const struct performance *row)
{
    bool has_positions = time_signature_bar_steps(row->time_signature) == GRID_BAR_STEPS;
    for (uint32_t step = 0; step < row->num_steps; step++)
        for (int lane = 0; lane < NUM_DRUMS; lane++) {
            size_t cell = ((size_t)row->first_step + step) * NUM_DRUMS + (size_t)lanes[lane];
            if (!dataset->hits[cell])
                continue;
            counts->drums[lane][row->split]++;
            if (has_positions)
                counts->positions[lane][step % GRID_BAR_STEPS]++;
            count_hit(counts, lane, dataset->velocity[cell], (double)dataset->offset[cell]);
        }
}

static void put_facts(FILE *out, const json_t *object)
{
    const json_t *splits = json_object_get(object, "splits"), *counts;
    const char *name;
    double hours = 0;
    int64_t hits = 0, skipped = 0;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)splits, name, value)
    {
        counts = value;
        hours += member_number(counts, "hours");
        hits += member_int(counts, "hits");
    }
    json_object_foreach(json_object_get(object, "skipped_files"), name, value) skipped += json_integer_value(value);
    fprintf(out, "<div class=\"facts\">\n");
    report_put_fact(out, "Performances", "%" PRId64, member_int(object, "num_performances"));
    report_put_fact(out, "Hours", "%.2f", hours);
    report_put_fact(out, "Hits", "%" PRId64, hits);
    report_put_fact(out, "Tempo, quarter notes per minute", "%.4g to %.4g", member_number(object, "slowest_qpm"),
                    member_number(object, "fastest_qpm"));
    report_put_fact(out, "MIDI files found", "%" PRId64, member_int(object, "num_files"));
    report_put_fact(out, "Files or performances skipped", "%" PRId64, skipped);
    report_put_fact(out, "Drum map", "%s", member_string(object, "drum_map"));
    report_put_fact(out, "Shards", "%" PRId64, member_int(object, "num_shards"));
    report_put_fact(out, "content_sha256", "%s", member_string(object, "content_sha256"));
    fprintf(out, "</div>\n");
}

/* One row of the table of splits: member `key`, in the object `inside` where that is not NULL. */
static void put_split_row(FILE *out, const json_t *splits, const char *label, const char *inside, const char *key,
                          int decimals)
{
    double total = 0;
    fprintf(out, "<tr><td class=\"wide\">%s", label);
    for (int split = 0; split < NUM_SPLITS; split++) {
        const json_t *counts = json_object_get(splits, split_names[split]);
        double number = member_number(inside ? json_object_get(counts, inside) : counts, key);
        fprintf(out, "<td class=\"number\">%.*f", decimals, number);
        total += number;
    }
    fprintf(out, "<td class=\"number\">%.*f</tr>\n", decimals, total);
}

static void put_splits(FILE *out, const json_t *object)
{
    const json_t *splits = json_object_get(object, "splits");
    const char *key, *words;
    fprintf(out, "<h2>Splits</h2>\n<div class=\"scroll\"><table><tr><th>");
    for (int split = 0; split < NUM_SPLITS; split++)
        fprintf(out, "<th class=\"number\">%s", split_names[split]);
    fprintf(out, "<th class=\"number\">total</tr>\n");
    put_split_row(out, splits, "performances", NULL, "performances", 0);
    put_split_row(out, splits, "hours", NULL, "hours", 2);
    put_split_row(out, splits, "hits", NULL, "hits", 0);
    put_split_row(out, splits, "steps (sixteenths)", NULL, "steps", 0);
    for (size_t i = 0; (words = info_window_kind(i, &key)); i++)
        put_split_row(out, splits, words, "windows", key, 0);
    fprintf(out, "</table></div>\n");
}

static int compare_bars(const void *left, const void *right)
{
    const struct report_bar *a = left, *b = right;
    double x = a->parts[0] + a->parts[1] + a->parts[2], y = b->parts[0] + b->parts[1] + b->parts[2];
    return x != y ? (x > y ? -1 : 1) : strcmp(a->label, b->label);
}

/* Performances by style, drummer and the like: the largest groups, and the others together. Nothing where all are unknown. */
static void put_group(FILE *out, const json_t *object, const char *key, const char *title)
{
    json_t *group = json_object_get(object, key), *counts;
    const char *name;
    char others[64];
    size_t count = 0;
    if (json_object_size(group) == 1 && json_object_get(group, ""))
        return;
    struct report_bar *bars = calloc(json_object_size(group) + 1, sizeof *bars);
    if (!bars)
        return;
    json_object_foreach(group, name, counts)
    {
        bars[count].label = *name ? name : "(unknown)";
        for (int split = 0; split < NUM_SPLITS; split++)
            bars[count].parts[split] = (double)member_int(counts, split_names[split]);
        count++;
    }
    qsort(bars, count, sizeof *bars, compare_bars);
    if (count > MOST_GROUPS) {
        struct report_bar *last = &bars[MOST_GROUPS];
        snprintf(others, sizeof others, "%zu others", count - MOST_GROUPS);
        for (size_t i = MOST_GROUPS + 1; i < count; i++)
            for (int split = 0; split < NUM_SPLITS; split++)
                last->parts[split] += bars[i].parts[split];
        last->label = others;
        count = MOST_GROUPS + 1;
    }
    report_put_bars(out, title, bars, count, split_names, NUM_SPLITS);
    free(bars);
}

/* In bins of a round width, from a multiple of it on. */
static void put_tempos(FILE *out, const json_t *object, const struct performance_table *table)
{
    double slowest = member_number(object, "slowest_qpm"), fastest = member_number(object, "fastest_qpm"), width = 5;
    double counts[MOST_TEMPO_BINS + 1] = {0};
    char left[32], right[32];
    while ((fastest - slowest) / width > MOST_TEMPO_BINS - 1)
        width *= 2;
    double from = floor(slowest / width) * width;
    size_t bins = (size_t)((fastest - from) / width) + 1;
    bins = bins < MOST_TEMPO_BINS ? bins : MOST_TEMPO_BINS;
    if (bins < LEAST_TEMPO_BINS) {
        from = fmax(0, from - width * floor((double)(LEAST_TEMPO_BINS - bins) / 2));
        bins = LEAST_TEMPO_BINS;
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t bin = (size_t)(((double)table->rows[i].qpm - from) / width);
        counts[bin < bins ? bin : bins - 1]++;
    }
    snprintf(left, sizeof left, "%.4g", from);
    snprintf(right, sizeof right, "%.4g", from + width * (double)bins);
    const struct report_axis axis = {left, "quarter notes per minute", right};
    report_put_histogram(out, "Tempo, by performance", counts, bins, from, from + width * (double)bins, &axis);
}

static void put_hits(FILE *out, const struct distributions *counts)
{
    struct report_bar bars[NUM_DRUMS];
    const char *names[NUM_DRUMS];
    const struct report_axis velocity = {"1", "velocity", "127"}, offset = {"early", "on the grid", "late"},
                             position = {"1", "step of the bar", "16"};
    for (int lane = 0; lane < NUM_DRUMS; lane++) {
        names[lane] = drum_name(lanes[lane]);
        bars[lane] = (struct report_bar){.label = names[lane]};
        for (int split = 0; split < NUM_SPLITS; split++)
            bars[lane].parts[split] = counts->drums[lane][split];
    }
    fprintf(out, "<h2>Hits</h2>\n<p class=\"faint\">In heat maps each drum is shaded by its own most frequent value, "
                 "by the square root. Early "
                 "and late are up to half a sixteenth.</p>\n<div class=\"plots\">\n");
    report_put_bars(out, "Drums, by hits", bars, NUM_DRUMS, split_names, NUM_SPLITS);
    report_put_heat_map(out, "Place in the bar (4/4)", &counts->positions[0][0], names, NUM_DRUMS, GRID_BAR_STEPS,
                        &position);
    report_put_histogram(out, "Velocity", counts->all_velocities, VELOCITY_BINS, 1, 127, &velocity);
    report_put_heat_map(out, "Velocity by drum", &counts->velocities[0][0], names, NUM_DRUMS, VELOCITY_BINS, &velocity);
    report_put_histogram(out, "Timing, in sixteenths", counts->all_offsets, OFFSET_BINS, -0.5, 0.5, &offset);
    report_put_heat_map(out, "Timing by drum", &counts->offsets[0][0], names, NUM_DRUMS, OFFSET_BINS, &offset);
    fprintf(out, "</div>\n");
}

static void put_count_row(FILE *out, int64_t count, const char *what, const char *why)
{
    if (count > 0)
        fprintf(out, "<tr><td class=\"number\">%" PRId64 "<td>%s<td class=\"wide\">%s</tr>\n", count, what, why);
}

static void put_lost(FILE *out, const json_t *lost)
{
    size_t i, count = json_array_size(lost);
    json_t *pitch;
    if (count == 0)
        return;
    fprintf(out, "<h3>Drum notes that the drum map does not know</h3>\n<div class=\"scroll\"><table><tr><th "
                 "class=\"number\">pitch<th>name<th class=\"number\">notes<th class=\"number\">files</tr>\n");
    json_array_foreach(lost, i, pitch)
    {
        if (i == MOST_LOST)
            break;
        fprintf(out, "<tr><td class=\"number\">%" PRId64 "<td>", member_int(pitch, "pitch"));
        report_put_text(out, member_string(pitch, "name"));
        fprintf(out, "<td class=\"number\">%" PRId64 "<td class=\"number\">%" PRId64 "</tr>\n",
                member_int(pitch, "notes"), member_int(pitch, "files"));
    }
    fprintf(out, "</table></div>\n");
    if (count > MOST_LOST)
        fprintf(out, "<p class=\"faint\">And %zu more pitches: drumline-info --json lists all.</p>\n",
                count - MOST_LOST);
}

static void put_skipped(FILE *out, const json_t *object)
{
    const json_t *files = json_object_get(object, "skipped_files"), *notes = json_object_get(object, "skipped_notes");
    int64_t total =
        member_int(notes, "melodic") + member_int(notes, "unknown") + member_int(object, "skipped_silent_bars");
    for (int reason = 0; reason < NUM_SKIP_REASONS; reason++)
        total += member_int(files, skip_reason_name((enum skip_reason)reason));
    fprintf(out, "<h2>Skipped</h2>\n");
    if (total == 0) {
        fprintf(out, "<p>Nothing.</p>\n");
        return;
    }
    fprintf(out, "<div class=\"scroll\"><table><tr><th class=\"number\">number<th>of<th>why</tr>\n");
    for (int reason = 0; reason < NUM_SKIP_REASONS; reason++)
        put_count_row(out, member_int(files, skip_reason_name((enum skip_reason)reason)), "files or performances",
                      skip_reason_words((enum skip_reason)reason));
    put_count_row(out, member_int(notes, "melodic"), "notes", "not on the drum channel");
    put_count_row(out, member_int(notes, "unknown"), "notes", "pitch maps to none of the nine drums");
    put_count_row(out, member_int(object, "skipped_silent_bars"), "bars", "in long silences");
    fprintf(out, "</table></div>\n");
    put_lost(out, json_object_get(object, "lost_pitches"));
}

static void put_page(FILE *out, const json_t *object, const struct dataset *dataset, const struct distributions *counts)
{
    report_put_head(out, member_string(object, "path"), 0);
    put_facts(out, object);
    put_splits(out, object);
    fprintf(out, "<h2>Performances</h2>\n<div class=\"plots\">\n");
    put_group(out, object, "styles", "Styles");
    put_tempos(out, object, &dataset->index.table);
    put_group(out, object, "beat_types", "Beats and fills");
    put_group(out, object, "time_signatures", "Time signatures");
    put_group(out, object, "drummers", "Drummers");
    fprintf(out, "</div>\n");
    put_hits(out, counts);
    put_skipped(out, object);
    report_put_foot(out);
}

bool report_put_dataset(FILE *out, const char *folder, const struct report_options *options, struct error *error)
{
    (void)options;
    struct distributions *counts = calloc(1, sizeof *counts);
    struct dataset *dataset = counts ? dataset_open(folder, error) : NULL;
    if (!counts)
        error_set(error, "%s: out of memory", folder);
    if (dataset) {
        json_t *object = json_object();
        json_object_set_new(object, "path", json_clean_text(folder));
        info_describe_dataset(object, dataset);
        for (size_t i = 0; i < dataset->index.table.count; i++)
            count_performance(counts, dataset, &dataset->index.table.rows[i]);
        put_page(out, object, dataset, counts);
        json_decref(object);
    }
    bool ok = dataset != NULL;
    dataset_close(dataset);
    free(counts);
    return ok;
}
