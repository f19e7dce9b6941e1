/* The encoder: bidirectional LSTM layers over a window, and from the two final h the distribution of z:
 * mu = dense(h), sigma = softplus(dense(h)), z = mu + sigma * eps. */
#ifndef DRUMLINE_MODEL_VAE_ENCODER_H
#define DRUMLINE_MODEL_VAE_ENCODER_H

#include "model/nn/lstm_stack.h"
#include "model/vae/model_shape.h"

struct encoder {
    int num_layers, steps, z_size;
    struct lstm_layer forward[SETTING_LIST_MAX];
    struct lstm_layer backward[SETTING_LIST_MAX]; /* each shares input and mask with its forward layer */
    struct dense_layer to_mu, to_sigma;           /* [2H, Z] */

    float *final;                /* [B, 2H]: final h forward, final h backward */
    float *d_final;              /* [B, 2H] */
    float *mu, *sigma, *z;       /* [B, Z] */
    float *sigma_input;          /* [B, Z] before softplus */
    float *eps;                  /* [B, Z] N(0, 1); set by the caller before encoder_forward */
    float *d_mu, *d_sigma, *d_z; /* [B, Z] */
    float *d_half;               /* [B, H]: one half of d_final */
    float *d_outputs[2];         /* [T, B, H] each: gradients of a lower layer's two outputs; NULL with one layer */
};

void encoder_bind(struct encoder *encoder, const struct tensor_table *table, const struct hparams *hparams);
void encoder_lay_out(struct encoder *encoder, struct arena *arena, int rows);

/* What bf16 passes need besides. gradient16: two arrays [T, B, 4H] of the widest layer, the second only where there are
 * several layers: both directions' gradients go on to the layer below. */
void encoder_lay_out_bf16(struct encoder *encoder, struct arena *arena, uint16_t *const gradient16[2], int rows);

/* Columns of the lowest layer's input, D + C. */
int encoder_input_size(const struct encoder *encoder);

/* From the lowest layer's input (in place, after dropout) to mu, sigma and z. */
void encoder_forward(struct encoder *encoder, const struct pass *pass);

/* KL(N(mu, sigma) || N(0, 1)) of a row in nats: 1/2 sum(mu^2 + sigma^2 - 1) - sum ln sigma. */
double encoder_kl(const struct encoder *encoder, int row);

/* Backwards from d_z. The loss also holds kl_weight * max(0, KL - free_nats) for every row. Reports each layer as ready. */
void encoder_backward(struct encoder *encoder, const struct pass *pass, struct lstm_scratch *scratch, double kl_weight,
                      double free_nats);

#endif
