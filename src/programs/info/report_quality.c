#include "programs/info/report_quality.h"

#include "base/io/files.h"
#include "base/metric.h"
#include "base/text.h"
#include "data/quality/comparison.h"
#include "data/quality/distributions.h"
#include "programs/info/report_text.h"
#include "run/json_members.h"
#include "run/run_folder.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 256 << 20, PLOT_WIDTH = 220, PLOT_HEIGHT = 90, KEY_SIZE = 96 };

/* The last line of --mode=eval; the caller's. NULL: none. */
static json_t *last_line(const char *run_dir)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct error none;
    json_t *found = NULL;
    char *folder = run_eval_folder(run_dir), *path = path_join(folder, RUN_METRICS_NAME);
    bool ok = file_exists(path) && file_read(&bytes, &size, path, MAX_BYTES, &none);
    for (size_t start = 0, end; ok && start < size; start = end + 1) {
        const uint8_t *line_end = memchr(bytes + start, '\n', size - start);
        end = line_end ? (size_t)(line_end - bytes) : size;
        json_t *line = json_loadb((const char *)bytes + start, end - start, 0, NULL);
        if (json_is_string(json_object_get(line, "task")) && json_is_string(json_object_get(line, "split"))) {
            json_decref(found);
            found = json_incref(line);
        }
        json_decref(line);
    }
    free(bytes);
    free(path);
    free(folder);
    return found;
}

static void put_number(FILE *out, const json_t *line, const char *key, int digits)
{
    const json_t *value = json_object_get(line, key);
    if (json_is_number(value))
        fprintf(out, "<td class=\"number\">%.*f", digits, json_number_value(value));
    else
        fprintf(out, "<td class=\"number\">-");
}

/* Rows of the metrics, columns of the ways of decoding that the line has. */
static void put_comparisons(FILE *out, const json_t *line, const char *split)
{
    static const struct {
        const char *prefix, *words;
    } columns[] = {
        {"tf_",         "teacher-forced"     },
        {"",            "free-running"       },
        {"beats_",      "free-running, beats"},
        {"keep_",       "hits kept"          },
        {"keep_beats_", "hits kept, beats"   },
        {"added_",      "added drums"        },
    };
    enum { NUM_COLUMNS = sizeof columns / sizeof *columns };
    char key[KEY_SIZE];
    bool has[NUM_COLUMNS];
    fprintf(out, "<div class=\"scroll\"><table><tr><th>");
    for (int c = 0; c < NUM_COLUMNS; c++) {
        snprintf(key, sizeof key, "%s%sf1", metric_prefix(split), columns[c].prefix);
        has[c] = json_is_number(json_object_get(line, key));
        if (has[c])
            fprintf(out, "<th class=\"number\">%s", columns[c].words);
    }
    fprintf(out, "</tr>\n");
    for (int quality = 0; quality < NUM_QUALITIES; quality++) {
        const struct quality_row *row = &quality_table[quality];
        fprintf(out, "<tr><td>%s", row->words);
        for (int c = 0; c < NUM_COLUMNS; c++) {
            snprintf(key, sizeof key, "%s%s%s", metric_prefix(split), columns[c].prefix, row->name);
            if (has[c])
                put_number(out, line, key, row->digits);
        }
        fprintf(out, "</tr>\n");
    }
    fprintf(out, "</table></div>\n");
}

/* Counts as shares of their sum; returns the largest, 0 where they are not what they should be. */
static double read_shares(double shares[DISTRIBUTION_MAX_BINS], const json_t *counts, int bins)
{
    double sum = 0, largest = 0;
    if (json_array_size(counts) != (size_t)bins)
        return 0;
    for (int i = 0; i < bins; i++) {
        shares[i] = fmax(0, json_number_value(json_array_get(counts, (size_t)i)));
        sum += shares[i];
    }
    for (int i = 0; sum > 0 && i < bins; i++) {
        shares[i] /= sum;
        largest = fmax(largest, shares[i]);
    }
    return sum > 0 ? largest : 0;
}

