/* A training: data set, model, optimizer and reduction put together, from start or resumption to its end. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_TRAINING_H
#define DRUMLINE_PROGRAMS_TRAIN_TRAINING_H

#include "data/dataset/batch.h"
#include "dist/gradient_reducer.h"
#include "dist/stats.h"
#include "model/checkpoint.h"
#include "model/optimizer/average.h"
#include "model/optimizer/optimizer.h"
#include "model/vae/model.h"
#include "programs/common/shared_dataset.h"
#include "programs/train/deadline.h"
#include "programs/train/evaluation.h"
#include "programs/train/options.h"
#include "programs/train/progress.h"
#include "programs/train/slow_rank.h"
#include "programs/train/step.h"
#include "programs/train/tensorboard.h"
#include "programs/train/trace_file.h"
#include "programs/train/watchdog.h"
#include "run/checkpoint_writer.h"
#include "run/run_lock.h"
#include "run/tensor_norms.h"

enum training_phase {
    PHASE_CHECKPOINT = STEP_NUM_PHASES, /* before it those of each step */
    PHASE_EVALUATION,
    NUM_PHASES
};

struct training {
    const struct train_options *options; /* not owned */
    struct comm *comm;                   /* not owned */
    char *folder, *eval_folder;          /* RUN/train, RUN/eval */
    struct run_lock lock;                /* rank 0 */
    char *initial;                       /* rank 0: the file or run of --init_checkpoint; owned */
    bool has_initial_hparams;            /* --init_checkpoint names a model of the run's config: */
    struct hparams initial_hparams;      /* its hparams */
    bool made_folder;                    /* rank 0: the run's folder was not there before */
    struct checkpoint state;             /* where the training stands */
    struct shared_dataset shared_dataset;
    struct windows windows;       /* training split */
    struct evaluation evaluation; /* with --eval_steps */
    bool evaluates;
    int num_ranks;           /* that the training has, or with --mode=check will have */
    int64_t said_comparable; /* rank 0, with --prune: how many runs compared when it was last logged; -1: never */
    bool is_pruned;          /* with --prune: the run has fallen behind others */
    struct transform transform;
    uint32_t *order; /* [windows.count + windows.num_silent] the windows in the permutation of order_epoch */
    uint64_t order_epoch;
    bool order_valid;
    size_t first, count; /* this rank's part of a batch */
    struct model *model;
    struct optimizer optimizer;
    struct weight_average average;                            /* with ema_decay */
    struct tensor_group groups[CHECKPOINT_WRITER_MAX_GROUPS]; /* what a checkpoint has of model and optimizer */
    size_t num_groups;
    struct trace *trace;             /* of the steps under way; NULL: none */
    double trace_zero;               /* clock_seconds at its start, the same moment on all ranks */
    struct tensorboard *tensorboard; /* rank 0, with --tensorboard; else NULL */
    float *values_before;            /* rank 0, with --log_tensors: [num_floats] before an update that is measured */
    struct tensor_norms norms[TENSORS_MAX_ROWS]; /* of that update */
    struct gradient_reducer *reducer;
    struct stats stats;
    struct train_progress progress;
    struct slow_rank slow_rank;
    struct watchdog *watchdog;               /* NULL: --stall_seconds=0 */
    struct checkpoint_writer *writer;        /* rank 0 */
    struct deadline deadline;                /* rank 0's decides */
    double saved, step_started;              /* clock_seconds; saved: when the newest checkpoint was begun */
    double longest_step, longest_evaluation; /* seconds */
};

/* Opens, checks and allocates everything, on all ranks; resumes from the run's latest valid checkpoint if there is one.
 * `started`: clock_seconds at the program's start, from which --max_seconds counts. On failure everything is freed.
 * Collective. */
bool training_open(struct training *training, const struct train_options *options, const struct config *config,
                   double started, struct comm *comm, struct error *error);

/* --mode=check: whether training_open would fail, as far as that is known without writing anything or making the model. A data set
 * that is not there is no failure, but said to be unseen. Collective. */
bool training_check(const struct train_options *options, const struct config *config, struct comm *comm,
                    struct error *error);

/* Collective. */
void training_close(struct training *training);

/* Trains up to num_steps, or until something asks for a halt. Returns the program's exit status; on EXIT_FAILURE the error
 * is set. Collective. */
int training_run(struct training *training, struct error *error);

/* After the last step: fits the latents of the best model, where it has none, and stores them in it. A failure is a warning, no failure of
 * the training; nor is it held up by fits that take minutes in one piece, in which the watchdog would see nothing done. Gives
 * why the fit had to be given up (programs/train/halting.h), NULL where it had not: a resumed training makes it then. Collective. */
const char *training_fit_latents(struct training *training);

/* After a failure of training_run: the end and its reason into metrics.jsonl, if this job still has the run and it can be
 * written. */
void training_record_failure(const struct training *training, const struct error *reason);

#endif
