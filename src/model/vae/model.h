/* A model of MusicVAE's groovae family with all its parameters, gradients and buffers.
 *
 * Use: model_make; model_initialize, or checkpoint_read_groups into values; then for each batch fill input, target and controls,
 * model_draw_noise, and model_train or model_evaluate. Batches are time-major: row t * B + b is step t of window b.
 * No function takes memory but model_make and the two for bf16. */
#ifndef DRUMLINE_MODEL_VAE_MODEL_H
#define DRUMLINE_MODEL_VAE_MODEL_H

#include "model/vae/decoder.h"
#include "model/vae/encoder.h"

struct model {
    struct hparams hparams; /* owns no strings */
    struct tensor_table table;
    int max_batch;    /* windows that the buffers are for */
    int steps;        /* T */
    int depth;        /* D */
    int num_controls; /* C */

    float *values;    /* [table.num_floats] */
    float *gradients; /* [table.num_floats] */

    float *input;    /* [T, B, D] what the encoder sees; set by the caller */
    float *target;   /* [T, B, D] what the decoder is to predict; set by the caller */
    float *controls; /* [T, B, C] set by the caller; NULL where C is 0 */

    struct metric_set metrics; /* what sums hold, and what is computed from them */
    struct encoder encoder;
    struct decoder decoder;
    struct stack_scratch scratch;
    uint8_t *mask_scratch;      /* one window's mask of the widest layer */
    uint8_t *mask_part_scratch; /* of the decoder's lowest layer, where its columns have different probabilities */
    const struct kernels *kernels;
    struct arena arena;

    struct bf16_pass bf16;   /* since model_use_bf16; before that no GEMMs */
    struct arena bf16_arena; /* its buffers */
};

/* Which windows a pass is about, for its random numbers. */
struct model_step {
    int batch;                   /* B, up to max_batch */
    bool training;               /* dropout and scheduled sampling are on */
    double sampling_probability; /* training: that the decoder is fed its own output (optimizer/schedule.h) */
    uint64_t seed;
    uint32_t step;          /* of the training, from 1; 0 in evaluation */
    uint32_t first_example; /* training: number of the first window in the global batch; evaluation: in the data set */
};

/* How a step's loss is weighed, and where its gradients go. */
struct model_gradient {
    float scale;         /* 1 / global batch: the sums of all ranks are then the gradient of the mean loss */
    double beta;         /* weight of the KL term */
    enum op_write write; /* OP_ADD adds to the gradients of micro-batches before this one */
    const struct gradient_listener *listener; /* may be NULL */
    const struct phase_listener *phases;      /* may be NULL */
};

/* A model for up to max_batch windows at a time; values and gradients are 0. NULL and the error set where memory is short or
 * hparams describe no model. Free with model_free. */
struct model *model_make(const struct hparams *hparams, int max_batch, struct error *error);
void model_free(struct model *model);

/* Bytes of all buffers of such a model, but for those of model_use_bf16. */
size_t model_memory(const struct hparams *hparams, int max_batch);

/* From here on model_train makes its GEMMs of operands rounded to bf16, all else in floats as ever; model_evaluate stays
 * as it is. The model takes ownership of the engine, also where this fails. At most once. */
bool model_use_bf16(struct model *model, struct bf16_engine *engine, struct error *error);

/* After model_use_bf16: prepares model_train for batches of `batch` windows, without which it aborts. Takes memory and leaves
 * nothing of use in gradients and buffers; parameters stay. */
bool model_prepare_bf16(struct model *model, int batch, struct error *error);

/* Initial values from `seed`. */
void model_initialize(struct model *model, uint64_t seed);

/* Draws eps and, in training, the dropout masks: all functions of (seed, purpose, step, example). */
void model_draw_noise(struct model *model, const struct model_step *step);

/* Adds the losses of one batch to sums [metrics.num_sums] (base/metric.h): forward, with the noise that is in place. The windows' means stand in
 * model->encoder.mu [B, Z] afterwards. */
void model_evaluate(struct model *model, const struct model_step *step, double *sums);

/* The same, and the gradients of scale * sum over windows of
 * losses of all heads + beta * max(0, KL - free_bits ln 2). */
void model_train(struct model *model, const struct model_step *step, const struct model_gradient *gradient,
                 double *sums);

#endif
