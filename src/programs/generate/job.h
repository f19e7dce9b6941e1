/* What one run of drumline-generate works with: the options, the model, the inputs, and what follows from them. The modes share
 * it; each is a file of its own where it is more than a way to a latent vector (latents.h). */
#ifndef DRUMLINE_PROGRAMS_GENERATE_JOB_H
#define DRUMLINE_PROGRAMS_GENERATE_JOB_H

#include "data/dataset/converter.h"
#include "programs/generate/input.h"
#include "programs/generate/latent_choice.h"
#include "programs/generate/options.h"
#include "programs/generate/output.h"
#include "run/run_model.h"

struct generate_job {
    const struct generate_options *options;
    struct run_model model;
    const struct model_shape *shape; /* the model's */
    struct latent_choice choice;     /* where random latent vectors come from */
    bool keeps_hits;                 /* outputs have the hits of the first input */
    double temperature;
    uint32_t bars; /* of the model's window */
    uint64_t seed;
    int threads;
    struct feel_noise noise;

    float qpm;
    int num_inputs;
    struct generate_input inputs[GENERATE_MAX_INPUTS];
    struct transform transform; /* of an input; no note dropout */
    float *ends;                /* [4, Z]: means of the inputs; owned, as are the next three */
    float *controls;            /* [T, C]: what the decoder is given of the first input */
    float *rows;                /* [T, D]: room for one window */
    float *kept;                /* [T, D]: the first input's window as it is */

    struct drum_map stored_map, output_map;
    struct drum_map input_map; /* that the input of apply and transfer was read with */
    uint16_t input_channels;   /* bit c: channel c of it has its drums; 0: nothing says which has */
    char *command;             /* that makes the outputs again, owned */
    struct generate_output output;
};

/* Whether any of the `count` numbers of rows is not 0: whether the model is given a hit. */
bool generate_any_number(const float *rows, size_t count);

/* Loads the model, checks what is asked of it, and takes memory. On failure *wrong_usage says whether the options are at
 * fault. In any case generate_job_close is to be called. */
bool generate_job_open(struct generate_job *job, const struct generate_options *options, bool *wrong_usage,
                       struct error *error);
void generate_job_close(struct generate_job *job);

/* How the files of inputs are to be read. */
bool generate_job_rules(struct generate_input_rules *rules, const struct generate_job *job, struct error *error);

/* Reads the inputs, each as one window; encodes them where the mode needs their means; and sets the tempo. */
bool generate_job_read_inputs(struct generate_job *job, struct error *error);

/* Starts the set of `count` files, with the channel and the drum map of the options. */
bool generate_job_start_output(struct generate_job *job, int count, struct error *error);

#endif
