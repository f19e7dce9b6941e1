/* Reads the fixtures that tools/make_reference.py writes (its first lines say what is in them). Every failure ends the
 * running test with the reason. */
#ifndef DRUMLINE_TESTS_MODEL_REFERENCE_FIXTURE_H
#define DRUMLINE_TESTS_MODEL_REFERENCE_FIXTURE_H

#include "tests/model/naive_model.h"

#include <hdf5.h>

struct reference {
    hid_t file;
    struct naive_sizes sizes;
    double learning_rate, grad_clip;
    int adam_steps;
    struct naive_batch batch;  /* with masks; its arrays are owned by the reference */
    struct naive_model *model; /* with the fixture's weights; owned */
    void *owned[4 + 3 * NAIVE_MAX_LAYERS];
    size_t num_owned;
};

/* Every fixture, by name, ended by NULL: for tests that go through all. */
extern const char *const reference_names[];

void reference_open(struct reference *reference, const char *name);
void reference_close(struct reference *reference);

/* The dataset "GROUP/NAME", which must hold `count` values; owned by the caller. */
double *reference_read(const struct reference *reference, const char *group, const char *name, size_t count);

/* The names of all tensors in the order of the fixture, one a line; owned by the caller. */
char *reference_tensor_names(const struct reference *reference);

/* The batch without masks: that of the group "evaluation". */
struct naive_batch reference_evaluation_batch(const struct reference *reference);

#endif
