/* Slow, obvious, double-precision twins of the model's operations: plain loops after the formulas of docs/models.md, no
 * BLAS, no blocking. The oracles of src/model's operations; nothing here is fast, on purpose.
 *
 * Arrays are row-major, time-major where they have a time. Backward functions ADD to the gradients that they are given,
 * so that a tensor used twice gathers both parts; the caller zeroes them first. */
#ifndef DRUMLINE_TESTS_MODEL_NAIVE_OPS_H
#define DRUMLINE_TESTS_MODEL_NAIVE_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed, owned by the caller (free). Ends the program where there is no memory. */
double *naive_doubles(size_t count);
double *naive_copy(const double *values, size_t count);

/* x [rows, columns] with its rows `stride` numbers apart, and ones in between; owned by the caller. */
double *naive_widen(const double *x, size_t rows, size_t columns, size_t stride);

/* The values rounded to float, or float's values as doubles; owned by the caller. Arrays of floats are followed by
 * NAIVE_GUARD more that naive_guard_intact finds changed where a routine has written behind the end. */
enum { NAIVE_GUARD = 32 };
float *naive_to_floats(const double *values, size_t count);
double *naive_to_doubles(const float *values, size_t count);
bool naive_guard_intact(const float *values, size_t count);

/* Fills with numbers that float holds exactly, even in [-scale, scale); the same for the same *state; moves it on. */
void naive_fill(double *values, size_t count, double scale, uint64_t *state);

/* 1 with probability keep_prob, else 0. */
void naive_fill_mask(uint8_t *mask, size_t count, double keep_prob, uint64_t *state);

/* max |a - b| / max |b|: how far `a` is from the expected `b`. Infinite where a value is not finite, or where b is all
 * zero and a is not. */
double naive_relative_error(const double *a, const double *b, size_t count);

/* The same for floats against expected doubles. */
double naive_float_error(const float *a, const double *b, size_t count);

/* out [rows, columns] += a [rows, inner] b [inner, columns]. strides: between a's rows, a's columns, b's rows and b's columns;
 * swapped ones transpose. */
void naive_product(double *out, const double *a, const double *b, const size_t strides[4], size_t rows, size_t columns,
                   size_t inner);

/* x rounded to bf16: eight significant bits, to the nearest and of two equally near to the even one; fewer bits below
 * 2^-126. What is too large for bf16 is not made infinite: that is left to the conversion to float. */
double naive_round_bf16(double x);

/* The same for an array, owned by the caller. */
double *naive_rounded_copy(const double *values, size_t count);

double naive_sigmoid(double x);
double naive_softplus(double x);

/* out [rows, outputs] = x [rows, inputs] kernel [inputs, outputs] + bias [outputs] */
void naive_dense(double *out, const double *x, const double *kernel, const double *bias, size_t rows, size_t inputs,
                 size_t outputs);

/* Adds to dx [rows, inputs] (may be NULL), dkernel [inputs, outputs] and dbias [outputs]. */
void naive_dense_backward(double *dx, double *dkernel, double *dbias, const double *dout, const double *x,
                          const double *kernel, size_t rows, size_t inputs, size_t outputs);

/* out[n] = x[n] * mask[n] / keep_prob; a NULL mask copies. Its own backward. `out` may be `x`. */
void naive_dropout(double *out, const double *x, const uint8_t *mask, double keep_prob, size_t count);

/* One LSTM cell of one row. gates [4 hidden], in order i c~ f o: in, the sums before their functions; out, after them.
 * c' = sigmoid(f + 1) c + sigmoid(i) tanh(c~); h' = sigmoid(o) tanh(c'). c_new, h_new and c [hidden]. */
void naive_cell_forward(double *c_new, double *h_new, double *gates, const double *c, size_t hidden);

/* Its way back: dgates [4 hidden], of the sums before their functions, from gates as forward left them and dh and dc
 * [hidden], the gradients of h' and c'. dc becomes that of c. */
void naive_cell_backward(double *dgates, double *dc, const double *dh, const double *gates, const double *c_new,
                         const double *c, size_t hidden);

/* One LSTM layer's pass over a sequence. Step s of a forward layer is time s, of a reversed one time steps - 1 - s. */
struct naive_lstm {
    size_t steps, batch, inputs, hidden;
    bool reversed;
    bool bf16;     /* both factors of every product are rounded to bf16, and nothing else; false as made */
    double *x;     /* [steps, batch, inputs] by time, after dropout; the caller fills it */
    double *gates; /* [steps, batch, 4 hidden] by step: after their functions, in order i c~ f o */
    double *c;     /* [steps + 1, batch, hidden] by step; the caller fills the first, the initial state */
    double *h;     /* [steps + 1, batch, hidden] the same */
};

void naive_lstm_make(struct naive_lstm *lstm, size_t steps, size_t batch, size_t inputs, size_t hidden, bool reversed);
void naive_lstm_free(struct naive_lstm *lstm);

/* [i c~ f o] = [x, h] kernel + bias, then the cell.
 * kernel [inputs + hidden, 4 hidden], bias [4 hidden]. */
void naive_lstm_forward(struct naive_lstm *lstm, const double *kernel, const double *bias);

/* From dh [steps, batch, hidden], by step, the gradient of each step's output. Adds to dx [steps, batch, inputs] by
 * time, dkernel, dbias, and to dc0 and dh0 [batch, hidden], the gradients of the initial state (both may be NULL). */
void naive_lstm_backward(double *dx, double *dkernel, double *dbias, double *dc0, double *dh0, const double *dh,
                         const struct naive_lstm *lstm, const double *kernel);

/* The losses of one step of one window, over `classes` classes: output [3 classes] hit logits, velocities and offsets
 * before their functions, target [3 classes]. Adds to sums[3] (hits, velocities, offsets). */
void naive_drum_loss(double sums[3], const double *output, const double *target, size_t classes);

/* The sum of the absolute errors of hits' velocities, sqrt(error^2 + 1e-4) each. */
double naive_absolute_error(const double *output, const double *target, size_t classes);

/* Adds scale * its gradient to doutput. */
void naive_absolute_error_backward(double *doutput, const double *output, const double *target, double scale,
                                   size_t classes);

/* doutput [3 classes] = scale * the gradient of the three sums together. */
void naive_drum_loss_backward(double *doutput, const double *output, const double *target, double scale,
                              size_t classes);

/* KL(N(mu, sigma^2) || N(0, 1)) of one window, in nats. */
double naive_kl(const double *mu, const double *sigma, size_t z_size);

/* Adam's step number `step` (from 1) with moments (0.9, 0.999) and epsilon 1e-8; Kingma and Ba, 2015, algorithm 1. */
void naive_adam(double *values, double *m, double *v, const double *gradient, size_t count, double learning_rate,
                unsigned step);

/* AdamW, epsilon 1e-8. */
void naive_adamw(double *values, double *m, double *v, const double *gradient, size_t count, double learning_rate,
                 double weight_decay, unsigned step);

/* LAMB's step number `step` on one tensor, with moments (0.9, 0.999) and epsilon 1e-6; You et al., 2020, algorithm 2 with
 * the identity for phi. A tensor that does not adapt has a trust ratio of 1. */
void naive_lamb(double *values, double *m, double *v, const double *gradient, size_t count, double learning_rate,
                double weight_decay, bool adapts, unsigned step);

#endif
