/* A model to generate from, loaded: a checkpoint's description and its weights, packed for inference.
 *
 *     struct run_model model;
 *     struct run_model_source source = {.run_dir = options->run_dir, .checkpoint_file = ..., .config = ...};
 *     if (!run_model_load(&model, &source, encodes, error)) return false;
 *     ... inference_decode(music, z, model.decoder, scratch, &request) ...
 *     run_model_free(&model);
 *
 * Once loaded, a model is only read: any number of threads may decode from it. No MPI and no BLAS. */
#ifndef DRUMLINE_RUN_RUN_MODEL_H
#define DRUMLINE_RUN_RUN_MODEL_H

#include "model/checkpoint.h"
#include "model/inference/inference_decoder.h"
#include "run/run_folder.h"

/* Where the model is: the first of these three that is not NULL says so. Nothing is owned. */
struct run_model_source {
    const char *checkpoint_file; /* a checkpoint or a model file */
    const char *run_dir;         /* a run: its best or its latest valid checkpoint, by `checkpoint` */
    const char *config;          /* a model file by the name of its config (run/model_files.h) */

    enum run_checkpoint_choice checkpoint;

    const char *models_dir; /* with config: the folder that is looked into first; may be NULL */
    const char *program;    /* with config: argv[0], beside which shipped models lie; may be NULL */
};

struct run_model {
    struct checkpoint checkpoint;
    char *path;                        /* of its file; owned */
    struct inference_decoder *decoder; /* owned */
    struct latents latents;            /* empty (size 0) where the file has none; owned */
    float *residual_sd;                /* [D] (checkpoint_read_residuals); NULL where the file has none; owned */
};

/* Reads the tensors that are needed and no more: with `encodes` all, else the decoder's, and then only inference_decode may be
 * called. Averaged weights are taken where there are some. Logs a warning about a file without our seal, and about damaged
 * checkpoints of a run that are skipped for older ones. On failure *model is empty. */
bool run_model_load(struct run_model *model, const struct run_model_source *source, bool encodes, struct error *error);

/* An empty model is fine. */
void run_model_free(struct run_model *model);

#endif
