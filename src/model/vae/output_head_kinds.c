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

static void bernoulli_loss(double *sums, float *d_outputs, const float *outputs, const float *target, int width,
                           size_t stride, int rows, const struct head_loss *how)
{
    for (int row = 0; row < rows; row++) {
        size_t start = (size_t)row * stride;
        for (size_t i = start; i < start + (size_t)width; i++) {
            double output = (double)outputs[i], hit = (double)target[i];
            bool predicted = output > 0, present = hit > 0.5;
            sums[BERNOULLI_LOSS] += cross_entropy(output, hit);
            sums[BERNOULLI_TRUE_POSITIVES] += predicted && present;
            sums[BERNOULLI_FALSE_POSITIVES] += predicted && !present;
            sums[BERNOULLI_FALSE_NEGATIVES] += !predicted && present;
            if (d_outputs)
                d_outputs[i] = (float)((double)how->scale * (sigmoid(output) - hit));
        }
    }
}

static void bernoulli_sample(float *music, const float *outputs, const float *gate, int width, float temperature,
                             struct random_stream *stream)
{
    for (int i = 0; i < width; i++) {
        double probability = sigmoid((double)outputs[i] / (double)temperature);
        bool hit = (double)random_uniform(stream) < probability && (!gate || gate[i] > 0);
        music[i] = hit ? 1.0f : 0.0f;
    }
}

/* The derivative of difference^2 + absolute * gate * sqrt(difference^2 + 1e-4), of cell i. */
static double slope(double difference, const struct head_loss *how, size_t i)
{
    double weight = how->gate && how->absolute > 0 ? how->absolute * (double)how->gate[i] : 0;
    if (!(weight > 0 || weight < 0))
        return 2 * difference;
    return 2 * difference + weight * difference / sqrt(difference * difference + 1e-4);
}

static void sigmoid_loss(double *sums, float *d_outputs, const float *outputs, const float *target, int width,
                         size_t stride, int rows, const struct head_loss *how)
{
    for (int row = 0; row < rows; row++) {
        size_t start = (size_t)row * stride;
        for (size_t i = start; i < start + (size_t)width; i++) {
            double value = sigmoid((double)outputs[i]), difference = value - (double)target[i];
            sums[0] += difference * difference;
            if (d_outputs)
                d_outputs[i] = (float)((double)how->scale * slope(difference, how, i) * value * (1 - value));
        }
    }
}

static void sigmoid_sample(float *music, const float *outputs, const float *gate, int width, float temperature,
                           struct random_stream *stream)
{
    (void)temperature;
    (void)stream;
    for (int i = 0; i < width; i++)
        music[i] = gate && !(gate[i] > 0) ? 0.0f : (float)sigmoid((double)outputs[i]);
}

static void tanh_loss(double *sums, float *d_outputs, const float *outputs, const float *target, int width,
                      size_t stride, int rows, const struct head_loss *how)
{
    for (int row = 0; row < rows; row++) {
        size_t start = (size_t)row * stride;
        for (size_t i = start; i < start + (size_t)width; i++) {
            double value = tanh((double)outputs[i]), difference = value - (double)target[i];
            sums[0] += difference * difference;
            if (d_outputs)
                d_outputs[i] = (float)((double)how->scale * 2 * difference * (1 - value * value));
        }
    }
}

static void tanh_sample(float *music, const float *outputs, const float *gate, int width, float temperature,
                        struct random_stream *stream)
{
    (void)temperature;
    (void)stream;
    for (int i = 0; i < width; i++)
        music[i] = gate && !(gate[i] > 0) ? 0.0f : (float)tanh((double)outputs[i]);
}

const struct output_head bernoulli_head = {HEAD_BERNOULLI, bernoulli_loss, bernoulli_sample};
const struct output_head sigmoid_head = {HEAD_SIGMOID, sigmoid_loss, sigmoid_sample};
const struct output_head tanh_head = {HEAD_TANH, tanh_loss, tanh_sample};
