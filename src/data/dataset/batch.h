/* Windows as the tensors that the model takes, and back, by the converter of a representation (data/dataset/converter.h): T
 * steps of D numbers. */
#ifndef DRUMLINE_DATA_DATASET_BATCH_H
#define DRUMLINE_DATA_DATASET_BATCH_H

#include "data/dataset/converter.h"
#include "data/dataset/windows.h"

/* Fails where the data set was made for another representation. */
bool batch_check_dataset(const struct transform *transform, const struct dataset *dataset, struct error *error);

/* The controls of `num_steps` steps of one window: the first columns of the target (the representation's num_controls) or, with
 * input_as_controls, all of the transformed input; and with tempo_control the tempo, as tempo_controls has it. Rows of target and
 * input lie `stride` numbers apart, those of controls `controls_stride`; what is not used may be NULL. */
void window_controls(float *controls, size_t controls_stride, const float *target, const float *input, size_t stride,
                     size_t num_steps, float qpm, const struct transform *transform);

/* A batch of B windows, time-major: input and target [T, B, D], controls [T, B, C] (window_controls, at each performance's
 * tempo) or NULL. `window_numbers` [B] are indices in `windows`. Note dropout of example b is drawn from the stream (seed,
 * RANDOM_NOTE_DROPOUT, step, first_example + b), augmentation, with drop_class, from that of RANDOM_AUGMENTATION, so that
 * they depend on the example's place in the global batch and not on the rank. Takes no memory. */
void batch_fill(float *input, float *target, float *controls, const struct windows *windows,
                const uint32_t *window_numbers, int num_windows, const struct transform *transform, uint64_t seed,
                uint32_t step, uint32_t first_example);

/* window [T, D] from `bars` bars of `grid` from bar `first_bar` on (0: the first). The grid must be in bars of 16 steps and
 * reach that far. */
void window_from_grid(float *window, const struct grid *grid, uint32_t first_bar, uint32_t bars,
                      const struct transform *transform);

/* Transforms one window in place: `num_steps` rows of D that lie `stride` floats apart. The stream is used for note
 * dropout alone and may be NULL where that is 0. */
void window_transform(float *window, size_t stride, uint32_t num_steps, const struct transform *transform,
                      struct random_stream *stream);

/* A grid in 4/4 from a model's output [T, D] of `bars` bars. Fails where a value is not finite or there is no memory. */
bool grid_from_window(struct grid *grid, const float *window, uint32_t bars, float qpm,
                      const struct transform *transform, struct error *error);

#endif
