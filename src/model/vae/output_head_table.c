/* The table alone, so that a test can be linked with a table of its own. */
#include "model/vae/output_head.h"

const struct output_head *const output_head_table[] = {&bernoulli_head, &sigmoid_head, &tanh_head};
const size_t output_head_count = sizeof output_head_table / sizeof *output_head_table;
