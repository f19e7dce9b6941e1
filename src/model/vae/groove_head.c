#include "model/vae/groove.h"
#include "model/vae/output_head.h"

#include <math.h>

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* -y ln sigmoid(x) - (1 - y) ln(1 - sigmoid(x)), without overflow */
static double cross_entropy(double x, double y)
{
    return fmax(x, 0) - x * y + log1p(exp(-fabs(x)));
}

static void loss_of_hit(double sums[SUM_COUNT], float *d_output, double output, double target, double scale)
{
    sums[SUM_HITS] += cross_entropy(output, target);
    bool foretold = output > 0, there = target > 0.5;
    sums[SUM_TRUE_HITS] += foretold && there;
    sums[SUM_FALSE_HITS] += foretold && !there;
    sums[SUM_MISSED_HITS] += !foretold && there;
    if (d_output)
        *d_output = (float)(scale * (sigmoid(output) - target));
}

static void loss_of_velocity(double sums[SUM_COUNT], float *d_output, double output, double target, double scale)
{
    double velocity = sigmoid(output), difference = velocity - target;
    sums[SUM_VELOCITIES] += difference * difference;
    if (d_output)
        *d_output = (float)(scale * 2 * difference * velocity * (1 - velocity));
}

static void loss_of_offset(double sums[SUM_COUNT], float *d_output, double output, double target, double scale)
{
    double offset = tanh(output), difference = offset - target;
    sums[SUM_OFFSETS] += difference * difference;
    if (d_output)
        *d_output = (float)(scale * 2 * difference * (1 - offset * offset));
}

static void groove_loss(double sums[SUM_COUNT], float *d_outputs, const float *outputs, const float *target, int rows,
                        float scale)
{
    for (int row = 0; row < rows; row++) {
        size_t start = (size_t)row * GROOVE_DEPTH;
        for (size_t i = start; i < start + GROOVE_CLASSES; i++) {
            size_t v = i + GROOVE_CLASSES, o = v + GROOVE_CLASSES;
            float *d = d_outputs;
            loss_of_hit(sums, d ? d + i : NULL, (double)outputs[i], (double)target[i], (double)scale);
            loss_of_velocity(sums, d ? d + v : NULL, (double)outputs[v], (double)target[v], (double)scale);
            loss_of_offset(sums, d ? d + o : NULL, (double)outputs[o], (double)target[o], (double)scale);
        }
    }
}

/* A drum that is not hit has velocity and offset 0, as in the data. */
static void groove_sample(float *music, const float *outputs, float temperature, struct random_stream *stream)
{
    for (int i = 0; i < GROOVE_CLASSES; i++) {
        double probability = sigmoid((double)outputs[i] / (double)temperature);
        bool hit = (double)random_uniform(stream) < probability;
        music[i] = hit ? 1.0f : 0.0f;
        music[GROOVE_CLASSES + i] = hit ? (float)sigmoid((double)outputs[GROOVE_CLASSES + i]) : 0.0f;
        music[2 * GROOVE_CLASSES + i] = hit ? (float)tanh((double)outputs[2 * GROOVE_CLASSES + i]) : 0.0f;
    }
}

const struct output_head groove_head = {"groove", GROOVE_DEPTH, groove_loss, groove_sample};
