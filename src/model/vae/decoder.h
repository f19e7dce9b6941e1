/* The decoder: from z, one step after the other, the outputs of a window.
 *
 * The flat decoder is an LSTM stack over all T steps, started by z and fed [x(t-1), controls(t), z]. The hierarchical one
 * (Roberts et al., "A Hierarchical Latent Vector Model for Learning Long-Term Structure in Music", ICML 2018) has a
 * conductor, a stack started by z and fed nothing, that makes one embedding a bar; the core decoder starts every bar from
 * its embedding and is fed [x(t-1), controls(t), embedding]. x(t-1) crosses the bar line, so in training all bars can run
 * side by side.
 *
 * Both are one thing here: `segments` pieces of `segment_steps` steps with one embedding each; the flat decoder has one
 * segment whose embedding is z. The core's arrays are [segment_steps, segments * B, ...]: row g * B + b is segment g of
 * window b. */
#ifndef DRUMLINE_MODEL_VAE_DECODER_H
#define DRUMLINE_MODEL_VAE_DECODER_H

#include "model/nn/lstm_stack.h"
#include "model/vae/model_shape.h"
#include "model/vae/output_head.h"

struct decoder {
    bool hierarchical;
    int segments, segment_steps;             /* segments * segment_steps = T */
    int num_controls;                        /* C; 0: none */
    int embedding_size;                      /* E */
    float prev_keep_prob, context_keep_prob; /* dropout of the lowest layer's columns: x(t-1); controls and embedding */
    struct lstm_stack conductor;             /* hierarchical only */
    struct lstm_stack core;
    struct output_heads heads;
    int depth;                 /* D */
    struct dense_layer output; /* [H, D] */

    struct operand embedding; /* [segments * B, E]: z, or the conductor's h */
    float *outputs;           /* [segment_steps, segments * B, D]; after decoder_loss with gradient, the gradient */
    float *d_top;             /* [T * B, H] */
    float *d_embedding;       /* [segments * B, E] */
    float *d_embedding_rows;  /* [T * B, E]: the same for each step, before they are summed */
    float *previous;          /* [segments * B, D]: what is fed as x(t-1) where it is sampled */
    struct random_stream *streams; /* [segments * B] */
};

/* Scheduled sampling: with `probability`, an example's next input is drawn from the model's own output. No gradient goes
 * through what was drawn (Bengio et al. 2015). The first step of a bar of the hierarchical decoder is always fed the truth:
 * its bars run side by side. */
struct decoder_sampling {
    double probability; /* 0: teacher forcing throughout */
    uint64_t seed;
    uint32_t step;          /* of the training */
    uint32_t first_example; /* number of the pass's first window in the global batch */
};

void decoder_bind(struct decoder *decoder, const struct tensor_table *table, const struct hparams *hparams);
/* With what probability x(t-1), and controls and embedding, are kept as the core's input in training. */
double decoder_prev_keep_prob(const struct hparams *hparams);
double decoder_context_keep_prob(const struct hparams *hparams);

/* Columns [0, first) and [first, end) of the core's input are kept with prev_keep_prob and context_keep_prob: first. */
int decoder_context_column(const struct decoder *decoder);

void decoder_lay_out(struct decoder *decoder, struct arena *arena, int rows);

/* What bf16 passes need besides; gradient16 as in stack_lay_out_bf16. */
void decoder_lay_out_bf16(struct decoder *decoder, struct arena *arena, uint16_t *gradient16, int rows);

/* Outputs for a batch under teacher forcing. z [B, Z]; target [T, B, D] (fed one step late); controls [T, B, C] or NULL. */
void decoder_forward(struct decoder *decoder, const struct pass *pass, const float *z, const float *target,
                     const float *controls, const struct decoder_sampling *sampling);

/* Adds the loss of the outputs to sums (the vector of base/metric.h). With `gradient`, outputs become scale * gradient. */
void decoder_loss(struct decoder *decoder, const struct pass *pass, double *sums, const float *target, bool gradient,
                  float scale);

/* Backwards after decoder_loss with gradient; sets d_z [B, Z]. Reports tensors as ready. */
void decoder_backward(struct decoder *decoder, const struct pass *pass, struct stack_scratch *scratch, float *d_z,
                      const float *z);

#endif
