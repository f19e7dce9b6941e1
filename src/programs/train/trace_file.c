#include "programs/train/trace_file.h"

#include "base/host.h"
#include "base/io/atomic_file.h"
#include "base/log.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a rank sends before its spans. */
struct head {
    char host[HOST_NAME_SIZE];
    double zero;
    uint64_t count, dropped;
};

static const char *const lane_names[TRACE_NUM_LANES] = {"phases", "gradient allreduces"};

/* Names a process (lane below 0) or one of its threads. */
static void put_name(json_t *events, int rank, int lane, const char *name)
{
    json_t *event = json_object(), *arguments = json_object();
    json_object_set_new(event, "ph", json_string("M"));
    json_object_set_new(event, "name", json_string(lane < 0 ? "process_name" : "thread_name"));
    json_object_set_new(event, "pid", json_integer(rank));
    json_object_set_new(event, "tid", json_integer(lane < 0 ? 0 : lane));
    json_object_set_new(arguments, "name", json_string(name));
    json_object_set_new(event, "args", arguments);
    json_array_append_new(events, event);
}

static void put_span(json_t *events, int rank, const struct trace_span *span, double zero)
{
    const double microseconds = 1e6;
    json_t *event = json_object();
    json_object_set_new(event, "ph", json_string("X"));
    json_object_set_new(event, "name", json_string(span->name));
    json_object_set_new(event, "pid", json_integer(rank));
    json_object_set_new(event, "tid", json_integer(span->lane));
    json_object_set_new(event, "ts", json_real((span->start - zero) * microseconds));
    json_object_set_new(event, "dur", json_real((span->end - span->start) * microseconds));
    if (span->bytes > 0) {
        json_t *arguments = json_object();
        json_object_set_new(arguments, "bytes", json_integer((json_int_t)span->bytes));
        json_object_set_new(event, "args", arguments);
    }
    json_array_append_new(events, event);
}

static void put_rank(json_t *events, int rank, const uint8_t *bytes)
{
    struct head head;
    char name[HOST_NAME_SIZE + 32];
    memcpy(&head, bytes, sizeof head);
    snprintf(name, sizeof name, "rank %d (%s)", rank, head.host);
    put_name(events, rank, -1, name);
    for (int lane = 0; lane < TRACE_NUM_LANES; lane++)
        put_name(events, rank, lane, lane_names[lane]);
    for (uint64_t i = 0; i < head.count; i++) {
        struct trace_span span;
        memcpy(&span, bytes + sizeof head + i * sizeof span, sizeof span);
        put_span(events, rank, &span, head.zero);
    }
    if (head.dropped > 0)
        log_job_warning("--trace: %llu spans of rank %d did not fit and are missing", (unsigned long long)head.dropped,
                        rank);
}

static bool write_all(const char *path, const uint8_t *bytes, const size_t *sizes, int ranks, struct error *error)
{
    json_t *trace = json_object(), *events = json_array();
    for (int rank = 0; rank < ranks; rank++) {
        put_rank(events, rank, bytes);
        bytes += sizes[rank];
    }
    json_object_set_new(trace, "displayTimeUnit", json_string("ms"));
    json_object_set_new(trace, "traceEvents", events);
    char *text = json_dumps(trace, JSON_COMPACT | JSON_REAL_PRECISION(12));
    json_decref(trace);
    bool ok = text ? atomic_file_write(path, text, strlen(text), error)
                   : error_set_no_memory(error, "%s: out of memory", path);
    free(text);
    return ok;
}

bool trace_file_write(const char *path, const struct trace *trace, double zero, struct comm *comm, struct error *error)
{
    struct head head = {.zero = zero, .count = trace->count, .dropped = trace->dropped};
    size_t spans = trace->count * sizeof *trace->spans, size = sizeof head + spans;
    uint8_t *own = malloc(size), *all = NULL;
    size_t *sizes = NULL;
    if (!comm_all_ok(comm, own || error_set_no_memory(error, "out of memory for --trace"), error)) {
        free(own);
        return false;
    }
    snprintf(head.host, sizeof head.host, "%s", comm_host(comm));
    memcpy(own, &head, sizeof head);
    memcpy(own + sizeof head, trace->spans, spans);
    comm_gather(comm, own, size, &all, &sizes);
    bool ok = comm_rank(comm) != 0 || write_all(path, all, sizes, comm_size(comm), error);
    free(own);
    free(all);
    free(sizes);
    return comm_all_ok(comm, ok, error);
}
