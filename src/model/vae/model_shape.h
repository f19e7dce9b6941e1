/* The sizes of a model that follow from its hparams. Its tensors, its buffers for training and its decoder for inference all
 * take them from here. */
#ifndef DRUMLINE_MODEL_VAE_MODEL_SHAPE_H
#define DRUMLINE_MODEL_VAE_MODEL_SHAPE_H

#include "model/vae/hparams.h"

struct model_shape {
    int steps;            /* T of a window */
    int depth;            /* D: numbers a step */
    int num_controls;     /* C: numbers that the decoder is given at each step; 0: none */
    int encoder_controls; /* those of them that the encoder is given too: C, or 0 where they are its input */
    int z_size;           /* Z */

    /* The decoder makes a window in segments, each started from an embedding: the hierarchical one bar by bar from the
     * conductor's outputs, the flat one all at once from z. */
    bool hierarchical;
    int segments, segment_steps; /* segments * segment_steps = T */
    int embedding_size;          /* E */
};

struct model_shape model_shape_of(const struct hparams *hparams);

/* Columns of the encoder's input: [step, its controls]. */
int model_shape_encoder_inputs(const struct model_shape *shape);

/* Columns of the core decoder's input: [step before, controls, embedding]. */
int model_shape_decoder_inputs(const struct model_shape *shape);

#endif
