/* The whole model once more, slow and obvious, in double precision: forward, loss and backward for both decoders, after
 * docs/models.md. The oracle of src/model; it shares no line with it.
 *
 * Masks and noise are given, never drawn. Arrays are time-major: [T, B, ...], T = bars * steps_per_bar. In the
 * hierarchical decoder all bars run as one batch: row bar * B + b.
 *
 *     struct naive_model *model = naive_model_make(&sizes);
 *     ... fill naive_model_tensor(model, "decoder/output/kernel")->values and the others ...
 *     struct naive_outputs *outputs = naive_outputs_make(&sizes);
 *     naive_model_gradients(outputs, model, &batch);
 */
#ifndef DRUMLINE_TESTS_MODEL_NAIVE_MODEL_H
#define DRUMLINE_TESTS_MODEL_NAIVE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAIVE_CLASSES = 9, NAIVE_DEPTH = 27, NAIVE_MAX_LAYERS = 4, NAIVE_MAX_TENSORS = 40, NAIVE_NAME_SIZE = 48 };

struct naive_sizes {
    bool hierarchical;
    size_t batch;         /* B, windows */
    size_t bars;          /* in a window */
    size_t steps_per_bar; /* 16 in the model; anything here */
    size_t control_depth; /* C: 0; 9, of encoder and decoder; 27, of the decoder alone; each with 9 more of the tempo */
    size_t z_size;
    size_t num_encoder_layers;
    size_t enc_rnn_size[NAIVE_MAX_LAYERS]; /* of each direction */
    size_t num_layers;                     /* of the decoder, and of the conductor */
    size_t dec_rnn_size[NAIVE_MAX_LAYERS];
    double keep_prob;
    double beta;
    double free_bits;
    double prev_keep_prob,
        context_keep_prob; /* of the core's lowest layer: x(t-1); controls, embedding. 0: keep_prob */
    double velocity_l1;    /* weight of the absolute error of hits' velocities */
};

/* A bias is one row. */
struct naive_tensor {
    char name[NAIVE_NAME_SIZE];
    size_t rows, columns;
    double *values;   /* [rows, columns] */
    double *gradient; /* the same */
};

struct naive_model {
    struct naive_sizes sizes;
    bool bf16; /* both factors of every matrix product are rounded to bf16, and nothing else; false as made */
    size_t num_tensors;
    struct naive_tensor tensors[NAIVE_MAX_TENSORS]; /* in the order in which backward finishes them */
};

/* What goes in; nothing is owned. A NULL mask: no dropout there. */
struct naive_batch {
    const double *input;                              /* [T, B, 27] */
    const double *target;                             /* [T, B, 27]; also fed to the decoder, one step late */
    const double *controls;                           /* [T, B, C]; NULL where C is 0 */
    const double *eps;                                /* [B, z_size] */
    const uint8_t *encoder_masks[NAIVE_MAX_LAYERS];   /* [T, B, inputs], of both directions */
    const uint8_t *conductor_masks[NAIVE_MAX_LAYERS]; /* layers from 1: [bars, B, hidden of the layer below] */
    const uint8_t *decoder_masks[NAIVE_MAX_LAYERS];   /* flat: [T, B, inputs]; else [steps_per_bar, bars * B, inputs] */
};

struct naive_outputs {
    double *mu, *sigma; /* [B, z_size] */
    double *logits;     /* [T, B, 27] before sigmoid and tanh */
    double *hits_loss;  /* [B], as the three below: sums over a window's steps and classes */
    double *velocities_loss;
    double *offsets_loss;
    double *kl;      /* [B], nats */
    double loss;     /* mean over windows of all, the KL's cost weighed with beta */
    double absolute; /* mean over windows of the weighed absolute errors, which are not in the losses */
};

/* Tensors zeroed. Never NULL. */
struct naive_model *naive_model_make(const struct naive_sizes *sizes);
void naive_model_free(struct naive_model *model);

/* The tensor of that name, owned by the model; NULL where there is none. */
struct naive_tensor *naive_model_tensor(struct naive_model *model, const char *name);
size_t naive_tensor_count(const struct naive_tensor *tensor);

/* Widths of a layer's input, and so of its mask. The conductor's layer 0 has none. */
size_t naive_encoder_inputs(const struct naive_sizes *sizes, size_t layer);
size_t naive_decoder_inputs(const struct naive_sizes *sizes, size_t layer);
size_t naive_conductor_inputs(const struct naive_sizes *sizes, size_t layer);

struct naive_outputs *naive_outputs_make(const struct naive_sizes *sizes);
void naive_outputs_free(struct naive_outputs *outputs);

/* The forward pass alone. Returns loss + absolute. */
double naive_model_loss(struct naive_outputs *outputs, struct naive_model *model, const struct naive_batch *batch);

/* Forward and backward: sets every tensor's gradient of loss + absolute, and returns it. */
double naive_model_gradients(struct naive_outputs *outputs, struct naive_model *model, const struct naive_batch *batch);

/* The Euclidean norm of all gradients together. */
double naive_model_global_norm(const struct naive_model *model);

#endif
