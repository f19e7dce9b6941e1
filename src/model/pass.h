/* What the parts of a model share during one pass over one batch. */
#ifndef DRUMLINE_MODEL_PASS_H
#define DRUMLINE_MODEL_PASS_H

#include "model/kernels/kernels.h"
#include "model/ops.h"

/* Who listens to a backward pass. Either function may be NULL. */
struct gradient_listener {
    /* gradients[0..end) are final; end grows from call to call, up to the table's num_floats. */
    void (*ready)(void *context, size_t end);
    /* Called about once for every time step, for whoever must be given a chance to work now and then. */
    void (*progress)(void *context);
    void *context;
};

struct pass {
    int batch;       /* B: windows of this pass */
    bool dropout;    /* apply the masks */
    float keep_prob; /* what the masks were drawn with */
    bool threaded;   /* the library's products use several threads, so none is made by a single-threaded kernel */
    const struct kernels *kernels;
    const float *values;                      /* all parameters */
    float *gradients;                         /* backward: all gradients */
    enum op_write write;                      /* backward: whether gradients are replaced or added to */
    const struct gradient_listener *listener; /* backward: may be NULL */
};

/* Tell the listener, if there is one. */
void pass_ready(const struct pass *pass, size_t end);
void pass_progress(const struct pass *pass);

#endif
