#include "model/kernels/kernels.h"

extern const struct kernels kernels_portable, kernels_avx2, kernels_avx512;

#if defined(__x86_64__)

static int runs_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static int runs_avx512(void)
{
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

/* Each processor that runs a version runs those before it too. */
const struct kernels *const *kernels_runnable(size_t *count)
{
    static const struct kernels *const versions[] = {&kernels_portable, &kernels_avx2, &kernels_avx512};
    *count = runs_avx512() ? 3 : runs_avx2() ? 2 : 1;
    return versions;
}

#else

const struct kernels *const *kernels_runnable(size_t *count)
{
    static const struct kernels *const versions[] = {&kernels_portable};
    *count = 1;
    return versions;
}

#endif

const struct kernels *kernels_best(void)
{
    size_t count;
    const struct kernels *const *versions = kernels_runnable(&count);
    return versions[count - 1];
}

enum { WIDEST_PANEL = 32 };

size_t kernels_packed_floats(int inner, int columns)
{
    return ((size_t)columns + WIDEST_PANEL - 1) / WIDEST_PANEL * WIDEST_PANEL * (size_t)inner;
}

size_t kernels_gradient_floats(void)
{
    return (size_t)KERNELS_GRADIENT_DEPTH * (KERNELS_GRADIENT_ROWS + WIDEST_PANEL);
}
