/* The floating-point operations of the matrix products that training on one window takes, counted from the shapes of
 * the model alone: a GEMM of [m, k] and [k, n] is 2 m k n. Gates, losses, sums of biases and the optimizer are not
 * counted: they are far below one percent.
 *
 * A dense layer from n to m numbers takes 2 n m forward, as many for the gradient of its kernel and, where the gradient
 * of its input is made, as many for that. An LSTM layer with I inputs and H units that runs T steps on r rows takes
 *
 *     forward              2 r (T I 4H + T' H 4H)
 *     gradient of weights  2 r T (I + H) 4H
 *     gradient of inputs   2 r (T W 4H + T' H 4H)
 *
 * with W the inputs whose gradient is wanted (none of the encoder's lowest layer, only those of the embedding in the
 * core decoder's) and T' the steps that have a state before them: T - 1 in the encoder, which starts from zeros, else
 * T. */
#ifndef DRUMLINE_PROGRAMS_BENCH_FLOPS_H
#define DRUMLINE_PROGRAMS_BENCH_FLOPS_H

#include "model/nn/pass.h"
#include "model/vae/hparams.h"

struct bench_flops {
    double forward, weight_gradients, input_gradients; /* FLOP a window */
    double phases[PASS_NUM_PHASES];                    /* the same, by what makes them; the loss has none */
    double total;
};

struct bench_flops bench_flops_of(const struct hparams *hparams);

#endif
