/* Output heads turn the decoder's outputs into music, and their distance from it into a loss. There is one implementation for
 * each kind of head that a representation may have (base/representation.h); a model binds those of its representation and
 * knows nothing else about its outputs. */
#ifndef DRUMLINE_MODEL_VAE_OUTPUT_HEAD_H
#define DRUMLINE_MODEL_VAE_OUTPUT_HEAD_H

#include "base/metric.h"
#include "base/random.h"
#include "model/vae/hparams.h"

/* How a head's loss is taken, beside its columns. */
struct head_loss {
    float scale;       /* of the gradient */
    double absolute;   /* sigmoid: weight of the absolute error where the gate is 1; in the gradient alone */
    const float *gate; /* the target's gate columns, rows `stride` numbers apart; NULL where the head has no gate */
};

/* Arrays hold the columns of one head: `width` numbers a row, rows `stride` numbers apart. */
struct output_head {
    const char *kind;

    /* Adds the loss of `rows` rows to sums[0], and what else the kind's metrics need to the sums behind it (base/metric.h).
     * Sets d_outputs, unless it is NULL, to scale * gradient, which has the absolute error in it as well; it may be `outputs`. */
    void (*loss)(double *sums, float *d_outputs, const float *outputs, const float *target, int width, size_t stride,
                 int rows, const struct head_loss *how);

    /* Draws one row of music from one row of outputs. Where gate [width] is not NULL, values are 0 where the gate is. */
    void (*sample)(float *music, const float *outputs, const float *gate, int width, float temperature,
                   struct random_stream *stream);
};

/* bernoulli: hits with probability sigmoid(output / temperature); binary cross entropy.
 * sigmoid, tanh: the number itself, without noise; squared error (Gillick et al. 2019, section 3). sigmoid: also the absolute error of
 * hits, smooth near 0: sqrt(error^2 + 1e-4). */
extern const struct output_head bernoulli_head, sigmoid_head, tanh_head;

/* All kinds. In a file of its own, so that a test can be linked with a table of its own. */
extern const struct output_head *const output_head_table[];
extern const size_t output_head_count;

/* The implementation of a kind, NULL where there is none. */
const struct output_head *output_head_find(const char *kind);

/* The heads of one representation. */
struct output_heads {
    const struct representation *representation;
    struct {
        const struct output_head *head;
        int first, width, gate; /* columns; gate: the gate's first column, -1: none */
        int first_sum;          /* in the vector of sums */
        double absolute;        /* weight of the absolute error */
    } rows[REPRESENTATION_MAX_HEADS];
};

/* The heads of the hparams' representation. Aborts where a kind has no implementation: the tables are ours, and a test ties them. */
void output_heads_bind(struct output_heads *heads, const struct hparams *hparams);

/* Adds the loss of `rows` rows to sums (the representation's whole vector) and, where d_outputs is not NULL, sets it to
 * scale * gradient. outputs, target [rows, D]; d_outputs may be outputs. */
void output_heads_loss(const struct output_heads *heads, double *sums, float *d_outputs, const float *outputs,
                       const float *target, int rows, float scale);

/* Draws one step of music, music [D], from outputs [D]. */
void output_heads_sample(const struct output_heads *heads, float *music, const float *outputs, float temperature,
                         struct random_stream *stream);

/* A step whose Bernoulli heads are those of `kept` [D], and whose other columns are what the model gives to them. */
void output_heads_keep(const struct output_heads *heads, float *music, const float *outputs, const float *kept);

/* The values of hits in `music` [D] as they are given that there is a hit. A gated head that is trained by squared error against 0
 * wherever its gate is 0 learns p * E[value | hit], with p the probability of the hit, so that its value is divided by max(p, 0.02)
 * and kept to [-1, 1]; offsets only where hits `are_drawn`, for of kept ones many are those that the model holds for unlikely, and hearers mind a
 * wrong offset more than a small one. For models that were not given the hits as controls; with these p is 1. */
void output_heads_condition(const struct output_heads *heads, float *music, const float *outputs, bool are_drawn);

/* raw [D]: the step `music`, but in columns of sigmoid and tanh heads whose gate is 0 what the model put out, as if there were no
 * gate. */
void output_heads_ungate(const struct output_heads *heads, float *raw, const float *music, const float *outputs);

/* Adds noise [D] to the columns of gated heads where their gate is 1, and keeps the result within the head's range. */
void output_heads_add_noise(const struct output_heads *heads, float *music, const float *noise);

#endif
