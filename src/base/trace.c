#include "base/trace.h"

#include <stdio.h>
#include <stdlib.h>

struct trace *trace_make(size_t capacity)
{
    struct trace *trace = calloc(1, sizeof *trace);
    struct trace_span *spans = calloc(capacity, sizeof *spans);
    if (!trace || !spans) {
        free(trace);
        free(spans);
        return NULL;
    }
    *trace = (struct trace){.spans = spans, .capacity = capacity};
    return trace;
}

void trace_free(struct trace *trace)
{
    if (!trace)
        return;
    free(trace->spans);
    free(trace);
}

void trace_add(struct trace *trace, enum trace_lane lane, const char *name, double start, double end, uint64_t bytes)
{
    if (!trace)
        return;
    if (trace->count == trace->capacity) {
        trace->dropped++;
        return;
    }
    struct trace_span *span = &trace->spans[trace->count++];
    *span = (struct trace_span){.start = start, .end = end, .bytes = bytes, .lane = (int32_t)lane};
    snprintf(span->name, sizeof span->name, "%s", name);
}
