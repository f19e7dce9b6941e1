/* bf16 GEMMs by oneDNN, of version 2: AVX-512 BF16 or AMX where the processor has them. */
#include "model/nn/bf16_engine.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCRATCHPAD_ALIGNMENT = 64, MOST_ARGUMENTS = 4 };

struct engine {
    struct bf16_engine base;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    void *scratchpad; /* of the GEMM that needs most */
    size_t scratchpad_size;
};

struct gemm {
    struct engine *engine;
    dnnl_primitive_t multiply;
    dnnl_primitive_t pack; /* NULL in a kernel's gradient, as is what follows */
    dnnl_memory_t weights; /* as parameters lie */
    dnnl_memory_t b;       /* packed weights, whose memory is its own; in a kernel's gradient the second operand */
    dnnl_memory_t a, out, scratchpad;
};

static const char *status_text(dnnl_status_t status)
{
    switch (status) {
    case dnnl_success:
        return "success";
    case dnnl_out_of_memory:
        return "out of memory";
    case dnnl_invalid_arguments:
        return "invalid arguments";
    case dnnl_unimplemented:
        return "not implemented for this processor";
    default:
        return "an internal failure";
    }
}

static bool check(dnnl_status_t status, const char *what, struct error *error)
{
    return status == dnnl_success || error_set(error, "oneDNN, %s: %s", what, status_text(status));
}

/* What was prepared can't fail in a step; if it does, what it made can't be trusted. */
static void must(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return;
    fprintf(stderr, "drumline: oneDNN, %s: %s\n", what, status_text(status));
    abort();
}

static bool describe(dnnl_memory_desc_t *description, dnnl_data_type_t type, int rows, int columns, bool transposed,
                     struct error *error)
{
    const dnnl_dims_t sizes = {rows, columns};
    const dnnl_dims_t strides = {transposed ? 1 : columns, transposed ? rows : 1};
    return check(dnnl_memory_desc_init_by_strides(description, 2, sizes, type, strides), "a matrix", error);
}

/* Scratch memory is the caller's, and `write` decides whether the result is added. */
static bool make_attributes(dnnl_primitive_attr_t *attributes, enum op_write write, struct error *error)
{
    dnnl_post_ops_t operations = NULL;
    bool ok =
        check(dnnl_primitive_attr_create(attributes), "attributes", error) &&
        check(dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user), "scratchpad", error);
    if (ok && write == OP_ADD)
        ok = check(dnnl_post_ops_create(&operations), "post-operations", error) &&
             check(dnnl_post_ops_append_sum(operations, 1.0f), "the sum", error) &&
             check(dnnl_primitive_attr_set_post_ops(*attributes, operations), "post-operations", error);
    dnnl_post_ops_destroy(operations);
    return ok;
}

/* The descriptions of a GEMM's matrices and the primitive for them. */
static bool describe_gemm(dnnl_primitive_desc_t *gemm, const struct bf16_shape *shape, dnnl_engine_t engine,
                          struct error *error)
{
    dnnl_memory_desc_t a, b, out;
    dnnl_matmul_desc_t description;
    dnnl_primitive_attr_t attributes = NULL;
    bool gradient = shape->kind == BF16_KERNEL_GRADIENT;
    const dnnl_dims_t sizes = {shape->inner, shape->columns};
    bool ok = describe(&a, dnnl_bf16, shape->rows, shape->inner, gradient, error) &&
              describe(&out, dnnl_f32, shape->rows, shape->columns, false, error);
    if (gradient)
        ok = ok && describe(&b, dnnl_bf16, shape->inner, shape->columns, false, error);
    else /* oneDNN chooses how packed weights lie */
        ok = ok && check(dnnl_memory_desc_init_by_tag(&b, 2, sizes, dnnl_bf16, dnnl_format_tag_any), "weights", error);
    ok = ok && check(dnnl_matmul_desc_init(&description, &a, &b, NULL, &out), "a GEMM", error) &&
         make_attributes(&attributes, shape->write, error) &&
         check(dnnl_primitive_desc_create(gemm, &description, attributes, engine, NULL), "a bf16 GEMM", error);
    dnnl_primitive_attr_destroy(attributes);
    return ok;
}

