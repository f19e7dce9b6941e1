/* --mode=apply and --mode=transfer: a model applied to a whole performance, of any length and at its own tempo.
 *
 * The model sees windows of its own length, one beginning at every bar. Of windows of W bars, each bar is taken from the one that
 * begins W / 2 bars before it, so that it has bars on both sides of it where W is 3 or more, and else the bar before it; the first and
 * the last bars are taken from the first and the last window. A stretch that is shorter than a window fills it by repetition
 * where it divides it, else with silence.
 *
 * What is done with what the model plays depends on what it has learned:
 *
 * - one of which the hits are kept (--keep_hits: by default one that is given them, by humanize or hits_as_controls) gives them
 *   velocities and timing, by --amount;
 * - one that adds drums (add_instruments) adds notes of these and touches nothing else;
 * - any other plays the drums itself (tap): they replace those of the input, in every bar that has any.
 *
 * The notes are changed in the file's own events; all others stay as they are (programs/generate/song.h).
 *
 * transfer does the same with latent vectors of another performance, whose windows come in turn, bar by bar. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_APPLY_H
#define DRUMLINE_PROGRAMS_GENERATE_APPLY_H

#include "programs/generate/job.h"

/* Reads the inputs and writes the outputs of a job of one of these modes. */
bool generate_apply(struct generate_job *job, struct error *error);

#endif
