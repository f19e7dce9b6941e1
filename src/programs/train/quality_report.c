#include "programs/train/quality_report.h"

#include "base/text.h"
#include "run/json_members.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct quality_task quality_task_of(const struct transform *transform, bool hits_as_controls)
{
    struct quality_task task = {"reconstruct", "windows are given whole, and given back", DECODING_FREE, ALL_DRUMS};
    if (transform->removed_classes)
        task = (struct quality_task){"add", "the other drums are given; judged by the added ones", DECODING_FREE,
                                     transform->removed_classes};
    else if (transform->humanize)
        task = (struct quality_task){
            "humanize", "hits are given without velocities and timing; judged by these, with every hit kept",
            DECODING_KEPT, ALL_DRUMS};
    else if (transform->tapify)
        task = (struct quality_task){"tap", "one tapped rhythm is given; judged by every drum's hits", DECODING_FREE,
                                     ALL_DRUMS};
    else if (hits_as_controls)
        task =
            (struct quality_task){"hits_control",
                                  "hits are given to encoder and decoder; judged by velocities and timing, with every "
                                  "hit kept",
                                  DECODING_KEPT, ALL_DRUMS};
    return task;
}

enum subset { SUBSET_ALL, SUBSET_BEATS, NUM_SUBSETS };
static const char *const subset_prefixes[NUM_SUBSETS] = {"", "beats_"};

static struct comparison comparison_of(const struct quality_report *report, enum decoding decoding, enum subset subset)
{
    const struct comparison *groups = report->quality->comparisons[decoding];
    struct comparison comparison = groups[WINDOWS_OF_BEATS];
    if (subset == SUBSET_ALL)
        comparison_merge(&comparison, &groups[OTHER_WINDOWS]);
    return comparison;
}

static bool has_decoding(const struct quality_report *report, enum decoding decoding)
{
    return decoding != DECODING_KEPT || report->keeps_hits;
}

static bool has_beats(const struct quality_report *report)
{
    return report->quality->windows[WINDOWS_OF_BEATS] > 0;
}

static enum decoding judged_decoding(const struct quality_report *report)
{
    return has_decoding(report, report->task.decoding) ? report->task.decoding : DECODING_FREE;
}

static void print_number(FILE *out, double value, int digits)
{
    if (isfinite(value))
        fprintf(out, " %9.*f", digits, value);
    else
        fprintf(out, " %9s", "-");
}

static bool is_column(const struct quality_report *report, int decoding, int subset)
{
    return has_decoding(report, (enum decoding)decoding) && (subset == SUBSET_ALL || has_beats(report));
}

static void print_headings(FILE *out, const struct quality_report *report)
{
    static const char *const words[NUM_DECODINGS] = {"teacher-forced", "free-running", "hits kept"};
    static const char *const subset_words[NUM_SUBSETS] = {"all", "beats"};
    int width = has_beats(report) ? 20 : 10;
    fprintf(out, "%-32s", "");
    for (int decoding = 0; decoding < NUM_DECODINGS; decoding++)
        if (has_decoding(report, (enum decoding)decoding))
            fprintf(out, " %*s", has_beats(report) ? width - 1 : 14, words[decoding]);
    fprintf(out, "\n%-32s", "");
    for (int decoding = 0; decoding < NUM_DECODINGS; decoding++)
        for (int subset = 0; subset < NUM_SUBSETS; subset++)
            if (is_column(report, decoding, subset))
                fprintf(out, has_beats(report) ? " %9s" : " %14s", subset_words[subset]);
    fprintf(out, "\n");
}

/* Rows of the metrics, columns of the ways of decoding, over some drums. */
static void print_comparisons(FILE *out, const struct quality_report *report, uint32_t drums)
{
    print_headings(out, report);
    for (int quality = 0; quality < NUM_QUALITIES; quality++) {
        fprintf(out, "  %-30s", quality_table[quality].words);
        for (int decoding = 0; decoding < NUM_DECODINGS; decoding++)
            for (int subset = 0; subset < NUM_SUBSETS; subset++) {
                if (!is_column(report, decoding, subset))
                    continue;
                struct comparison comparison = comparison_of(report, (enum decoding)decoding, (enum subset)subset);
                fprintf(out, has_beats(report) ? "" : "     ");
                print_number(out, quality_of(&comparison, (enum quality)quality, drums), quality_table[quality].digits);
            }
        fprintf(out, "\n");
    }
}

