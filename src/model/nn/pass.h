/* What the parts of a model share during one pass over one batch. */
#ifndef DRUMLINE_MODEL_NN_PASS_H
#define DRUMLINE_MODEL_NN_PASS_H

#include "model/kernels/kernels.h"
#include "model/nn/bf16_gemms.h"
#include "model/nn/ops.h"

/* Callbacks of a backward pass. Either may be NULL. */
struct gradient_listener {
    /* gradients[0..end) are final; end grows from call to call, up to the table's num_floats. */
    void (*ready)(void *context, size_t end);
    /* Called about once for every time step, for whoever must be given a chance to work now and then. */
    void (*progress)(void *context);
    void *context;
};

/* What a pass does one after the other. A phase lasts until the next begins or model_train returns. */
enum pass_phase {
    PASS_ENCODER_FORWARD,
    PASS_DECODER_FORWARD,
    PASS_LOSS,
    PASS_DECODER_BACKWARD,
    PASS_ENCODER_BACKWARD,
    PASS_NUM_PHASES
};

/* Called as a phase begins, say to measure it. */
struct phase_listener {
    void (*phase)(void *context, enum pass_phase phase);
    void *context;
};

/* What a pass with bf16 GEMMs has besides. */
struct bf16_pass {
    struct bf16_gemms *gemms;
    uint16_t *dense_x, *dense_d_out; /* room for the rounded operands of any of the model's dense layers */
};

struct pass {
    int batch;       /* B: windows of this pass */
    bool dropout;    /* apply the masks */
    float keep_prob; /* what the masks were drawn with */
    bool packed;     /* float32 GEMMs of LSTM layers by kernels->gemm_packed (see gemm_is_packed), else by OpenBLAS */
    const struct kernels *kernels;
    const struct bf16_pass *bf16;             /* NULL: all GEMMs are float32 */
    const float *values;                      /* all parameters */
    float *gradients;                         /* backward: all gradients */
    enum op_write write;                      /* backward: whether gradients are replaced or added to */
    const struct gradient_listener *listener; /* backward: may be NULL */
    const struct phase_listener *phases;      /* may be NULL */
};

/* Tell the listener, if there is one. */
void pass_ready(const struct pass *pass, size_t end);
void pass_progress(const struct pass *pass);
void pass_begin(const struct pass *pass, enum pass_phase phase);

#endif
