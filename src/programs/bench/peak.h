/* How fast this machine's GEMMs run: on all ranks at once, and beside one rank alone. */
#ifndef DRUMLINE_PROGRAMS_BENCH_PEAK_H
#define DRUMLINE_PROGRAMS_BENCH_PEAK_H

#include "dist/comm.h"
#include "model/nn/bf16_engine.h"

/* The largest over several shapes, large ones and such as training has, of the sum over ranks of each rank's best GEMM, in
 * FLOP/s: of floats, or, with an engine, of bf16 numbers with float32 sums and packed weights. Uses the threads that are
 * set. Collective. */
bool bench_peak_measure(double *flops_per_second, struct bf16_engine *engine, struct comm *comm, struct error *error);

/* The float32 GEMMs a second of all ranks, divided by those of one rank alone; the ranks exchange nothing. `rounds` interleaved
 * rounds (rounds.h) of about `seconds` each, at least one GEMM. This is what the processor's cores gain in GEMMs, which most of
 * a training step is. Collective. */
bool bench_peak_speedup(double *times, double seconds, int rounds, struct comm *comm, struct error *error);

#endif