static bool make_memory(dnnl_memory_t *memory, const dnnl_memory_desc_t *description, void *data,
                        const struct engine *engine, struct error *error)
{
    return check(dnnl_memory_create(memory, description, engine->engine, data), "memory for a GEMM", error);
}

static bool grow_scratchpad(struct engine *engine, size_t size, struct error *error)
{
    if (size <= engine->scratchpad_size)
        return true;
    size = (size + SCRATCHPAD_ALIGNMENT - 1) / SCRATCHPAD_ALIGNMENT * SCRATCHPAD_ALIGNMENT;
    free(engine->scratchpad);
    engine->scratchpad_size = 0;
    engine->scratchpad = aligned_alloc(SCRATCHPAD_ALIGNMENT, size);
    if (!engine->scratchpad)
        return error_set(error, "no memory for oneDNN's scratchpad of %.1f MiB", (double)size / (1 << 20));
    engine->scratchpad_size = size;
    return true;
}

/* How weights get from the parameters into what the GEMM wants. */
static bool prepare_packing(struct gemm *gemm, const struct bf16_shape *shape, const dnnl_memory_desc_t *packed,
                            struct error *error)
{
    dnnl_engine_t engine = gemm->engine->engine;
    dnnl_memory_desc_t parameters;
    dnnl_primitive_desc_t packing = NULL;
    bool transposed = shape->kind == BF16_TRANSPOSED_WEIGHTS;
    bool ok = describe(&parameters, dnnl_f32, shape->inner, shape->columns, transposed, error) &&
              make_memory(&gemm->weights, &parameters, DNNL_MEMORY_NONE, gemm->engine, error) &&
              check(dnnl_reorder_primitive_desc_create(&packing, &parameters, engine, packed, engine, NULL),
                    "the packing of weights", error) &&
              check(dnnl_primitive_create(&gemm->pack, packing), "the packing of weights", error);
    dnnl_primitive_desc_destroy(packing);
    return ok;
}

static void release(void *context)
{
    struct gemm *gemm = context;
    if (!gemm)
        return;
    dnnl_memory_t memories[] = {gemm->weights, gemm->b, gemm->a, gemm->out, gemm->scratchpad};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        dnnl_memory_destroy(memories[i]);
    dnnl_primitive_destroy(gemm->multiply);
    dnnl_primitive_destroy(gemm->pack);
    free(gemm);
}

static void *prepare(struct bf16_engine *base, const struct bf16_shape *shape, struct error *error)
{
    struct engine *engine = (struct engine *)base;
    struct gemm *gemm = calloc(1, sizeof *gemm);
    if (!gemm) {
        error_set(error, "out of memory");
        return NULL;
    }
    gemm->engine = engine;
    bool gradient = shape->kind == BF16_KERNEL_GRADIENT;
    dnnl_primitive_desc_t description = NULL;
    bool ok = describe_gemm(&description, shape, engine->engine, error);
    if (ok) {
        const dnnl_memory_desc_t *a = dnnl_primitive_desc_query_md(description, dnnl_query_src_md, 0);
        const dnnl_memory_desc_t *b = dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
        const dnnl_memory_desc_t *out = dnnl_primitive_desc_query_md(description, dnnl_query_dst_md, 0);
        const dnnl_memory_desc_t *scratchpad = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
        ok = check(dnnl_primitive_create(&gemm->multiply, description), "a bf16 GEMM", error) &&
             make_memory(&gemm->a, a, DNNL_MEMORY_NONE, engine, error) &&
             make_memory(&gemm->b, b, gradient ? DNNL_MEMORY_NONE : DNNL_MEMORY_ALLOCATE, engine, error) &&
             make_memory(&gemm->out, out, DNNL_MEMORY_NONE, engine, error) &&
             make_memory(&gemm->scratchpad, scratchpad, DNNL_MEMORY_NONE, engine, error) &&
             grow_scratchpad(engine, dnnl_memory_desc_get_size(scratchpad), error) &&
             (gradient || prepare_packing(gemm, shape, b, error));
    }
    dnnl_primitive_desc_destroy(description);
    if (ok)
        return gemm;
    release(gemm);
    return NULL;
}