static void put_steps(FILE *out, const double *shares, int bins, double largest, int series)
{
    fprintf(out, "<polyline class=\"series\" style=\"--colour: var(--s%d)\" points=\"", series);
    for (int i = 0; i < bins; i++) {
        double y = 4 + (1 - shares[i] / largest) * (PLOT_HEIGHT - 8), width = (double)PLOT_WIDTH / bins;
        fprintf(out, "%.1f,%.1f %.1f,%.1f ", i * width, y, (i + 1) * width, y);
    }
    fprintf(out, "\"/>");
}

static void put_plot(FILE *out, const json_t *line, int kind)
{
    double samples[DISTRIBUTION_MAX_BINS], train[DISTRIBUTION_MAX_BINS];
    const struct distribution_row *row = &distribution_table[kind];
    const json_t *counts = json_object_get(json_object_get(line, "distributions"), row->name);
    double largest_sample = read_shares(samples, json_object_get(counts, "samples"), row->bins);
    double largest_train = read_shares(train, json_object_get(counts, "train"), row->bins);
    if (!(largest_sample > 0 && largest_train > 0))
        return;
    fprintf(out,
            "<figure><figcaption>%s<span class=\"legend\"><span style=\"--colour: var(--s0)\">samples</span>"
            "<span style=\"--colour: var(--s1)\">data</span></span></figcaption>"
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">",
            row->words, PLOT_WIDTH, PLOT_HEIGHT, row->words);
    put_steps(out, train, row->bins, fmax(largest_sample, largest_train), 1);
    put_steps(out, samples, row->bins, fmax(largest_sample, largest_train), 0);
    fprintf(out, "</svg></figure>\n");
}

static void put_samples(FILE *out, const json_t *line, const char *split)
{
    char key[KEY_SIZE];
    fprintf(out,
            "<p>%" PRId64
            " samples. Divergence from the train split in bits (Jensen-Shannon); floor: of as many windows "
            "of data.</p>\n<div class=\"scroll\"><table><tr><th><th class=\"number\">samples<th class=\"number\">floor"
            "<th class=\"number\">",
            member_int(line, "samples_count"));
    report_put_text(out, split);
    fprintf(out, "</tr>\n");
    for (int kind = 0; kind < NUM_DISTRIBUTIONS; kind++) {
        const struct distribution_row *row = &distribution_table[kind];
        fprintf(out, "<tr><td>%s", row->words);
        snprintf(key, sizeof key, "samples_%s_divergence", row->name);
        put_number(out, line, key, 4);
        snprintf(key, sizeof key, "samples_%s_floor", row->name);
        put_number(out, line, key, 4);
        snprintf(key, sizeof key, "%s%s_divergence", metric_prefix(split), row->name);
        put_number(out, line, key, 4);
        fprintf(out, "</tr>\n");
    }
    fprintf(out, "<tr><td>share with at least four drums");
    put_number(out, line, "samples_four_drums_share", 3);
    put_number(out, line, "data_four_drums_share", 3);
    snprintf(key, sizeof key, "%sfour_drums_share", metric_prefix(split));
    put_number(out, line, key, 3);
    fprintf(out, "</tr>\n<tr><td>share of copies");
    put_number(out, line, "samples_copied_share", 3);
    fprintf(out, "<td class=\"number\">-");
    snprintf(key, sizeof key, "%scopied_share", metric_prefix(split));
    put_number(out, line, key, 3);
    fprintf(out, "</tr>\n</table></div>\n<div class=\"charts\">\n");
    for (int kind = 0; kind < NUM_DISTRIBUTIONS; kind++)
        put_plot(out, line, kind);
    fprintf(out, "</div>\n");
}

void report_put_quality(FILE *out, const char *run_dir)
{
    json_t *line = last_line(run_dir);
    if (!line)
        return;
    const char *split = member_string(line, "split");
    fprintf(out,
            "<h2>Quality</h2>\n<p class=\"faint\">drumline-train --mode=eval at step %" PRId64 ", %" PRId64
            " windows of the ",
            member_step(line, "step"), member_int(line, "num_windows"));
    report_put_text(out, split);
    fprintf(out, " split; task ");
    report_put_text(out, member_string(line, "task"));
    fprintf(out, ".</p>\n");
    put_comparisons(out, line, split);
    if (json_is_number(json_object_get(line, "samples_count")))
        put_samples(out, line, split);
    json_decref(line);
}
