/* The table alone, so that a test can be linked with a table of its own. */
#include "base/representation.h"

const struct representation representation_table[] = {
    {
     .name = "groove",
     .steps_per_bar = 16,
     .depth = 27,
     .num_controls = 9,
     .num_heads = 3,
     .heads =
            {
                {"hits", HEAD_BERNOULLI, 9, NULL},
                {"velocities", HEAD_SIGMOID, 9, "hits"},
                {"offsets", HEAD_TANH, 9, "hits"},
            }, },
};
const size_t representation_count = sizeof representation_table / sizeof *representation_table;
const char representation_choices[] = "groove";
