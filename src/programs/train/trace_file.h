/* --trace: a timeline of some steps on all ranks, in the Trace Event Format of Chrome, which Perfetto (ui.perfetto.dev) opens: a
 * process for each rank, with a thread for the phases of its steps and one for allreduces of gradients. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_TRACE_FILE_H
#define DRUMLINE_PROGRAMS_TRAIN_TRACE_FILE_H

#include "base/error.h"
#include "base/trace.h"
#include "dist/comm.h"

/* Rank 0 writes all ranks' spans to `path`, as times since `zero`, which is each rank's clock_seconds at one moment. Collective. */
bool trace_file_write(const char *path, const struct trace *trace, double zero, struct comm *comm, struct error *error);

#endif
