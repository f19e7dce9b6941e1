/* One version of struct kernels; compiled once per instruction set with KERNELS_NAME set to its name. */
#include "model/kernels/kernels.h"
#include "model/kernels/packed_gemm.h"

#include <math.h>
#include <string.h>

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

extern const struct kernels PASTE(kernels_, KERNELS_NAME);

/* The blocks of packed_gemm.c are made for the registers of these. */
#if defined(__SSE2__)
#define HAS_VECTOR_GEMM true
#else
#define HAS_VECTOR_GEMM false
#endif

/* Of Adam and of LAMB. */
static const float beta1 = 0.9f, beta2 = 0.999f;

/* exp by x = n ln 2 + r, |r| <= ln 2 / 2, with n rounded by adding and taking away 1.5 * 2^23, ln 2 in two parts (Cody and
 * Waite) and the Taylor polynomial of degree 7 of exp(r), whose remainder is below 6e-9 there. Below -87.3 the result stays at
 * the smallest normal number, above 88.3 at 2^127: gates are saturated long before. */
static inline float exp_one(float x)
{
    const float round_magic = 12582912.0f;
    x = x < -87.3f ? -87.3f : x;
    x = x > 88.3f ? 88.3f : x;
    float shifted = x * 1.44269504f + round_magic;
    float n = shifted - round_magic;
    float r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.9841270e-4f;
    p = p * r + 1.3888889e-3f;
    p = p * r + 8.3333333e-3f;
    p = p * r + 4.1666667e-2f;
    p = p * r + 1.6666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127u) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

static inline float sigmoid_one(float x)
{
    return 1.0f / (1.0f + exp_one(-x));
}

/* Near 0, where 1 - 2 / (exp(2x) + 1) cancels, an odd polynomial (Cephes' tanhf, |x| < 0.625). */
static inline float tanh_one(float x)
{
    float far = 1.0f - 2.0f / (exp_one(2.0f * x) + 1.0f);
    float s = x * x;
    float p = -5.70498872745e-3f;
    p = p * s + 2.06390887954e-2f;
    p = p * s - 5.37397155531e-2f;
    p = p * s + 1.33314422036e-1f;
    p = p * s - 3.33332819422e-1f;
    float near = p * s * x + x;
    return fabsf(x) < 0.625f ? near : far;
}

/* One row. The pointers are parameters of their own because compilers take `restrict` at its word only there. */
static void lstm_forward_row(float *restrict gate_i, float *restrict gate_g, float *restrict gate_f,
                             float *restrict gate_o, float *restrict c, float *restrict h,
                             const float *restrict c_before, const float *restrict bias, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        float i = sigmoid_one(gate_i[j] + bias[j]);
        float g = tanh_one(gate_g[j] + bias[n + j]);
        float f = sigmoid_one(gate_f[j] + bias[2 * n + j] + 1.0f);
        float o = sigmoid_one(gate_o[j] + bias[3 * n + j]);
        float now = f * c_before[j] + i * g;
        gate_i[j] = i;
        gate_g[j] = g;
        gate_f[j] = f;
        gate_o[j] = o;
        c[j] = now;
        h[j] = o * tanh_one(now);
    }
}

static void lstm_forward(float *gates, size_t stride, float *c, float *h, const float *c_before, const float *bias,
                         int batch, int units)
{
    size_t n = (size_t)units;
    for (size_t row = 0; row < (size_t)batch; row++) {
        float *row_gates = gates + row * stride;
        lstm_forward_row(row_gates, row_gates + n, row_gates + 2 * n, row_gates + 3 * n, c + row * n, h + row * n,
                         c_before + row * n, bias, n);
    }
}

/* dh_above is dh itself, counted with weight 0, where there is no layer above: one loop for both cases. */
static void lstm_backward_row(float *restrict gate_i, float *restrict gate_g, float *restrict gate_f,
                              float *restrict gate_o, float *restrict dc, const float *restrict c,
                              const float *restrict c_before, const float *dh, const float *dh_above,
                              float weight_above, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        float i = gate_i[j], g = gate_g[j], f = gate_f[j], o = gate_o[j];
        float t = tanh_one(c[j]);
        float dh_all = dh[j] + weight_above * dh_above[j];
        float dc_all = dc[j] + dh_all * o * (1.0f - t * t);
        gate_i[j] = dc_all * g * i * (1.0f - i);
        gate_g[j] = dc_all * i * (1.0f - g * g);
        gate_f[j] = dc_all * c_before[j] * f * (1.0f - f);
        gate_o[j] = dh_all * t * o * (1.0f - o);
        dc[j] = dc_all * f;
    }
}

