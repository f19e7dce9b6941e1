/* One step of a training on one rank: forward and backward over its part of the global batch in micro-batches, the last
 * one's gradients being reduced while they are made. Shared by drumline-train and drumline-bench, so that what is
 * measured is what trains. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_STEP_H
#define DRUMLINE_PROGRAMS_TRAIN_STEP_H

#include "dist/gradient_reducer.h"
#include "dist/stats.h"
#include "model/vae/model.h"

/* What a step's time is split into; a table of phases may go on after STEP_NUM_PHASES. */
enum step_phase {
    STEP_DATA,
    STEP_NOISE,
    STEP_ENCODER_FORWARD, /* this and the next four in the order of enum pass_phase */
    STEP_DECODER_FORWARD,
    STEP_LOSS,
    STEP_DECODER_BACKWARD,
    STEP_ENCODER_BACKWARD,
    STEP_REDUCTION, /* what backward did not hide, and the wait for slower ranks */
    STEP_OPTIMIZER,
    STEP_NUM_PHASES
};

/* The names of the phases, in order, as the first rows of an initialiser. */
#define STEP_PHASE_NAMES                                                                                               \
    "data", "noise", "encoder forward", "decoder forward", "loss", "decoder backward", "encoder backward",             \
        "waiting for gradients", "optimizer"

struct train_step {
    struct model *model;
    struct gradient_reducer *reducer; /* of model->gradients */
    struct stats *stats;              /* begun with the phases above as its first */
    const struct hparams *hparams;
    uint64_t seed;
    size_t first, count; /* this rank's part of the batch */

    /* Puts windows part->first_example .. + part->batch of the global batch into the model's input, target and
     * controls. */
    void (*fill)(void *context, const struct model_step *part);
    void *context;

    /* Hears, after the reducer, how far the last micro-batch's gradients have come; may be NULL. */
    void (*watch)(void *context, size_t end);
};

/* Windows that a rank works on at a time: the largest part of batch_size over num_ranks, in micro_batches parts of equal
 * size, or in as many more as keep each within `most` windows (--micro_batch_size; 0: a number chosen for speed).
 * The same on all ranks, so that they report gradients in step. */
int train_step_micro_batch(const struct hparams *hparams, int64_t most, int num_ranks);

/* Makes a new model ready for steps on `count` windows: where its hparams ask for bf16, by what makes bf16 products best
 * here, which the log then names. May be called again for other counts. */
bool train_step_prepare(struct model *model, size_t count, struct error *error);

/* Gradients of update `number` (from 1), summed over ranks, and this rank's losses added to sums [model->metrics.num_sums]. Leaves the phase
 * STEP_REDUCTION running. Collective. */
void train_step_gradients(const struct train_step *step, uint32_t number, double *sums);

#endif
