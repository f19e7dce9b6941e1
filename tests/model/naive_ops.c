#include "tests/model/naive_ops.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double *naive_doubles(size_t count)
{
    double *values = calloc(count > 0 ? count : 1, sizeof *values);
    if (values == NULL) {
        fprintf(stderr, "no memory for %zu doubles\n", count);
        abort();
    }
    return values;
}

double *naive_copy(const double *values, size_t count)
{
    double *copy = naive_doubles(count);
    memcpy(copy, values, count * sizeof *copy);
    return copy;
}

double *naive_widen(const double *x, size_t rows, size_t columns, size_t stride)
{
    double *wide = naive_doubles(rows * stride);
    for (size_t row = 0; row < rows; row++)
        for (size_t j = 0; j < stride; j++)
            wide[row * stride + j] = j < columns ? x[row * columns + j] : 1;
    return wide;
}

static const float guard_value = -98765.0f;

float *naive_to_floats(const double *values, size_t count)
{
    float *floats = malloc((count + NAIVE_GUARD) * sizeof *floats);
    if (floats == NULL)
        abort();
    for (size_t n = 0; n < count; n++)
        floats[n] = (float)values[n];
    for (size_t n = count; n < count + NAIVE_GUARD; n++)
        floats[n] = guard_value;
    return floats;
}

double *naive_to_doubles(const float *values, size_t count)
{
    double *doubles = naive_doubles(count);
    for (size_t n = 0; n < count; n++)
        doubles[n] = (double)values[n];
    return doubles;
}

bool naive_guard_intact(const float *values, size_t count)
{
    for (size_t n = count; n < count + NAIVE_GUARD; n++)
        if (values[n] != guard_value)
            return false;
    return true;
}

/* splitmix64; the upper 24 bits as a number in [0, 1). */
static double next_uniform(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    mixed ^= mixed >> 31;
    return (double)(mixed >> 40) / 16777216.0;
}

void naive_fill(double *values, size_t count, double scale, uint64_t *state)
{
    for (size_t n = 0; n < count; n++)
        values[n] = (double)(float)(scale * (2 * next_uniform(state) - 1));
}

void naive_fill_mask(uint8_t *mask, size_t count, double keep_prob, uint64_t *state)
{
    for (size_t n = 0; n < count; n++)
        mask[n] = next_uniform(state) < keep_prob;
}

double naive_relative_error(const double *a, const double *b, size_t count)
{
    double difference = 0, size = 0;
    for (size_t n = 0; n < count; n++) {
        if (!isfinite(a[n]) || !isfinite(b[n]))
            return INFINITY;
        difference = fmax(difference, fabs(a[n] - b[n]));
        size = fmax(size, fabs(b[n]));
    }
    if (size > 0)
        return difference / size;
    return difference > 0 ? INFINITY : 0;
}

double naive_float_error(const float *a, const double *b, size_t count)
{
    double *doubles = naive_to_doubles(a, count);
    double error = naive_relative_error(doubles, b, count);
    free(doubles);
    return error;
}

void naive_product(double *out, const double *a, const double *b, const size_t strides[4], size_t rows, size_t columns,
                   size_t inner)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < columns; j++)
            for (size_t k = 0; k < inner; k++)
                out[r * columns + j] += a[r * strides[0] + k * strides[1]] * b[k * strides[2] + j * strides[3]];
}

double naive_round_bf16(double x)
{
    int exponent;
    if (x == 0 || !isfinite(x))
        return x;
    frexp(x, &exponent);
    double unit = ldexp(1, (exponent < -125 ? -125 : exponent) - 8);
    return rint(x / unit) * unit;
}

double *naive_rounded_copy(const double *values, size_t count)
{
    double *copy = naive_doubles(count);
    for (size_t n = 0; n < count; n++)
        copy[n] = naive_round_bf16(values[n]);
    return copy;
}

double naive_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

double naive_softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

