/* What changes with the step. Steps count from 1: the number of the update that is being made. */
#ifndef DRUMLINE_MODEL_OPTIMIZER_SCHEDULE_H
#define DRUMLINE_MODEL_OPTIMIZER_SCHEDULE_H

#include "model/vae/hparams.h"

/* ((learning_rate - min_learning_rate) * decay_rate^step + min_learning_rate) * warm-up * scale, with
 *
 *     warm-up = min(1, step / warmup_steps)                      (Goyal et al., "Accurate, Large Minibatch SGD", 2017)
 *     scale   = 1                                         with learning_rate_scaling=none
 *               sqrt(batch_size / reference_batch_size)   with sqrt: Malladi et al., "On the SDEs and Scaling Rules for
 *                                                         Adaptive Gradient Algorithms", NeurIPS 2022; You et al. 2020
 *                                                         for LAMB
 *               batch_size / reference_batch_size         with linear: Goyal et al., for SGD
 *
 * The defaults, no warm-up and no scaling, leave the first factor as it is, bit for bit. */
double schedule_learning_rate(const struct hparams *hparams, uint64_t step);

/* (1 - beta_rate^step) * max_beta */
double schedule_beta(const struct hparams *hparams, uint64_t step);

/* Probability that the decoder is fed its own output, in [0, 1] (Bengio et al., "Scheduled Sampling for Sequence
 * Prediction with Recurrent Neural Networks", 2015). */
double schedule_sampling_probability(const struct hparams *hparams, uint64_t step);

#endif