static void print_drums(FILE *out, const struct quality_report *report)
{
    static const enum quality columns[] = {QUALITY_PRECISION,        QUALITY_RECALL,       QUALITY_F1,
                                           QUALITY_CELL_ACCURACY,    QUALITY_VELOCITY_MAE, QUALITY_TIMING_MAE_MS,
                                           QUALITY_TIMING_MAE_RATIO, QUALITY_TIMING_KL,    QUALITY_VELOCITY_KL};
    static const char *const words[] = {"precision", "recall", "F1",        "accuracy", "vel. MAE",
                                        "MAE, ms",   "ratio",  "timing KL", "vel. KL"};
    enum decoding decoding = judged_decoding(report);
    struct comparison comparison = comparison_of(report, decoding, SUBSET_ALL);
    fprintf(out, "by drum, %-13s      hits", decoding == DECODING_KEPT ? "hits kept:" : "free-running:");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        fprintf(out, " %9s", words[i]);
    fprintf(out, "\n");
    for (int d = 0; d < NUM_DRUMS; d++) {
        const struct drum_comparison *drum = &comparison.drums[d];
        fprintf(out, "  %-20s %9" PRIu64, drum_name(d), drum->true_positives + drum->false_negatives);
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            print_number(out, quality_of(&comparison, columns[i], 1u << d), quality_table[columns[i]].digits);
        fprintf(out, "\n");
    }
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

static void print_shares(FILE *out, const char *words, uint64_t of_samples, uint64_t of_train, uint64_t of_split,
                         const struct samples_quality *samples)
{
    fprintf(out, "  %-20s", words);
    print_number(out, share(of_samples, samples->samples.windows), 3);
    print_number(out, share(of_train, samples->train.windows), 3);
    print_number(out, share(of_split, samples->split.windows), 3);
    fprintf(out, "\n");
}

static void print_samples(FILE *out, const struct quality_report *report)
{
    const struct samples_quality *samples = report->samples;
    const struct distributions *data = &samples->train;
    const char *split = samples->split.windows > 0 ? report->evaluation->split : "";
    fprintf(out, "divergence from train    samples     floor %9.10s  (Jensen-Shannon, bits)\n", split);
    for (int i = 0; i < NUM_DISTRIBUTIONS; i++) {
        enum distribution kind = (enum distribution)i;
        fprintf(out, "  %-20s", distribution_table[kind].words);
        print_number(out, distributions_divergence(&samples->samples, data, kind), 4);
        print_number(out, samples->floor[kind], 4);
        print_number(out, distributions_divergence(&samples->split, data, kind), 4);
        fprintf(out, "\n");
    }
    fprintf(out, "shares                   samples     train %9.10s\n", split);
    print_shares(out, "four drums or more", samples->samples.many_drums, data->many_drums, samples->split.many_drums,
                 samples);
    print_shares(out, "silent", samples->samples.silent, data->silent, samples->split.silent, samples);
    double copied = share(samples->split_copies, samples->split.windows);
    fprintf(out, "  %-20s", "copies of train");
    print_number(out, share(samples->copies, samples->samples.windows), 3);
    print_number(out, (double)NAN, 0);
    print_number(out, copied, 3);
    if (isfinite(copied))
        fprintf(out, " +- %.3f", samples_standard_error(copied, samples->split.windows));
    fprintf(out, "\n");
}

static void print_losses(FILE *out, const struct quality_report *report)
{
    const struct metric_set *set = report->line->set;
    fprintf(out, "losses a window, z drawn:");
    for (int i = 0; i < set->count; i++) {
        const struct metric *metric = &set->metrics[i];
        char text[METRIC_TEXT_SIZE];
        if (metric->row->rule != METRIC_TOTAL && metric->row->rule != METRIC_MEAN)
            continue;
        fprintf(out, "  %s %s", metric->name, metric_format(text, metric->row, report->line->values.values[i]));
    }
    fprintf(out, "  (at beta %g and %g free bits: %.2f)\n", EVALUATION_BETA, EVALUATION_FREE_BITS,
            report->comparable_loss);
}

void quality_report_print(FILE *out, const struct quality_report *report)
{
    const struct quality_sums *quality = report->quality;
    char config[CHECKPOINT_TEXT_SIZE];
    snprintf(config, sizeof config, "%s", report->checkpoint->config);
    text_make_printable(config);
    fprintf(out, "%s at step %" PRIu64 ": %zu windows of the %s split", config, report->checkpoint->step,
            report->evaluation->windows.count, report->evaluation->split);
    if (has_beats(report))
        fprintf(out, ", %" PRIu64 " of beats", quality->windows[WINDOWS_OF_BEATS]);
    fprintf(out, "\ntask %s: %s\n", report->task.name, report->task.words);
    print_losses(out, report);
    print_comparisons(out, report, ALL_DRUMS);
    if (report->task.drums != ALL_DRUMS) {
        fprintf(out, "of the added drums:\n");
        print_comparisons(out, report, report->task.drums);
    }
    print_drums(out, report);
    if (report->samples)
        print_samples(out, report);
}

static void put(json_t *object, const char *key, double value)
{
    if (isfinite(value))
        json_object_set_new(object, key, json_real(value));
}

static void put_qualities(json_t *object, const struct quality_report *report, const char *group, uint32_t drums)
{
    for (int decoding = 0; decoding < NUM_DECODINGS; decoding++)
        for (int subset = 0; subset < NUM_SUBSETS; subset++) {
            if (!is_column(report, decoding, subset))
                continue;
            struct comparison comparison = comparison_of(report, (enum decoding)decoding, (enum subset)subset);
            for (int quality = 0; quality < NUM_QUALITIES; quality++) {
                char key[96];
                snprintf(key, sizeof key, "%s%s%s%s%s", metric_prefix(report->evaluation->split),
                         decoding_prefix((enum decoding)decoding), subset_prefixes[subset], group,
                         quality_table[quality].name);
                put(object, key, quality_of(&comparison, (enum quality)quality, drums));
            }
        }
}

static void put_drums(json_t *object, const struct quality_report *report)
{
    json_t *drums = json_object();
    for (int d = 0; d < NUM_DRUMS; d++) {
        json_t *drum = json_object();
        put_qualities(drum, report, "", 1u << d);
        json_object_set_new(drums, drum_name(d), drum);
    }
    json_object_set_new(object, "by_class", drums);
}

static json_t *counts_json(const struct distributions *distributions, int kind)
{
    json_t *counts = json_array();
    for (int i = 0; i < distribution_table[kind].bins; i++)
        json_array_append_new(counts, json_integer((json_int_t)distributions->counts[kind][i]));
    return counts;
}

static void put_distributions(json_t *object, const struct samples_quality *samples, const char *split)
{
    json_t *all = json_object();
    for (int kind = 0; kind < NUM_DISTRIBUTIONS; kind++) {
        const char *name = distribution_table[kind].name;
        json_t *counts = json_object();
        char key[64];
        snprintf(key, sizeof key, "samples_%s_divergence", name);
        put(object, key, distributions_divergence(&samples->samples, &samples->train, (enum distribution)kind));
        snprintf(key, sizeof key, "samples_%s_floor", name);
        put(object, key, samples->floor[kind]);
        snprintf(key, sizeof key, "%s%s_divergence", metric_prefix(split), name);
        put(object, key, distributions_divergence(&samples->split, &samples->train, (enum distribution)kind));
        json_object_set_new(counts, "samples", counts_json(&samples->samples, kind));
        json_object_set_new(counts, "train", counts_json(&samples->train, kind));
        if (samples->split.windows > 0)
            json_object_set_new(counts, split, counts_json(&samples->split, kind));
        json_object_set_new(all, name, counts);
    }
    json_object_set_new(object, "distributions", all);
}

static void put_samples(json_t *object, const struct samples_quality *samples, const char *split)
{
    const struct distributions *made = &samples->samples, *of_split = &samples->split;
    const char *prefix = metric_prefix(split);
    double copied = share(samples->split_copies, of_split->windows);
    char key[64];
    json_object_set_new(object, "samples_count", json_integer((json_int_t)made->windows));
    put(object, "samples_four_drums_share", share(made->many_drums, made->windows));
    put(object, "samples_silent_share", share(made->silent, made->windows));
    put(object, "samples_copied_share", share(samples->copies, made->windows));
    put(object, "data_four_drums_share", share(samples->train.many_drums, samples->train.windows));
    snprintf(key, sizeof key, "%sfour_drums_share", prefix);
    put(object, key, share(of_split->many_drums, of_split->windows));
    snprintf(key, sizeof key, "%scopied_share", prefix);
    put(object, key, copied);
    snprintf(key, sizeof key, "%scopied_standard_error", prefix);
    put(object, key, samples_standard_error(copied, of_split->windows));
    put_distributions(object, samples, split);
}

json_t *quality_report_json(const struct quality_report *report)
{
    const char *split = report->evaluation->split;
    json_t *object = json_object();
    char key[64];
    json_object_set_new(object, "config", json_clean_text(report->checkpoint->config));
    json_object_set_new(object, "task", json_string(report->task.name));
    json_object_set_new(object, "num_windows", json_integer((json_int_t)report->evaluation->windows.count));
    if (has_beats(report))
        json_object_set_new(object, "num_beats_windows",
                            json_integer((json_int_t)report->quality->windows[WINDOWS_OF_BEATS]));
    snprintf(key, sizeof key, "%scomparable_loss", metric_prefix(split));
    put(object, key, report->comparable_loss);
    put_qualities(object, report, "", ALL_DRUMS);
    if (report->task.drums != ALL_DRUMS)
        put_qualities(object, report, "added_", report->task.drums);
    put_drums(object, report);
    if (report->samples)
        put_samples(object, report->samples, split);
    return object;
}
