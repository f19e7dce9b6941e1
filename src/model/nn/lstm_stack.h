/* LSTM layers one above the other that start from a vector: the flat decoder, the conductor and the core decoder.
 *
 * The initial state is tanh(dense(source)), [B, 2 * sum of H], split [c h] per layer from the lowest up. Dropout lies on
 * every layer's input. */
#ifndef DRUMLINE_MODEL_NN_LSTM_STACK_H
#define DRUMLINE_MODEL_NN_LSTM_STACK_H

#include "base/cli/settings.h"
#include "model/nn/dense_layer.h"
#include "model/nn/lstm.h"

struct lstm_stack {
    int num_layers;
    struct lstm_layer layers[SETTING_LIST_MAX];
    int state_size;             /* 2 * sum of H */
    struct dense_layer initial; /* [S, state_size] */
    float *initial_state;       /* [B, state_size], after tanh */
    float *d_initial_state;     /* [B, state_size] */
};

/* What backward works in; shared by all stacks of a model. */
struct stack_scratch {
    struct lstm_scratch lstm;
    float *d_layer; /* [T, B, H]: gradient of a lower layer's h */
};

void stack_bind(struct lstm_stack *stack, const struct tensor_table *table, const char *name, int input_size,
                const struct int_list *sizes);
void stack_lay_out(struct lstm_stack *stack, struct arena *arena, int steps, int rows);

/* What bf16 passes need besides; gradient16 is shared by all layers, [T, B, 4H] of the widest. */
void stack_lay_out_bf16(struct lstm_stack *stack, struct arena *arena, uint16_t *gradient16, int steps, int rows);

int stack_top_units(const struct lstm_stack *stack);

/* h of the top layer from row `first` of [T * B] on: [T * B - first, H]. */
struct operand stack_outputs(const struct lstm_stack *stack, size_t first, int rows);

/* Prepares every layer for stack_forward_step with the parameters as they are; stack_forward does it by itself. */
void stack_prepare(struct lstm_stack *stack, const struct pass *pass);

/* Sets every layer's initial state from source [rows, S], for `steps` steps. */
void stack_start(struct lstm_stack *stack, const struct pass *pass, struct operand source, int steps, int rows);

/* All steps; the lowest layer's input is in place, and stack_start was called. */
void stack_forward(struct lstm_stack *stack, const struct pass *pass, int steps, int rows);

/* Step t alone; stack_prepare was called since the parameters changed. */
void stack_forward_step(struct lstm_stack *stack, const struct pass *pass, int t, int rows);

/* Backwards from d_top [T, B, H], the gradient of the top layer's h, to every parameter of the layers; the way through the
 * initial state is stack_backward_start's. Reports each layer as ready. */
void stack_backward(struct lstm_stack *stack, const struct pass *pass, struct stack_scratch *scratch,
                    const float *d_top, int steps, int rows);

/* Parameters of the initial state, and d_source [rows, S] as `write_source` says. */
void stack_backward_start(struct lstm_stack *stack, const struct pass *pass, float *d_source, struct operand source,
                          int rows, enum op_write write_source);

#endif
