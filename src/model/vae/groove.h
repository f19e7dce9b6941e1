/* The numbers of the groove representation that the model is built for: nine drum classes, each with a hit, a velocity and
 * an offset at every step (Gillick et al., "Learning to Groove with Inverse Sequence Transformations", ICML 2019). */
#ifndef DRUMLINE_MODEL_VAE_GROOVE_H
#define DRUMLINE_MODEL_VAE_GROOVE_H

enum {
    GROOVE_CLASSES = 9,
    GROOVE_DEPTH = 3 * GROOVE_CLASSES, /* [hits 0..8 | velocities 9..17 | offsets 18..26] */
    GROOVE_STEPS_PER_BAR = 16,
};

#endif
