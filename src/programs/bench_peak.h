/* The machine's own measure: how fast its single-precision matrix product runs, on all ranks at once. */
#ifndef DRUMLINE_PROGRAMS_BENCH_PEAK_H
#define DRUMLINE_PROGRAMS_BENCH_PEAK_H

#include "dist/comm.h"

/* The largest over several shapes, large ones and such as training has, of the sum over ranks of each rank's best
 * product, in FLOP/s. With the threads that are set. Collective. */
bool bench_peak_measure(double *flops_per_second, struct comm *comm, struct error *error);

#endif
