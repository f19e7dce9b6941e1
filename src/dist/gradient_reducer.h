/* Sums the gradients of all ranks while backward still runs.
 *
 * The gradients are one array of floats, finished from its beginning to its end (model/nn/tensors.h keeps them in the order in
 * which backward finishes them). The reducer cuts it into buckets; each time the model says how far it has come,
 * `gradient_reducer_ready` starts MPI_Iallreduce on the buckets that are whole, and gives MPI a chance to progress the ones
 * under way. Every rank must report the same sequence of ends. */
#ifndef DRUMLINE_DIST_GRADIENT_REDUCER_H
#define DRUMLINE_DIST_GRADIENT_REDUCER_H

#include "base/trace.h"
#include "dist/comm.h"

struct gradient_reducer;

/* For `gradients[0..count)`, which stays the caller's and must stay where it is. `bucket_bytes` is the least size of a
 * bucket (the last may be smaller). No memory of ours is taken after this. NULL on every rank, and the error set, where
 * one has no memory. Collective. */
struct gradient_reducer *gradient_reducer_make(struct comm *comm, float *gradients, size_t count, size_t bucket_bytes,
                                               struct error *error);

/* Frees; NULL is allowed. Collective. */
void gradient_reducer_free(struct gradient_reducer *reducer);

/* Adds each allreduce of the steps that follow to `trace`, which stays the caller's, from its start to the moment in which its end is
 * noticed; NULL: no more. */
void gradient_reducer_trace(struct gradient_reducer *reducer, struct trace *trace);

/* Begins a step. */
void gradient_reducer_start(struct gradient_reducer *reducer);

/* gradients[0..end) is final on this rank; `end` never shrinks within a step. Collective in effect: all ranks report the
 * same ends. */
void gradient_reducer_ready(struct gradient_reducer *reducer, size_t end);

/* Lets MPI move what is under way; cheap; may be called at any time between start and finish. */
void gradient_reducer_progress(struct gradient_reducer *reducer);

/* Waits until all gradients are the sums over ranks. Everything must have been reported ready. */
void gradient_reducer_finish(struct gradient_reducer *reducer);

/* Seconds spent in `gradient_reducer_finish` in the last step: the part of the reduction (and of the wait for slower ranks)
 * that backward did not hide. */
double gradient_reducer_exposed_seconds(const struct gradient_reducer *reducer);

#endif
