/* A training's event files for TensorBoard (--tensorboard): those of RUN/train have its metrics, its hparams, histograms of gradients
 * by tensor and pictures of what it plays, those of RUN/eval the metrics of evaluations. Rank 0's. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_TENSORBOARD_H
#define DRUMLINE_PROGRAMS_TRAIN_TENSORBOARD_H

#include "data/dataset/windows.h"
#include "model/vae/model.h"
#include "run/metrics.h"
#include "run/tensor_norms.h"

struct tensorboard;

/* Makes an event file in each of the two folders, for a session that begins at `step`. NULL and the error set on failure. */
struct tensorboard *tensorboard_open(const char *train_folder, const char *eval_folder, uint64_t step,
                                     const struct hparams *hparams, struct error *error);
void tensorboard_close(struct tensorboard *board);

/* The metrics of a line, as metrics.jsonl has them, under the same names. `board`, here and below, may be NULL: nothing is done. */
bool tensorboard_put_line(struct tensorboard *board, const struct metrics_line *line, struct error *error);

/* grad_norm/TENSOR and update_norm/TENSOR of every tensor [table->num_rows]. */
bool tensorboard_put_norms(struct tensorboard *board, uint64_t step, const struct tensor_table *table,
                           const struct tensor_norms *norms, struct error *error);

/* Histograms of the model's gradients, and a picture, where cairo is installed: four samples of a model that plays by itself; of one that
 * needs an input the first windows of `inputs` (NULL: none), each beside what the model makes of it. `weights`: those that are
 * evaluated. Where there is nothing to draw, as of a model that has diverged, or no memory to, that is a warning. */
bool tensorboard_put_model(struct tensorboard *board, uint64_t step, const struct model *model, const float *weights,
                           const struct windows *inputs, struct error *error);

#endif
