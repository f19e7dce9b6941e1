#include "model/nn/pass.h"

void pass_ready(const struct pass *pass, size_t end)
{
    if (pass->listener && pass->listener->ready)
        pass->listener->ready(pass->listener->context, end);
}

void pass_progress(const struct pass *pass)
{
    if (pass->listener && pass->listener->progress)
        pass->listener->progress(pass->listener->context);
}

void pass_begin(const struct pass *pass, enum pass_phase phase)
{
    if (pass->phases)
        pass->phases->phase(pass->phases->context, phase);
}
