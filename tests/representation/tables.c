/* A second representation, which no user gets: "pulse", one class and four steps a bar. Programs that are linked with this file
 * have it beside groove. It has a kind of head and a converter of its own; nothing else of the project is changed. */
#include "data/dataset/converter.h"
#include "model/vae/output_head.h"

#include <math.h>
#include <string.h>

enum { SILENT, SOFT, LOUD, NUM_LEVELS };

const struct representation representation_table[] = {
    {
     .name = "groove",
     .steps_per_bar = 16,
     .depth = 27,
     .num_controls = 9,
     .num_heads = 3,
     .heads = {{"hits", HEAD_BERNOULLI, 9, NULL},
                  {"velocities", HEAD_SIGMOID, 9, "hits"},
                  {"offsets", HEAD_TANH, 9, "hits"}},
     },
    {
     .name = "pulse",
     .steps_per_bar = 4,
     .depth = NUM_LEVELS,
     .num_controls = 0,
     .num_heads = 1,
     .heads = {{"level", "softmax", NUM_LEVELS, NULL}},
     },
};
const size_t representation_count = sizeof representation_table / sizeof *representation_table;
const char representation_choices[] = "groove|pulse";

/* ---- The head: one of `width` ---- */

static void probabilities(double p[NUM_LEVELS], const float *outputs, int width, double temperature)
{
    double largest = (double)outputs[0], sum = 0;
    for (int i = 1; i < width; i++)
        largest = fmax(largest, (double)outputs[i]);
    for (int i = 0; i < width; i++)
        sum += p[i] = exp(((double)outputs[i] - largest) / temperature);
    for (int i = 0; i < width; i++)
        p[i] /= sum;
}

static void softmax_loss(double *sums, float *d_outputs, const float *outputs, const float *target, int width,
                         size_t stride, int rows, const struct head_loss *how)
{
    for (int row = 0; row < rows; row++) {
        size_t start = (size_t)row * stride;
        double p[NUM_LEVELS];
        probabilities(p, outputs + start, width, 1);
        for (int i = 0; i < width; i++) {
            double expected = (double)target[start + (size_t)i];
            sums[0] -= expected > 0 ? expected * log(p[i]) : 0;
            if (d_outputs)
                d_outputs[start + (size_t)i] = (float)((double)how->scale * (p[i] - expected));
        }
    }
}

static void softmax_sample(float *music, const float *outputs, const float *gate, int width, float temperature,
                           struct random_stream *stream)
{
    double p[NUM_LEVELS], left = (double)random_uniform(stream);
    int drawn = 0;
    (void)gate;
    probabilities(p, outputs, width, (double)temperature);
    while (drawn < width - 1 && (left -= p[drawn]) > 0)
        drawn++;
    for (int i = 0; i < width; i++)
        music[i] = i == drawn ? 1.0f : 0.0f;
}

static const struct output_head softmax_head = {"softmax", softmax_loss, softmax_sample};
const struct output_head *const output_head_table[] = {&bernoulli_head, &sigmoid_head, &tanh_head, &softmax_head};
const size_t output_head_count = sizeof output_head_table / sizeof *output_head_table;

/* ---- The converter: of each beat, whether anything is hit and how loud the loudest is ---- */

static void pulse_from_grid(float *rows, size_t stride, const struct grid_cells *cells, uint32_t bars)
{
    enum { BEAT_CELLS = GRID_BAR_STEPS / 4 * NUM_DRUMS };
    for (size_t beat = 0; beat < (size_t)bars * 4; beat++) {
        int level = SILENT;
        for (size_t cell = beat * BEAT_CELLS; cell < (beat + 1) * BEAT_CELLS; cell++)
            if (cells->hits[cell] && level != LOUD)
                level = cells->velocity[cell] >= 64 ? LOUD : SOFT;
        for (int i = 0; i < NUM_LEVELS; i++)
            rows[beat * stride + (size_t)i] = i == level ? 1.0f : 0.0f;
    }
}

static bool pulse_to_grid(struct grid *grid, const float *rows, uint32_t bars, struct error *error)
{
    for (size_t beat = 0; beat < (size_t)bars * 4; beat++) {
        const float *row = rows + beat * NUM_LEVELS;
        size_t cell = beat * (GRID_BAR_STEPS / 4) * NUM_DRUMS;
        if (!isfinite(row[SILENT]) || !isfinite(row[SOFT]) || !isfinite(row[LOUD]))
            return error_set(error, "the model's output is not finite at beat %zu", beat);
        if (row[SILENT] > 0.5f)
            continue;
        grid->hits[cell] = 1;
        grid->velocity[cell] = row[LOUD] > 0.5f ? 100 : 40;
    }
    return true;
}

static const struct converter pulse_converter = {"pulse", pulse_from_grid, pulse_to_grid, NULL, NULL};
const struct converter *const converter_table[] = {&groove_converter, &pulse_converter};
const size_t converter_count = sizeof converter_table / sizeof *converter_table;