static void execute(const struct gemm *gemm, dnnl_primitive_t primitive, const dnnl_exec_arg_t *arguments, int count,
                    const char *what)
{
    must(dnnl_primitive_execute(primitive, gemm->engine->stream, count, arguments), what);
    must(dnnl_stream_wait(gemm->engine->stream), what);
}

/* oneDNN only reads what it is given as an operand. */
static void set_data(dnnl_memory_t memory, const void *data)
{
    union {
        const void *constant;
        void *plain;
    } handle = {data};
    must(dnnl_memory_set_data_handle(memory, handle.plain), "a GEMM's operands");
}

static void pack(void *context, const float *weights)
{
    struct gemm *gemm = context;
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_FROM, gemm->weights},
        {DNNL_ARG_TO,   gemm->b      }
    };
    set_data(gemm->weights, weights);
    execute(gemm, gemm->pack, arguments, 2, "the packing of weights");
}

static void multiply(void *context, float *out, const uint16_t *a, const uint16_t *b)
{
    struct gemm *gemm = context;
    const dnnl_exec_arg_t arguments[MOST_ARGUMENTS] = {
        {DNNL_ARG_SRC,        gemm->a         },
        {DNNL_ARG_WEIGHTS,    gemm->b         },
        {DNNL_ARG_DST,        gemm->out       },
        {DNNL_ARG_SCRATCHPAD, gemm->scratchpad}
    };
    set_data(gemm->a, a);
    if (b)
        set_data(gemm->b, b);
    set_data(gemm->out, out);
    set_data(gemm->scratchpad, gemm->engine->scratchpad);
    execute(gemm, gemm->multiply, arguments, MOST_ARGUMENTS, "a GEMM");
}

static void free_engine(struct bf16_engine *base)
{
    struct engine *engine = (struct engine *)base;
    dnnl_stream_destroy(engine->stream);
    dnnl_engine_destroy(engine->engine);
    free(engine->scratchpad);
    free(engine);
}

/* Whether a GEMM can be made at all: a processor may be too old, or the library built without bf16. */
static bool has_bf16_gemm(struct engine *engine, struct error *error)
{
    const struct bf16_shape shape = {BF16_WEIGHTS, 16, 16, 16, OP_REPLACE};
    void *gemm = prepare(&engine->base, &shape, error);
    bool found = gemm != NULL;
    release(gemm);
    return found;
}

struct bf16_engine *bf16_engine_onednn(struct error *error)
{
    const dnnl_version_t *version = dnnl_version();
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        error_set(error, "out of memory");
        return NULL;
    }
    engine->base = (struct bf16_engine){"", false, prepare, release, pack, multiply, free_engine};
    snprintf(engine->base.name, sizeof engine->base.name, "oneDNN %d.%d.%d", version->major, version->minor,
             version->patch);
    /* The values are sets of features. */
    engine->base.native =
        (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
    omp_set_num_threads(matmul_threads());
    if (check(dnnl_engine_create(&engine->engine, dnnl_cpu, 0), "the processor", error) &&
        check(dnnl_stream_create(&engine->stream, engine->engine, dnnl_stream_default_flags), "a stream", error) &&
        has_bf16_gemm(engine, error))
        return &engine->base;
    free_engine(&engine->base);
    return NULL;
}
