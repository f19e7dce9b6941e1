#include "dist/stats.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

enum { LINE_MAX_SIZE = 128, NAME_COLUMNS = 24 };

void stats_start(struct stats *stats, const char *const *names, int num_phases)
{
    *stats = (struct stats){
        .num_phases = num_phases < STATS_MAX_PHASES ? num_phases : STATS_MAX_PHASES,
        .names = names,
        .running = -1,
    };
}

void stats_phase(struct stats *stats, int phase)
{
    double now = clock_seconds();
    if (stats->running >= 0) {
        stats->seconds[stats->running] += now - stats->started;
        trace_add(stats->trace, TRACE_PHASES, stats->names[stats->running], stats->started, now, 0);
    }
    stats->running = phase >= 0 && phase < stats->num_phases ? phase : -1;
    stats->started = now;
}

/* One line of the table, appended; the share is of the mean total. */
static size_t add_line(char *text, size_t size, size_t used, const char *name, double minimum, double mean,
                       double maximum, double total)
{
    int length = snprintf(text + used, size - used, "\n%-*.*s %10.3f %10.3f %10.3f %7.1f %%", NAME_COLUMNS,
                          NAME_COLUMNS, name, minimum, mean, maximum, total > 0 ? 100.0 * mean / total : 0.0);
    if (length < 0 || (size_t)length >= size - used)
        return used;
    return used + (size_t)length;
}

void stats_report(struct stats *stats, struct comm *comm, const char *title)
{
    enum { TOTAL = STATS_MAX_PHASES };
    double minimum[TOTAL + 1], mean[TOTAL + 1], maximum[TOTAL + 1];
    char text[(STATS_MAX_PHASES + 3) * LINE_MAX_SIZE];
    stats_phase(stats, -1);
    memset(mean, 0, sizeof mean);
    for (int i = 0; i < stats->num_phases; i++) {
        log_record("%s, this rank alone: %s %.3f s", title, stats->names[i], stats->seconds[i]);
        mean[i] = stats->seconds[i];
        mean[TOTAL] += mean[i];
    }
    memcpy(minimum, mean, sizeof mean);
    memcpy(maximum, mean, sizeof mean);
    comm_min_doubles(comm, minimum, TOTAL + 1);
    comm_max_doubles(comm, maximum, TOTAL + 1);
    comm_sum_doubles(comm, mean, TOTAL + 1);
    for (int i = 0; i <= TOTAL; i++)
        mean[i] /= comm_size(comm);
    int ranks = comm_size(comm);
    size_t used = (size_t)snprintf(text, LINE_MAX_SIZE, "%-*.*s %10s %10s %10s %9s  (seconds, %d rank%s)", NAME_COLUMNS,
                                   NAME_COLUMNS, title, "min", "mean", "max", "share", ranks, ranks > 1 ? "s" : "");
    for (int i = 0; i < stats->num_phases; i++)
        used = add_line(text, sizeof text, used, stats->names[i], minimum[i], mean[i], maximum[i], mean[TOTAL]);
    add_line(text, sizeof text, used, "total", minimum[TOTAL], mean[TOTAL], maximum[TOTAL], mean[TOTAL]);
    log_info("%s", text);
}
