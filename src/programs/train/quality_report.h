/* What --mode=eval found, as tables for people and as members of a line of RUN/eval/metrics.jsonl. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_QUALITY_REPORT_H
#define DRUMLINE_PROGRAMS_TRAIN_QUALITY_REPORT_H

#include "model/checkpoint.h"
#include "programs/train/quality.h"
#include "programs/train/samples.h"

#include <jansson.h>
#include <stdio.h>

/* What a model is for, which decides by what it is judged. */
struct quality_task {
    const char *name;       /* "humanize" */
    const char *words;      /* one line: what it is given, and what it is judged by */
    enum decoding decoding; /* that it is judged by, in which ... */
    uint32_t drums;         /* ... these drums are the model's: bits */
};

/* The task of a model that gets its windows with that transform. */
struct quality_task quality_task_of(const struct transform *transform, bool hits_as_controls);

struct quality_report {
    const struct checkpoint *checkpoint;
    const struct evaluation *evaluation;
    struct quality_task task;
    const struct metrics_line *line; /* the losses */
    double comparable_loss;          /* at EVALUATION_BETA and EVALUATION_FREE_BITS */
    const struct quality_sums *quality;
    bool keeps_hits;                       /* DECODING_KEPT was measured */
    const struct samples_quality *samples; /* NULL: none were drawn */
};

void quality_report_print(FILE *out, const struct quality_report *report);

/* A new object. "val_f1", "val_beats_f1" where the data set knows beats, "val_tf_f1" teacher-forced, "val_keep_timing_mae_ms" with
 * hits kept, "val_added_f1" of the drums that an add model adds; "by_class" has the same by drum. Names of samples begin with
 * "samples_"; "distributions" has what they were computed from. */
json_t *quality_report_json(const struct quality_report *report);

#endif