void naive_dense(double *out, const double *x, const double *kernel, const double *bias, size_t rows, size_t inputs,
                 size_t outputs)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t j = 0; j < outputs; j++) {
            double sum = bias[j];
            for (size_t k = 0; k < inputs; k++)
                sum += x[r * inputs + k] * kernel[k * outputs + j];
            out[r * outputs + j] = sum;
        }
    }
}

void naive_dense_backward(double *dx, double *dkernel, double *dbias, const double *dout, const double *x,
                          const double *kernel, size_t rows, size_t inputs, size_t outputs)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t j = 0; j < outputs; j++) {
            double d = dout[r * outputs + j];
            dbias[j] += d;
            for (size_t k = 0; k < inputs; k++) {
                dkernel[k * outputs + j] += d * x[r * inputs + k];
                if (dx != NULL)
                    dx[r * inputs + k] += d * kernel[k * outputs + j];
            }
        }
    }
}

void naive_dropout(double *out, const double *x, const uint8_t *mask, double keep_prob, size_t count)
{
    for (size_t n = 0; n < count; n++)
        out[n] = mask != NULL ? x[n] * mask[n] / keep_prob : x[n];
}

void naive_lstm_make(struct naive_lstm *lstm, size_t steps, size_t batch, size_t inputs, size_t hidden, bool reversed)
{
    *lstm = (struct naive_lstm){
        .steps = steps,
        .batch = batch,
        .inputs = inputs,
        .hidden = hidden,
        .reversed = reversed,
        .x = naive_doubles(steps * batch * inputs),
        .gates = naive_doubles(steps * batch * 4 * hidden),
        .c = naive_doubles((steps + 1) * batch * hidden),
        .h = naive_doubles((steps + 1) * batch * hidden),
    };
}

void naive_lstm_free(struct naive_lstm *lstm)
{
    free(lstm->x);
    free(lstm->gates);
    free(lstm->c);
    free(lstm->h);
    memset(lstm, 0, sizeof *lstm);
}

static size_t time_of(const struct naive_lstm *lstm, size_t step)
{
    return lstm->reversed ? lstm->steps - 1 - step : step;
}

void naive_cell_forward(double *c_new, double *h_new, double *gates, const double *c, size_t hidden)
{
    for (size_t j = 0; j < hidden; j++) {
        double *i = &gates[j], *candidate = &gates[hidden + j];
        double *f = &gates[2 * hidden + j], *o = &gates[3 * hidden + j];
        *i = naive_sigmoid(*i);
        *candidate = tanh(*candidate);
        *f = naive_sigmoid(*f + 1);
        *o = naive_sigmoid(*o);
        c_new[j] = *f * c[j] + *i * *candidate;
        h_new[j] = *o * tanh(c_new[j]);
    }
}

/* A factor of one of the layer's products. */
static double factor(const struct naive_lstm *lstm, double x)
{
    return lstm->bf16 ? naive_round_bf16(x) : x;
}

/* gates [4 hidden] = [x, h] kernel + bias */
static void gate_sums(double *gates, const double *x, const double *h, const double *kernel, const double *bias,
                      const struct naive_lstm *lstm)
{
    size_t inputs = lstm->inputs, hidden = lstm->hidden;
    for (size_t j = 0; j < 4 * hidden; j++) {
        double sum = bias[j];
        for (size_t k = 0; k < inputs; k++)
            sum += factor(lstm, x[k]) * factor(lstm, kernel[k * 4 * hidden + j]);
        for (size_t k = 0; k < hidden; k++)
            sum += factor(lstm, h[k]) * factor(lstm, kernel[(inputs + k) * 4 * hidden + j]);
        gates[j] = sum;
    }
}

void naive_lstm_forward(struct naive_lstm *lstm, const double *kernel, const double *bias)
{
    size_t batch = lstm->batch, inputs = lstm->inputs, hidden = lstm->hidden;
    for (size_t s = 0; s < lstm->steps; s++) {
        for (size_t b = 0; b < batch; b++) {
            size_t row = s * batch + b, next = (s + 1) * batch + b;
            double *gates = &lstm->gates[row * 4 * hidden];
            gate_sums(gates, &lstm->x[(time_of(lstm, s) * batch + b) * inputs], &lstm->h[row * hidden], kernel, bias,
                      lstm);
            naive_cell_forward(&lstm->c[next * hidden], &lstm->h[next * hidden], gates, &lstm->c[row * hidden], hidden);
        }
    }
}

