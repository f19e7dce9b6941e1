/* What drumline-preprocess says of the files that it has read. */
#ifndef DRUMLINE_PROGRAMS_PREPROCESS_REPORT_H
#define DRUMLINE_PROGRAMS_PREPROCESS_REPORT_H

#include "programs/preprocess/job.h"

/* Logs what was read and kept, what was skipped, repaired and lost and why, where the splits come from, and copies. The counts are
 * those of all ranks. Collective. */
void preprocess_report(struct job *job);

#endif
