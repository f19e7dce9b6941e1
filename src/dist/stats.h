/* Where the time went: seconds by phase on each rank, and the table of min, mean and max over ranks that ends a run (after
 * libsc's sc_statistics). */
#ifndef DRUMLINE_DIST_STATS_H
#define DRUMLINE_DIST_STATS_H

#include "base/trace.h"
#include "dist/comm.h"

enum { STATS_MAX_PHASES = 24 };

struct stats {
    int num_phases;
    const char *const *names; /* [num_phases], not owned; the same on every rank */
    double seconds[STATS_MAX_PHASES];
    double started;      /* clock of the running phase */
    int running;         /* -1: none */
    struct trace *trace; /* gets each phase as it ends; not owned, NULL: none */
};

/* `names[0..num_phases)` must outlive the stats. */
void stats_start(struct stats *stats, const char *const *names, int num_phases);

/* Ends the running phase, if any, and begins `phase`; -1 begins none. */
void stats_phase(struct stats *stats, int phase);

/* Logs the table at level info. Collective. */
void stats_report(struct stats *stats, struct comm *comm, const char *title);

#endif
