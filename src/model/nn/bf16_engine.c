#include "model/nn/bf16_engine.h"

#include <stdio.h>

struct bf16_engine *bf16_engine_best(char *why, size_t why_size, struct error *error)
{
    struct error refused;
    struct bf16_engine *engine = bf16_engine_onednn(&refused);
    if (engine && engine->native)
        return engine;
    if (why)
        snprintf(why, why_size, "%s", engine ? "this processor has no bf16 instructions" : refused.message);
    if (engine)
        engine->free(engine);
    return bf16_engine_float32(error);
}
