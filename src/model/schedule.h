/* What changes with the step. Steps count from 1: the number of the update that is being made. */
#ifndef DRUMLINE_MODEL_SCHEDULE_H
#define DRUMLINE_MODEL_SCHEDULE_H

#include "model/hparams.h"

/* (learning_rate - min_learning_rate) * decay_rate^step + min_learning_rate */
double schedule_learning_rate(const struct hparams *hparams, uint64_t step);

/* (1 - beta_rate^step) * max_beta */
double schedule_beta(const struct hparams *hparams, uint64_t step);

/* Probability that the decoder is fed its own output, in [0, 1] (Bengio et al., "Scheduled Sampling for Sequence
 * Prediction with Recurrent Neural Networks", 2015). */
double schedule_sampling_probability(const struct hparams *hparams, uint64_t step);

#endif