void naive_cell_backward(double *dgates, double *dc, const double *dh, const double *gates, const double *c_new,
                         const double *c, size_t hidden)
{
    for (size_t j = 0; j < hidden; j++) {
        double i = gates[j], candidate = gates[hidden + j], f = gates[2 * hidden + j], o = gates[3 * hidden + j];
        double tanh_c = tanh(c_new[j]);
        double d = dc[j] + dh[j] * o * (1 - tanh_c * tanh_c);
        dgates[j] = d * candidate * i * (1 - i);
        dgates[hidden + j] = d * i * (1 - candidate * candidate);
        dgates[2 * hidden + j] = d * c[j] * f * (1 - f);
        dgates[3 * hidden + j] = dh[j] * tanh_c * o * (1 - o);
        dc[j] = d * f;
    }
}

/* Spreads one row's dgates over the input, the recurrent h (dh_before, set), kernel and bias. */
static void gates_backward(double *dx, double *dh_before, double *dkernel, double *dbias, const double *dgates,
                           const double *x, const double *h, const double *kernel, const struct naive_lstm *lstm)
{
    size_t inputs = lstm->inputs, hidden = lstm->hidden;
    for (size_t k = 0; k < hidden; k++)
        dh_before[k] = 0;
    for (size_t j = 0; j < 4 * hidden; j++) {
        double dgate = factor(lstm, dgates[j]);
        dbias[j] += dgates[j];
        for (size_t k = 0; k < inputs; k++) {
            dkernel[k * 4 * hidden + j] += dgate * factor(lstm, x[k]);
            dx[k] += dgate * factor(lstm, kernel[k * 4 * hidden + j]);
        }
        for (size_t k = 0; k < hidden; k++) {
            dkernel[(inputs + k) * 4 * hidden + j] += dgate * factor(lstm, h[k]);
            dh_before[k] += dgate * factor(lstm, kernel[(inputs + k) * 4 * hidden + j]);
        }
    }
}

void naive_lstm_backward(double *dx, double *dkernel, double *dbias, double *dc0, double *dh0, const double *dh,
                         const struct naive_lstm *lstm, const double *kernel)
{
    size_t batch = lstm->batch, inputs = lstm->inputs, hidden = lstm->hidden;
    double *dh_total = naive_doubles(hidden), *dh_next = naive_doubles(hidden), *dc = naive_doubles(hidden);
    double *dgates = naive_doubles(4 * hidden);
    for (size_t b = 0; b < batch; b++) {
        memset(dc, 0, hidden * sizeof *dc);
        memset(dh_next, 0, hidden * sizeof *dh_next);
        for (size_t s = lstm->steps; s-- > 0;) {
            size_t row = s * batch + b, next = (s + 1) * batch + b, t = time_of(lstm, s);
            for (size_t j = 0; j < hidden; j++)
                dh_total[j] = dh[row * hidden + j] + dh_next[j];
            naive_cell_backward(dgates, dc, dh_total, &lstm->gates[row * 4 * hidden], &lstm->c[next * hidden],
                                &lstm->c[row * hidden], hidden);
            gates_backward(&dx[(t * batch + b) * inputs], dh_next, dkernel, dbias, dgates,
                           &lstm->x[(t * batch + b) * inputs], &lstm->h[row * hidden], kernel, lstm);
        }
        for (size_t j = 0; j < hidden && dc0 != NULL; j++) {
            dc0[b * hidden + j] += dc[j];
            dh0[b * hidden + j] += dh_next[j];
        }
    }
    free(dh_total);
    free(dh_next);
    free(dc);
    free(dgates);
}

void naive_drum_loss(double sums[3], const double *output, const double *target, size_t classes)
{
    for (size_t k = 0; k < classes; k++) {
        double velocity_error = naive_sigmoid(output[classes + k]) - target[classes + k];
        double offset_error = tanh(output[2 * classes + k]) - target[2 * classes + k];
        sums[0] += target[k] * naive_softplus(-output[k]) + (1 - target[k]) * naive_softplus(output[k]);
        sums[1] += velocity_error * velocity_error;
        sums[2] += offset_error * offset_error;
    }
}

