#include "model/nn/bf16_engine.h"

struct bf16_engine *bf16_engine_onednn(struct error *error)
{
    error_set(error, "this program was built without oneDNN (docs/dependencies.md)");
    return NULL;
}