static void lstm_backward(float *gates, size_t stride, float *dc, const float *c, const float *c_before,
                          const float *dh, const float *dh_above, int batch, int units)
{
    size_t n = (size_t)units;
    for (size_t row = 0; row < (size_t)batch; row++) {
        float *row_gates = gates + row * stride;
        const float *above = dh_above ? dh_above : dh;
        lstm_backward_row(row_gates, row_gates + n, row_gates + 2 * n, row_gates + 3 * n, dc + row * n, c + row * n,
                          c_before + row * n, dh + row * n, above + row * n, dh_above ? 1.0f : 0.0f, n);
    }
}

static void tanh_all(float *out, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = tanh_one(x[i]);
}

static void sigmoid_all(float *out, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = sigmoid_one(x[i]);
}

static void dropout(float *out, const float *x, const uint8_t *mask, float scale, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float scaled = x[i] * scale;
        out[i] = mask[i] ? scaled : 0.0f;
    }
}

static void to_bf16(uint16_t *restrict out, const float *restrict x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        uint32_t rounded = bits + 0x7fffu + (bits >> 16 & 1u);
        /* Rounding could turn a NaN into a number: it gets its quiet bit instead. */
        uint32_t quiet = bits | 0x400000u;
        out[i] = (uint16_t)(((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded) >> 16);
    }
}

static void from_bf16(float *restrict out, const uint16_t *restrict x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)x[i] << 16;
        memcpy(&out[i], &bits, sizeof bits);
    }
}

static void adam(float *restrict values, float *restrict m, float *restrict v, const float *restrict gradients,
                 float scale, float rate, float epsilon, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float gradient = gradients[i] * scale;
        m[i] = beta1 * m[i] + (1.0f - beta1) * gradient;
        v[i] = beta2 * v[i] + (1.0f - beta2) * gradient * gradient;
        values[i] -= rate * m[i] / (sqrtf(v[i]) + epsilon);
    }
}

static inline float lamb_direction(float m, float v, float value, struct lamb_step step)
{
    return step.correction * m / (sqrtf(v) + step.epsilon) + step.weight_decay * value;
}

/* A fixed number of elements, so that the sums of squares can stay in as many lanes. */
static void lamb_moments_block(double *restrict value_squares, double *restrict direction_squares, float *restrict m,
                               float *restrict v, const float *restrict values, const float *restrict gradients,
                               struct lamb_step step, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float gradient = gradients[i] * step.scale;
        m[i] = beta1 * m[i] + (1.0f - beta1) * gradient;
        v[i] = beta2 * v[i] + (1.0f - beta2) * gradient * gradient;
        float direction = lamb_direction(m[i], v[i], values[i], step);
        value_squares[i] += (double)values[i] * (double)values[i];
        direction_squares[i] += (double)direction * (double)direction;
    }
}

static void lamb_moments(double squares[2], float *m, float *v, const float *values, const float *gradients,
                         const struct lamb_step *step, size_t count)
{
    enum { LANES = 64 };
    double value_squares[LANES] = {0}, direction_squares[LANES] = {0};
    for (size_t i = 0; i < count; i += LANES)
        lamb_moments_block(value_squares, direction_squares, m + i, v + i, values + i, gradients + i, *step,
                           count - i < LANES ? count - i : LANES);
    squares[0] = squares[1] = 0;
    for (size_t lane = 0; lane < LANES; lane++) {
        squares[0] += value_squares[lane];
        squares[1] += direction_squares[lane];
    }
}

static void lamb_move(float *restrict values, const float *restrict m, const float *restrict v,
                      const struct lamb_step *step, float rate, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] -= rate * lamb_direction(m[i], v[i], values[i], *step);
}

const struct kernels PASTE(kernels_, KERNELS_NAME) = {
    .name = TEXT(KERNELS_NAME),
    .has_vector_gemm = HAS_VECTOR_GEMM,
    .lstm_forward = lstm_forward,
    .lstm_backward = lstm_backward,
    .tanh = tanh_all,
    .sigmoid = sigmoid_all,
    .dropout = dropout,
    .to_bf16 = to_bf16,
    .from_bf16 = from_bf16,
    .adam = adam,
    .lamb_moments = lamb_moments,
    .lamb_move = lamb_move,
    .panel_width = &GEMM_NAME(panel_width),
    .gemm_pack = GEMM_NAME(gemm_pack),
    .gemm_packed = GEMM_NAME(gemm_packed),
    .gemm_gradient = GEMM_NAME(gemm_gradient),
};
