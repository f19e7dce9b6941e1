#include "programs/preprocess/report.h"

#include "base/log.h"
#include "base/text.h"
#include "programs/common/lost_notes.h"

#include <inttypes.h>
#include <stdlib.h>

static void report_reasons(const struct dataset_counts *sums)
{
    uint64_t skipped = 0;
    for (int reason = 0; reason < NUM_SKIP_REASONS; reason++) {
        skipped += sums->skipped[reason];
        if (sums->skipped[reason] > 0)
            log_info("%8" PRIu64 " skipped: %s", sums->skipped[reason], skip_reason_words((enum skip_reason)reason));
    }
    if (skipped > 0 && log_get_level() < LOG_LEVEL_DEBUG)
        log_info("         (--log=debug lists them)");
}

static void report_counts(const struct job *job)
{
    static const char *const evidence[NUM_DRUM_EVIDENCE] = {
        [DRUMS_BY_PART] = "by a GS, XG or bank message",
        [DRUMS_BY_NAME] = "by a name of a track or file",
        [DRUMS_BY_PITCHES] = "by their pitches alone",
    };
    const struct intake_counts *counts = &job->counts;
    const struct dataset_counts *sums = &counts->sums;
    log_info("%8" PRIu64 " MIDI file%s", sums->num_files, PLURAL(sums->num_files));
    log_info("%8" PRIu64 " performance%s kept", sums->num_kept, PLURAL(sums->num_kept));
    report_reasons(sums);
    if (job->num_unreadable_folders > 0)
        log_info("%8zu folder%s skipped: can't be read", job->num_unreadable_folders,
                 PLURAL(job->num_unreadable_folders));
    if (counts->num_repaired > 0)
        log_info("%8" PRIu64 " file%s the MIDI specification", counts->num_repaired,
                 counts->num_repaired == 1 ? " that violates" : "s that violate");
    for (int repair = 0; repair < NUM_MIDI_REPAIRS; repair++)
        if (counts->repairs[repair] > 0)
            log_info("%8" PRIu64 " repaired: %s", counts->repairs[repair], midi_repair_words((enum midi_repair)repair));
    for (int i = 0; i < NUM_DRUM_EVIDENCE; i++)
        if (evidence[i] && counts->evidence[i] > 0)
            log_info("%8" PRIu64 " file%s with drums beside channel 10, known %s", counts->evidence[i],
                     PLURAL(counts->evidence[i]), evidence[i]);
    if (counts->num_name_signatures > 0)
        log_info("%8" PRIu64 " time signature%s from file names", counts->num_name_signatures,
                 PLURAL(counts->num_name_signatures));
    if (sums->num_melodic > 0)
        log_info("%8" PRIu64 " note%s skipped: not on a drum channel", sums->num_melodic, PLURAL(sums->num_melodic));
    if (sums->num_silent_bars > 0)
        log_info("%8" PRIu64 " bar%s skipped: in silences of more than %d bars", sums->num_silent_bars,
                 PLURAL(sums->num_silent_bars), INTAKE_LONG_SILENCE);
    log_info("         drum map: %s", job->rules.map.name);
    lost_notes_report(&counts->census, &job->rules.map, job->options->input_dir);
    if (counts->num_lossy > 0 && sums->num_files > 1 && comm_rank(job->comm) == 0)
        log_warning("%s: %" PRIu64 " of %" PRIu64 " files lose more than a tenth of their drum notes to drum map %s%s",
                    job->options->input_dir, counts->num_lossy, sums->num_files, job->rules.map.name,
                    log_get_level() < LOG_LEVEL_DEBUG ? " (--log=debug lists them)" : "");
}

/* Who points at a part of a data set leaves its table behind, and with it the split that others trained with. */
static void report_splits(const struct job *job)
{
    const char *by = job->rules.split_by_path ? "their paths" : "their onsets";
    size_t listed = 0;
    if (comm_rank(job->comm) != 0)
        return;
    for (size_t i = 0; i < job->num_paths; i++) {
        const struct performance_info *info = splits_find(&job->splits, job->paths[i]);
        listed += info && info->split != NUM_SPLITS;
    }
    if (job->splits.count == 0)
        log_info("         no table of performances found: split by a hash of %s", by);
    else if (listed == job->num_paths)
        log_info("         split, style and drummer of each from %s", job->splits.name);
    else
        log_warning("%s: %s assigns %zu of the %zu MIDI files to splits: the others are split by a hash of %s",
                    job->options->input_dir, job->splits.name, listed, job->num_paths, by);
}

static int compare_keys(const void *left, const void *right)
{
    const struct intake_key *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return (a->split > b->split) - (a->split < b->split);
}

/* Files whose onsets are those of another. */
static void report_copies(struct job *job)
{
    uint8_t *bytes;
    size_t *sizes, total = 0, copies = 0, apart = 0;
    comm_gather(job->comm, job->counts.keys, job->counts.num_keys * sizeof *job->counts.keys, &bytes, &sizes);
    if (comm_rank(job->comm) != 0)
        return;
    struct intake_key *keys = (struct intake_key *)(void *)bytes;
    for (int rank = 0; rank < comm_size(job->comm); rank++)
        total += sizes[rank] / sizeof *keys;
    if (total > 0)
        qsort(keys, total, sizeof *keys, compare_keys);
    for (size_t i = 1; i < total; i++) {
        copies += keys[i].hash == keys[i - 1].hash;
        apart += keys[i].hash == keys[i - 1].hash && keys[i].split != keys[i - 1].split;
    }
    if (copies > 0)
        log_info("%8zu file%s with the onsets of another", copies, PLURAL(copies));
    if (apart > 0)
        log_warning("%s: performances with the same onsets are in different splits: %s", job->options->input_dir,
                    job->splits.count > 0 ? job->splits.name : "--split_by=content would keep them together");
    free(bytes);
    free(sizes);
}

void preprocess_report(struct job *job)
{
    report_counts(job);
    report_splits(job);
    report_copies(job);
}
