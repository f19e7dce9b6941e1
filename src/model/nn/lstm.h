/* One LSTM layer over all steps of a batch, and its way back (Hochreiter and Schmidhuber, 1997; gates as in TensorFlow's
 * BasicLSTMCell):
 *
 *     [i c~ f o] = [x, h] W + b,  c' = sigmoid(f + 1) c + sigmoid(i) tanh(c~),  h' = sigmoid(o) tanh(c')
 *
 * with W [I + H, 4H]. A step's GEMM is one with [x, h], and the gates follow while its output is still in cache; the gradients of
 * the kernel and of the inputs sum over all steps, some at a time. Where pass->packed says so, W is packed once for all steps
 * and the GEMMs are made by pass->kernels; else OpenBLAS makes them. */
#ifndef DRUMLINE_MODEL_NN_LSTM_H
#define DRUMLINE_MODEL_NN_LSTM_H

#include "base/arena.h"
#include "model/nn/gemm.h"
#include "model/nn/tensors.h"

struct lstm_layer {
    int input_size;      /* I; 0: the layer is fed nothing */
    int units;           /* H */
    bool reverse;        /* runs from the last step to the first */
    bool zero_start;     /* its initial state is 0 and gets no gradient */
    bool is_last;        /* of the layers in the order of backward: its gradients are reported in parts */
    size_t kernel, bias; /* offsets into the parameters */
    float *packed;       /* the kernel packed for pass->kernels, since lstm_prepare */

    float *input;  /* [T, B, I] as the GEMMs see it: after dropout. Two directions may share one */
    uint8_t *mask; /* [T, B, I] dropout: 1 keeps; NULL where the layer is fed nothing */
    /* [T, B, 4H] activated gates; after lstm_backward the gradients before activation. With packed GEMMs
     * there is a gap between rows. */
    float *gates;
    /* [T + 1, B, H]: slot t + 1 after step t and slot 0 the initial state; in a reverse layer slot t after step t and
     * slot T the initial state. */
    float *c, *h;

    /* For bf16 passes, else NULL: input, h and the gradient in gates, rounded as they are made. */
    bool rounds_input;    /* false where another layer that shares the input has done so */
    uint16_t *input16;    /* [T, B, I] */
    uint16_t *h16;        /* [T + 1, B, H] */
    uint16_t *gradient16; /* [T, B, 4H] since lstm_backward; other layers may share it */
};

/* Finds the layer's tensors by name ("decoder/layer_0"). */
void lstm_bind(struct lstm_layer *layer, const struct tensor_table *table, const char *name, int input_size, int units);

/* Takes gates, c and h, and with `own_input` input and mask too, for up to `steps` steps of `rows` rows. */
void lstm_lay_out(struct lstm_layer *layer, struct arena *arena, int steps, int rows, bool own_input);

/* Takes what bf16 passes need besides, but for gradient16. */
void lstm_lay_out_bf16(struct lstm_layer *layer, struct arena *arena, int steps, int rows, bool own_input);

/* Where the initial state stands for passes of `steps` steps and `rows` rows: [rows, H]. */
float *lstm_initial_c(const struct lstm_layer *layer, int steps, int rows);
float *lstm_initial_h(const struct lstm_layer *layer, int steps, int rows);

/* h after each step in the order of time: [T, B, H]. */
float *lstm_outputs(const struct lstm_layer *layer, int rows);

/* h after the last step that the layer makes: [B, H]. */
float *lstm_final_output(const struct lstm_layer *layer, int steps, int rows);

/* Packs the kernel as pass->values holds it, for the steps that follow. lstm_forward does it by itself. */
void lstm_prepare(struct lstm_layer *layer, const struct pass *pass);

/* All steps. `input` and the initial state are in place (a zero_start layer sets its own). */
void lstm_forward(struct lstm_layer *layer, const struct pass *pass, int steps, int rows);

/* Step t alone, its GEMMs included; lstm_prepare was called and the steps before it were made. Reverse layers have no such use. */
void lstm_forward_step(struct lstm_layer *layer, const struct pass *pass, int t, int rows);

/* What lstm_backward works in and leaves behind. */
struct lstm_scratch {
    float *dh;       /* [B, H]; out: gradient of the initial h */
    float *dc;       /* [B, H]; out: gradient of the initial c */
    float *packed;   /* room for either half of a kernel, transposed and packed */
    float *gradient; /* scratch of kernels->gemm_gradient */
};

/* All steps, backwards. dh_above [T, B, H]: gradient of each step's h, or NULL. dh_final [B, H]: of the last step's h alone,
 * or NULL. Sets the gradients of kernel and bias as pass->write says; layer->gates become gradients. */
void lstm_backward(struct lstm_layer *layer, const struct pass *pass, struct lstm_scratch *scratch,
                   const float *dh_above, const float *dh_final, int steps, int rows);

/* After lstm_backward: the gradient of columns [first, first + count) of the input, [T * B, count], before dropout's own way
 * back. */
void lstm_input_gradient(float *d_input, const struct lstm_layer *layer, const struct pass *pass,
                         struct lstm_scratch *scratch, int first, int count, int steps, int rows, enum op_write write);

#endif
