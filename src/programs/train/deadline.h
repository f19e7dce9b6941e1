/* When a training must be over, and whether there is time for another step before that.
 *
 * A training stops after a step when what may come next would not fit any more: another step, the evaluations that fall due
 * with it, and two checkpoints (one under way and the last), each taken to last as long as the longest of its kind so far, and
 * half as long again. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_DEADLINE_H
#define DRUMLINE_PROGRAMS_TRAIN_DEADLINE_H

#include "base/error.h"

enum deadline_source {
    DEADLINE_NONE,
    DEADLINE_MAX_SECONDS, /* --max_seconds */
    DEADLINE_FLAG,        /* --deadline=N */
    DEADLINE_SLURM,       /* SLURM_JOB_END_TIME */
};

struct deadline {
    enum deadline_source source;
    double end; /* clock_seconds by which the program must have ended; INFINITY where nothing sets a limit */
};

/* What a deadline is made from. */
struct deadline_limits {
    const char *flag;      /* --deadline: "auto", "none", or a whole number of seconds since 1970 */
    const char *slurm_end; /* SLURM_JOB_END_TIME, seconds since 1970; NULL where it is not set */
    double max_seconds;    /* --max_seconds; 0: no limit */
    double started;        /* clock_seconds from which those count */
    double unix_now;       /* seconds since 1970 */
    double clock_now;      /* clock_seconds at that moment */
};

/* What comes next, in seconds. */
struct deadline_costs {
    double step;        /* the longest */
    double evaluations; /* those that fall due until the next step is over */
    double write;       /* the longest checkpoint */
};

/* Whether --deadline's value is of the kinds above. */
bool deadline_check_flag(const char *flag, struct error *error);

/* The earliest of all limits. Before a moment given by the flag or by Slurm ten seconds are left to what follows the program,
 * such as a job script that queues itself again. A SLURM_JOB_END_TIME that is no time, or lies in the past, is warned of and
 * ignored; a --deadline in the past is an error. */
bool deadline_make(struct deadline *deadline, const struct deadline_limits *limits, struct error *error);

/* Whether the training must stop now. */
bool deadline_is_near(const struct deadline *deadline, const struct deadline_costs *costs, double clock_now);

/* Seconds until the end; INFINITY where there is none. */
double deadline_seconds_left(const struct deadline *deadline, double clock_now);

/* "--max_seconds", "--deadline" or "SLURM_JOB_END_TIME". */
const char *deadline_reason(const struct deadline *deadline);

#endif
