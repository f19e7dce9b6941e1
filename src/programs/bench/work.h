/* Times generation and preprocessing in process: what drumline-generate and drumline-preprocess do once they have read their
 * command line. What they write goes to a temporary folder. */
#ifndef DRUMLINE_PROGRAMS_BENCH_WORK_H
#define DRUMLINE_PROGRAMS_BENCH_WORK_H

#include "dist/comm.h"
#include "programs/bench/metrics.h"
#include "programs/bench/options.h"

/* Generates from an untrained model of the config on rank 0, with `threads` threads, while the other ranks wait: one sample
 * from checkpoint to MIDI, then options->num_outputs windows without and with writing them. Collective. */
bool bench_generate(struct bench_metrics *metrics, const struct bench_options *options, const struct hparams *hparams,
                    int threads, struct comm *comm, struct error *error);

/* Preprocesses options->input_dir and the folders below it on all ranks, in interleaved rounds with one rank alone where that
 * is expected to take less than a minute. Collective. */
bool bench_preprocess(struct bench_metrics *metrics, const struct bench_options *options, struct comm *comm,
                      struct error *error);

#endif
