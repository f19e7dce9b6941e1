#include "dist/gradient_reducer.h"
#include "base/clock.h"
#include "base/log.h"
#include "dist/allreduce_algorithm.h"
#include "dist/comm_internal.h"

#include <stdlib.h>

enum { REDUCTION_MAX = 1 << 30 }; /* elements of one reduction: MPI counts with int */

/* One under way. */
struct reduction {
    double started;
    uint64_t bytes;
};

struct gradient_reducer {
    struct comm *comm;
    MPI_Comm ranks; /* its own, so that no other message of the program can meet those under way; none for one rank */
    float *gradients;
    size_t count;
    size_t bucket; /* elements */
    size_t ready;  /* gradients[0..ready) is final on this rank */
    size_t begun;  /* gradients[0..begun) is being reduced */
    MPI_Request *requests;
    int num_requests;
    double exposed_seconds;
    struct trace *trace;          /* not owned; NULL: none */
    struct reduction *reductions; /* [as requests] for the trace */
};

struct gradient_reducer *gradient_reducer_make(struct comm *comm, float *gradients, size_t count, size_t bucket_bytes,
                                               struct error *error)
{
    size_t bucket = bucket_bytes / sizeof *gradients;
    if (bucket == 0)
        bucket = 1;
    size_t max_requests = count / bucket + count / REDUCTION_MAX + 2;
    struct gradient_reducer *reducer = calloc(1, sizeof *reducer);
    MPI_Request *requests = max_requests <= INT32_MAX ? calloc(max_requests, sizeof *requests) : NULL;
    struct reduction *reductions = max_requests <= INT32_MAX ? calloc(max_requests, sizeof *reductions) : NULL;
    bool ok = reducer && requests && reductions;
    if (!ok)
        error_set(error, "no memory to reduce %zu gradients in %zu buckets", count, max_requests);
    if (!comm_all_ok(comm, ok, error)) {
        free(reducer);
        free(requests);
        free(reductions);
        return NULL;
    }
    MPI_Comm ranks = MPI_COMM_NULL;
    if (comm->size > 1) {
        MPI_Comm_dup(comm->ranks, &ranks);
        allreduce_algorithm_choose(comm->size);
    }
    *reducer = (struct gradient_reducer){
        .comm = comm,
        .ranks = ranks,
        .gradients = gradients,
        .count = count,
        .bucket = bucket,
        .requests = requests,
        .reductions = reductions,
    };
    return reducer;
}

static void note_end(struct gradient_reducer *reducer, int number)
{
    const struct reduction *reduction = &reducer->reductions[number];
    trace_add(reducer->trace, TRACE_ALLREDUCES, "allreduce", reduction->started, clock_seconds(), reduction->bytes);
}

/* One by one, so that each one's end is noticed. */
static void wait_traced(struct gradient_reducer *reducer)
{
    for (int i = 0; i < reducer->num_requests; i++) {
        int number;
        MPI_Waitany(reducer->num_requests, reducer->requests, &number, MPI_STATUS_IGNORE);
        if (number == MPI_UNDEFINED)
            return;
        note_end(reducer, number);
    }
}

static void progress_traced(struct gradient_reducer *reducer)
{
    int number, is_done = 1;
    while (is_done) {
        MPI_Testany(reducer->num_requests, reducer->requests, &number, &is_done, MPI_STATUS_IGNORE);
        if (!is_done || number == MPI_UNDEFINED)
            return;
        note_end(reducer, number);
    }
}

static void wait_for_all(struct gradient_reducer *reducer)
{
    comm_wait_begin(reducer->comm);
    if (reducer->trace)
        wait_traced(reducer);
    else if (reducer->num_requests > 0)
        MPI_Waitall(reducer->num_requests, reducer->requests, MPI_STATUSES_IGNORE);
    comm_wait_end(reducer->comm);
    reducer->num_requests = 0;
}

void gradient_reducer_free(struct gradient_reducer *reducer)
{
    if (!reducer)
        return;
    wait_for_all(reducer);
    if (reducer->ranks != MPI_COMM_NULL)
        MPI_Comm_free(&reducer->ranks);
    free(reducer->requests);
    free(reducer->reductions);
    free(reducer);
}

void gradient_reducer_trace(struct gradient_reducer *reducer, struct trace *trace)
{
    reducer->trace = trace;
}

void gradient_reducer_start(struct gradient_reducer *reducer)
{
    reducer->ready = 0;
    reducer->begun = 0;
    reducer->num_requests = 0;
}

static void begin_reductions(struct gradient_reducer *reducer, size_t end)
{
    while (reducer->begun < end) {
        size_t left = end - reducer->begun;
        int part = (int)(left < REDUCTION_MAX ? left : REDUCTION_MAX);
        reducer->reductions[reducer->num_requests] =
            (struct reduction){clock_seconds(), (uint64_t)part * sizeof *reducer->gradients};
        MPI_Iallreduce(MPI_IN_PLACE, reducer->gradients + reducer->begun, part, MPI_FLOAT, MPI_SUM, reducer->ranks,
                       &reducer->requests[reducer->num_requests++]);
        reducer->begun += (size_t)part;
    }
}

/* A mistake of the caller that would otherwise leave other ranks waiting for a reduction that never begins. */
static void insist(struct gradient_reducer *reducer, bool holds, const char *what)
{
    if (holds)
        return;
    log_error("gradients reported wrongly: %s (%zu of %zu are ready)", what, reducer->ready, reducer->count);
    comm_abort(reducer->comm, EXIT_FAILURE);
}

void gradient_reducer_ready(struct gradient_reducer *reducer, size_t end)
{
    insist(reducer, end >= reducer->ready && end <= reducer->count, "the end went back, or beyond the last");
    reducer->ready = end;
    if (reducer->comm->size == 1)
        return;
    if (end - reducer->begun >= reducer->bucket || end == reducer->count)
        begin_reductions(reducer, end);
    gradient_reducer_progress(reducer);
}

void gradient_reducer_progress(struct gradient_reducer *reducer)
{
    int is_done;
    if (reducer->num_requests > 0 && reducer->trace)
        progress_traced(reducer);
    else if (reducer->num_requests > 0)
        MPI_Testall(reducer->num_requests, reducer->requests, &is_done, MPI_STATUSES_IGNORE);
}

void gradient_reducer_finish(struct gradient_reducer *reducer)
{
    double started = clock_seconds();
    insist(reducer, reducer->ready == reducer->count, "finished before all were");
    wait_for_all(reducer);
    reducer->exposed_seconds = clock_seconds() - started;
}

double gradient_reducer_exposed_seconds(const struct gradient_reducer *reducer)
{
    return reducer->exposed_seconds;
}
