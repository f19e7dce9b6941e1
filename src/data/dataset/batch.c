#include "data/dataset/batch.h"

#include "base/tempo.h"

#include <assert.h>
#include <string.h>

bool batch_check_dataset(const struct transform *transform, const struct dataset *dataset, struct error *error)
{
    const struct representation *found = &representation_table[dataset->index.representation];
    return found == transform->representation || error_set(error, "the data set's representation is %s, the model's %s",
                                                           found->name, transform->representation->name);
}

static void transform_windows(float *input, size_t num_windows, uint32_t num_steps, const struct transform *transform,
                              uint64_t seed, uint32_t step, uint32_t first_example)
{
    size_t depth = (size_t)transform->representation->depth;
    for (size_t b = 0; b < num_windows; b++) {
        struct random_stream stream;
        random_stream_start(&stream, seed, RANDOM_NOTE_DROPOUT, step, first_example + (uint32_t)b);
        window_transform(input + b * depth, num_windows * depth, num_steps, transform, &stream);
    }
}

static void augment_windows(float *target, size_t num_windows, uint32_t num_steps, const struct transform *transform,
                            uint64_t seed, uint32_t step, uint32_t first_example)
{
    size_t depth = (size_t)transform->representation->depth;
    for (size_t b = 0; b < num_windows; b++) {
        struct random_stream stream;
        random_stream_start(&stream, seed, RANDOM_AUGMENTATION, step, first_example + (uint32_t)b);
        transform->converter->augment(target + b * depth, num_windows * depth, num_steps, transform, &stream);
    }
}

/* Of those that play to an input. */
static size_t count_controls(const struct transform *transform)
{
    const struct representation *representation = transform->representation;
    int music = transform->input_as_controls ? representation->depth : representation->num_controls;
    return (size_t)music + (transform->tempo_control ? NUM_TEMPO_CONTROLS : 0);
}

void window_controls(float *controls, size_t controls_stride, const float *target, const float *input, size_t stride,
                     size_t num_steps, float qpm, const struct transform *transform)
{
    const float *from = transform->input_as_controls ? input : target;
    size_t tempo = transform->tempo_control ? NUM_TEMPO_CONTROLS : 0, music = count_controls(transform) - tempo;
    float tempos[NUM_TEMPO_CONTROLS] = {0};
    if (transform->tempo_control)
        tempo_controls(tempos, qpm);
    for (size_t t = 0; t < num_steps; t++) {
        memcpy(controls + t * controls_stride, from + t * stride, music * sizeof *controls);
        memcpy(controls + t * controls_stride + music, tempos, tempo * sizeof *controls);
    }
}

void batch_fill(float *input, float *target, float *controls, const struct windows *windows,
                const uint32_t *window_numbers, int num_windows, const struct transform *transform, uint64_t seed,
                uint32_t step, uint32_t first_example)
{
    const struct representation *representation = transform->representation;
    const struct dataset *dataset = windows->dataset;
    size_t batch = (size_t)num_windows, depth = (size_t)representation->depth, stride = batch * depth;
    size_t num_steps = (size_t)windows->bars * (size_t)representation->steps_per_bar;
    for (size_t b = 0; b < batch; b++) {
        assert(window_numbers[b] < windows->count);
        size_t cell = (size_t)windows->first_step[window_numbers[b]] * NUM_DRUMS;
        struct grid_cells cells = {dataset->hits + cell, dataset->velocity + cell, dataset->offset + cell};
        transform->converter->from_grid(target + b * depth, stride, &cells, (uint32_t)windows->bars);
    }
    if (transform->drop_class > 0)
        augment_windows(target, batch, (uint32_t)num_steps, transform, seed, step, first_example);
    memcpy(input, target, num_steps * stride * sizeof *input);
    transform_windows(input, batch, (uint32_t)num_steps, transform, seed, step, first_example);
    size_t num_controls = count_controls(transform);
    for (size_t b = 0; controls != NULL && b < batch; b++) {
        const struct performance *row = &dataset->index.table.rows[windows->performance[window_numbers[b]]];
        window_controls(controls + b * num_controls, batch * num_controls, target + b * depth, input + b * depth,
                        stride, num_steps, row->qpm, transform);
    }
}

void window_from_grid(float *window, const struct grid *grid, uint32_t first_bar, uint32_t bars,
                      const struct transform *transform)
{
    assert(time_signature_bar_steps(grid->time_signature) == GRID_BAR_STEPS);
    assert(((uint64_t)first_bar + bars) * GRID_BAR_STEPS <= grid->num_steps);
    size_t cell = (size_t)first_bar * GRID_BAR_STEPS * NUM_DRUMS;
    struct grid_cells cells = {grid->hits + cell, grid->velocity + cell, grid->offset + cell};
    transform->converter->from_grid(window, (size_t)transform->representation->depth, &cells, bars);
}

void window_transform(float *window, size_t stride, uint32_t num_steps, const struct transform *transform,
                      struct random_stream *stream)
{
    if (transform_is_needed(transform))
        transform->converter->transform(window, stride, num_steps, transform, stream);
}

bool grid_from_window(struct grid *grid, const float *window, uint32_t bars, float qpm,
                      const struct transform *transform, struct error *error)
{
    if (!grid_make(grid, bars * GRID_BAR_STEPS, error))
        return false;
    grid->qpm = qpm;
    grid->time_signature = (struct time_signature){4, 4};
    if (transform->converter->to_grid(grid, window, bars, error))
        return true;
    grid_free(grid);
    return false;
}