void naive_drum_loss_backward(double *doutput, const double *output, const double *target, double scale, size_t classes)
{
    for (size_t k = 0; k < classes; k++) {
        double velocity = naive_sigmoid(output[classes + k]), offset = tanh(output[2 * classes + k]);
        doutput[k] = scale * (naive_sigmoid(output[k]) - target[k]);
        doutput[classes + k] = scale * 2 * (velocity - target[classes + k]) * velocity * (1 - velocity);
        doutput[2 * classes + k] = scale * 2 * (offset - target[2 * classes + k]) * (1 - offset * offset);
    }
}

double naive_absolute_error(const double *output, const double *target, size_t classes)
{
    double sum = 0;
    for (size_t k = 0; k < classes; k++) {
        double error = naive_sigmoid(output[classes + k]) - target[classes + k];
        sum += target[k] * sqrt(error * error + 1e-4);
    }
    return sum;
}

void naive_absolute_error_backward(double *doutput, const double *output, const double *target, double scale,
                                   size_t classes)
{
    for (size_t k = 0; k < classes; k++) {
        double velocity = naive_sigmoid(output[classes + k]), error = velocity - target[classes + k];
        doutput[classes + k] += scale * target[k] * error / sqrt(error * error + 1e-4) * velocity * (1 - velocity);
    }
}

double naive_kl(const double *mu, const double *sigma, size_t z_size)
{
    double sum = 0;
    for (size_t k = 0; k < z_size; k++)
        sum += 0.5 * (mu[k] * mu[k] + sigma[k] * sigma[k] - 1) - log(sigma[k]);
    return sum;
}

void naive_adam(double *values, double *m, double *v, const double *gradient, size_t count, double learning_rate,
                unsigned step)
{
    for (size_t n = 0; n < count; n++) {
        m[n] = 0.9 * m[n] + 0.1 * gradient[n];
        v[n] = 0.999 * v[n] + 0.001 * gradient[n] * gradient[n];
        double m_hat = m[n] / (1 - pow(0.9, step)), v_hat = v[n] / (1 - pow(0.999, step));
        values[n] -= learning_rate * m_hat / (sqrt(v_hat) + 1e-8);
    }
}

void naive_adamw(double *values, double *m, double *v, const double *gradient, size_t count, double learning_rate,
                 double weight_decay, unsigned step)
{
    for (size_t n = 0; n < count; n++) {
        m[n] = 0.9 * m[n] + 0.1 * gradient[n];
        v[n] = 0.999 * v[n] + 0.001 * gradient[n] * gradient[n];
        double m_hat = m[n] / (1 - pow(0.9, step)), v_hat = v[n] / (1 - pow(0.999, step));
        values[n] -= learning_rate * (m_hat / (sqrt(v_hat) + 1e-8) + weight_decay * values[n]);
    }
}

void naive_lamb(double *values, double *m, double *v, const double *gradient, size_t count, double learning_rate,
                double weight_decay, bool adapts, unsigned step)
{
    double *update = naive_doubles(count), values_square = 0, update_square = 0;
    for (size_t n = 0; n < count; n++) {
        m[n] = 0.9 * m[n] + 0.1 * gradient[n];
        v[n] = 0.999 * v[n] + 0.001 * gradient[n] * gradient[n];
        double m_hat = m[n] / (1 - pow(0.9, step)), v_hat = v[n] / (1 - pow(0.999, step));
        update[n] = m_hat / (sqrt(v_hat) + 1e-6) + weight_decay * values[n];
        values_square += values[n] * values[n];
        update_square += update[n] * update[n];
    }
    double trust = adapts && values_square > 0 && update_square > 0 ? sqrt(values_square) / sqrt(update_square) : 1;
    for (size_t n = 0; n < count; n++)
        values[n] -= learning_rate * trust * update[n];
    free(update);
}
