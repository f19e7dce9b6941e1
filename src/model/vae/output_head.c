#include "model/vae/output_head.h"

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

void output_heads_bind(struct output_heads *heads, const struct representation *representation)
{
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
        column += head->width;
    }
}

void output_heads_loss(const struct output_heads *heads, double *sums, float *d_outputs, const float *outputs,
                       const float *target, int rows, float scale)
{
    size_t depth = (size_t)heads->representation->depth;
    for (int i = 0; i < heads->representation->num_heads; i++) {
        int first = heads->rows[i].first;
        heads->rows[i].head->loss(sums + heads->rows[i].first_sum, d_outputs ? d_outputs + first : NULL,
                                  outputs + first, target + first, heads->rows[i].width, depth, rows, scale);
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
