/* A timeline of what a process did: spans of time by lane, kept in memory until they are written (programs/train/trace_file.h). For
 * one thread. Once made it takes no memory; what does not fit is dropped and counted. */
#ifndef DRUMLINE_BASE_TRACE_H
#define DRUMLINE_BASE_TRACE_H

#include <stddef.h>
#include <stdint.h>

enum trace_lane { TRACE_PHASES, TRACE_ALLREDUCES, TRACE_NUM_LANES };

struct trace_span {
    char name[32];
    double start, end; /* clock_seconds */
    uint64_t bytes;    /* 0: does not apply */
    int32_t lane;      /* enum trace_lane */
};

struct trace {
    struct trace_span *spans; /* [capacity], owned */
    size_t count, capacity, dropped;
};

/* NULL where there is no memory. */
struct trace *trace_make(size_t capacity);
void trace_free(struct trace *trace);

/* NULL traces nothing. */
void trace_add(struct trace *trace, enum trace_lane lane, const char *name, double start, double end, uint64_t bytes);

#endif
