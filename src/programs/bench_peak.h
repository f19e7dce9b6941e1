/* The machine's own measure: how fast its matrix product runs, on all ranks at once, and beside one alone. */
#ifndef DRUMLINE_PROGRAMS_BENCH_PEAK_H
#define DRUMLINE_PROGRAMS_BENCH_PEAK_H

#include "dist/comm.h"
#include "model/bf16_engine.h"

/* The largest over several shapes, large ones and such as training has, of the sum over ranks of each rank's best
 * product, in FLOP/s: of floats, or, with an engine, of bf16 numbers with float32 sums and packed weights. With the threads
 * that are set. Collective. */
bool bench_peak_measure(double *flops_per_second, struct bf16_engine *engine, struct comm *comm, struct error *error);

/* How many times the float32 products a second of one rank alone all ranks make together, without a word to each other: over
 * `rounds` turns (bench_turns.h) of about so many seconds. What a training gains by ranks can't be more where they
 * share a processor. Collective. */
bool bench_peak_speed_over_one(double *times, double seconds, int rounds, struct comm *comm, struct error *error);

#endif
