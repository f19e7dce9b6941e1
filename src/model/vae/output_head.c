#include "model/vae/output_head.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct output_head *output_head_find(const char *kind)
{
    for (size_t i = 0; i < output_head_count; i++)
        if (strcmp(output_head_table[i]->kind, kind) == 0)
            return output_head_table[i];
    return NULL;
}

void output_heads_bind(struct output_heads *heads, const struct hparams *hparams)
{
    const struct representation *representation = hparams_representation(hparams);
    struct metric_set metrics;
    int column = 0;
    metric_set_make(&metrics, representation);
    *heads = (struct output_heads){.representation = representation};
    for (int i = 0; i < representation->num_heads; i++) {
        const struct representation_head *head = &representation->heads[i];
        heads->rows[i].head = output_head_find(head->kind);
        if (!heads->rows[i].head) {
            fprintf(stderr, "no output head is of kind %s\n", head->kind);
            abort();
        }
        heads->rows[i].first = column;
        heads->rows[i].width = head->width;
        heads->rows[i].gate = head->gate ? heads->rows[representation_head_find(representation, head->gate)].first : -1;
        heads->rows[i].first_sum = metrics.head_sums[i];
        heads->rows[i].absolute = heads->rows[i].head == &sigmoid_head ? hparams->velocity_l1 : 0;
        column += head->width;
    }
}

void output_heads_loss(const struct output_heads *heads, double *sums, float *d_outputs, const float *outputs,
                       const float *target, int rows, float scale)
{
    size_t depth = (size_t)heads->representation->depth;
    for (int i = 0; i < heads->representation->num_heads; i++) {
        int first = heads->rows[i].first, gate = heads->rows[i].gate;
        const struct head_loss how = {scale, heads->rows[i].absolute, gate < 0 ? NULL : target + gate};
        heads->rows[i].head->loss(sums + heads->rows[i].first_sum, d_outputs ? d_outputs + first : NULL,
                                  outputs + first, target + first, heads->rows[i].width, depth, rows, &how);
    }
}

void output_heads_sample(const struct output_heads *heads, float *music, const float *outputs, float temperature,
                         struct random_stream *stream)
{
    for (int i = 0; i < heads->representation->num_heads; i++) {
        int first = heads->rows[i].first, gate = heads->rows[i].gate;
        heads->rows[i].head->sample(music + first, outputs + first, gate < 0 ? NULL : music + gate,
                                    heads->rows[i].width, temperature, stream);
    }
}

/* Below it a hit is so unlikely to the model that its value says nothing. */
static const double least_probability = 0.02;

/* Values of a gated head, as they are given a hit. */
static void divide_by_probability(float *values, const float *gate, const float *gate_outputs, int width)
{
    for (int i = 0; i < width; i++) {
        double probability = 1 / (1 + exp(-(double)gate_outputs[i]));
        if (gate[i] > 0)
            values[i] = (float)fmax(-1, fmin(1, (double)values[i] / fmax(probability, least_probability)));
    }
}

void output_heads_condition(const struct output_heads *heads, float *music, const float *outputs, bool are_drawn)
{
    for (int i = 0; i < heads->representation->num_heads; i++) {
        const struct output_head *head = heads->rows[i].head;
        int first = heads->rows[i].first, gate = heads->rows[i].gate;
        if (gate >= 0 && (head == &sigmoid_head || (head == &tanh_head && are_drawn)))
            divide_by_probability(music + first, music + gate, outputs + gate, heads->rows[i].width);
    }
}

void output_heads_keep(const struct output_heads *heads, float *music, const float *outputs, const float *kept)
{
    for (int i = 0; i < heads->representation->num_heads; i++) {
        const struct output_head *head = heads->rows[i].head;
        int first = heads->rows[i].first, gate = heads->rows[i].gate, width = heads->rows[i].width;
        if (head == &bernoulli_head || gate < 0)
            memcpy(music + first, kept + first, (size_t)width * sizeof *music);
        else
            head->sample(music + first, outputs + first, gate < 0 ? NULL : music + gate, width, 1, NULL);
    }
}

void output_heads_ungate(const struct output_heads *heads, float *raw, const float *music, const float *outputs)
{
    memcpy(raw, music, (size_t)heads->representation->depth * sizeof *raw);
    for (int i = 0; i < heads->representation->num_heads; i++) {
        const struct output_head *head = heads->rows[i].head;
        int first = heads->rows[i].first, gate = heads->rows[i].gate;
        for (int k = 0; gate >= 0 && head != &bernoulli_head && k < heads->rows[i].width; k++)
            if (!(music[gate + k] > 0))
                head->sample(raw + first + k, outputs + first + k, NULL, 1, 1, NULL);
    }
}

void output_heads_add_noise(const struct output_heads *heads, float *music, const float *noise)
{
    for (int i = 0; i < heads->representation->num_heads; i++) {
        int first = heads->rows[i].first, gate = heads->rows[i].gate;
        float least = heads->rows[i].head == &tanh_head ? -1.0f : 0.0f;
        for (int k = 0; gate >= 0 && k < heads->rows[i].width; k++)
            if (music[gate + k] > 0)
                music[first + k] = fminf(fmaxf(music[first + k] + noise[first + k], least), 1.0f);
    }
}
