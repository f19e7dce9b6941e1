/* All of a run's metrics as a table: what the CSV file and the report are made of.
 *
 * Lines of steps that a later session repeated are dropped, so every step appears once; first-version names become
 * today's (base/metric.h). Damaged lines are skipped, as metrics_reader.h does. */
#ifndef DRUMLINE_RUN_METRICS_HISTORY_H
#define DRUMLINE_RUN_METRICS_HISTORY_H

#include "base/error.h"

#include <jansson.h>

#include <stddef.h>
#include <stdint.h>

struct metrics_history {
    char **names; /* [num_columns], owned: "loss", "val_loss", in the order in which they first appear */
    size_t num_columns;
    int64_t *steps; /* [num_rows], owned; ascending */
    double *values; /* [num_rows, num_columns], owned; NaN: none */
    size_t num_rows;
    json_t *sessions; /* as metrics_reader_sessions; owned */
};

/* Reads RUN/train/metrics.jsonl and RUN/eval/metrics.jsonl; evaluations are joined to the rows of their steps. A file that is
 * missing holds nothing. Fails where one can't be read, or is larger than 256 MiB. */
bool metrics_history_read(struct metrics_history *history, const char *run_dir, struct error *error);
void metrics_history_free(struct metrics_history *history);

/* The column of that name, -1 where there is none. */
int metrics_history_find(const struct metrics_history *history, const char *name);

#endif
