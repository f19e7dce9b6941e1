/* What drumline-bench does once it has read its command line: measures, and prints one table. */
#ifndef DRUMLINE_PROGRAMS_BENCH_BENCH_H
#define DRUMLINE_PROGRAMS_BENCH_BENCH_H

#include "dist/comm.h"
#include "programs/bench/options.h"

/* Measures what options->mode says, with `threads` threads per rank, and prints it on rank 0, which fails where standard
 * output does not take it. Collective; the error is the same on every rank. */
bool bench_run(const struct bench_options *options, const struct hparams *hparams, int threads, struct comm *comm,
               struct error *error);

#endif
