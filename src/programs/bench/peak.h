/* The machine's own measure: how fast its matrix product runs, on all ranks at once, and beside one alone. */
#ifndef DRUMLINE_PROGRAMS_BENCH_PEAK_H
#define DRUMLINE_PROGRAMS_BENCH_PEAK_H

#include "dist/comm.h"
#include "model/nn/bf16_engine.h"

/* The largest over several shapes, large ones and such as training has, of the sum over ranks of each rank's best
 * product, in FLOP/s: of floats, or, with an engine, of bf16 numbers with float32 sums and packed weights. With the threads
 * that are set. Collective. */
bool bench_peak_measure(double *flops_per_second, struct bf16_engine *engine, struct comm *comm, struct error *error);

/* All ranks' float32 products a second, divided by those of one rank alone; the ranks exchange nothing. Over `rounds` turns
 * (bench_turns.h) of about so many seconds, at least one product each. It tells what the processor gains by its cores in
 * products, which are most of a training. Collective. */
bool bench_peak_speed_over_one(double *times, double seconds, int rounds, struct comm *comm, struct error *error);

#endif
