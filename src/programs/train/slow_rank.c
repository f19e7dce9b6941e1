#include "programs/train/slow_rank.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_SIZE = 64 };
static const double look_seconds = 30, again_seconds = 600, bearable_share = 0.1;

struct slow_rank_sample {
    char host[HOST_SIZE];
    double seconds[STATS_MAX_PHASES]; /* since the start */
};

/* Rank 0 gets all ranks' samples. */
static void gather(struct slow_rank_sample *all, const struct stats *stats, struct comm *comm)
{
    struct slow_rank_sample own = {.host = ""};
    uint8_t *bytes;
    size_t *sizes;
    snprintf(own.host, sizeof own.host, "%s", comm_host(comm));
    memcpy(own.seconds, stats->seconds, sizeof own.seconds);
    comm_gather(comm, &own, sizeof own, &bytes, &sizes);
    if (comm_rank(comm) == 0)
        memcpy(all, bytes, (size_t)comm_size(comm) * sizeof *all);
    free(bytes);
    free(sizes);
}

bool slow_rank_start(struct slow_rank *slow, const struct stats *stats, struct comm *comm, double now,
                     struct error *error)
{
    size_t ranks = (size_t)comm_size(comm);
    *slow = (struct slow_rank){.looked = now, .warned_rank = -1};
    bool ok = true;
    if (comm_rank(comm) == 0) {
        slow->before = calloc(ranks, sizeof *slow->before);
        slow->now = calloc(ranks, sizeof *slow->now);
        slow->values = calloc(ranks, sizeof *slow->values);
        ok = (slow->before && slow->now && slow->values) ||
             error_set(error, "out of memory for the times of %zu ranks", ranks);
    }
    if (!comm_all_ok(comm, ok, error))
        return false;
    gather(slow->before, stats, comm);
    return true;
}

/* What a rank has worked since the last look, in one phase. */
static double worked_in(const struct slow_rank *slow, int rank, int phase)
{
    return slow->now[rank].seconds[phase] - slow->before[rank].seconds[phase];
}

/* In all phases but `waiting`. */
static double worked(const struct slow_rank *slow, int rank, int num_phases, int waiting)
{
    double seconds = 0;
    for (int i = 0; i < num_phases; i++)
        seconds += i == waiting ? 0 : worked_in(slow, rank, i);
    return seconds;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The lower median over ranks of what slow->values [ranks] hold, which is sorted. */
static double median(struct slow_rank *slow, int ranks)
{
    qsort(slow->values, (size_t)ranks, sizeof *slow->values, compare);
    return slow->values[(ranks - 1) / 2];
}

static double median_in(struct slow_rank *slow, int ranks, int phase)
{
    for (int i = 0; i < ranks; i++)
        slow->values[i] = worked_in(slow, i, phase);
    return median(slow, ranks);
}

static double median_worked(struct slow_rank *slow, int ranks, int num_phases, int waiting)
{
    for (int i = 0; i < ranks; i++)
        slow->values[i] = worked(slow, i, num_phases, waiting);
    return median(slow, ranks);
}

static void warn(struct slow_rank *slow, const struct stats *stats, int waiting, int ranks, int slowest, double share)
{
    int phase = 0;
    double most = -1;
    for (int i = 0; i < stats->num_phases; i++) {
        double more = worked_in(slow, slowest, i) - median_in(slow, ranks, i);
        if (i != waiting && more > most) {
            most = more;
            phase = i;
        }
    }
    log_job_warning("rank %d (%s) is slow: the others waited for it for %.0f %% of the time, mostly in %s", slowest,
                    slow->now[slowest].host, 100 * share, stats->names[phase]);
}

void slow_rank_look(struct slow_rank *slow, const struct stats *stats, int waiting, struct comm *comm, double now)
{
    int ranks = comm_size(comm), slowest = 0;
    if (ranks < 2)
        return;
    gather(slow->now, stats, comm);
    double passed = now - slow->looked;
    if (comm_rank(comm) != 0 || passed < look_seconds)
        return;
    for (int i = 1; i < ranks; i++)
        if (worked(slow, i, stats->num_phases, waiting) > worked(slow, slowest, stats->num_phases, waiting))
            slowest = i;
    double share =
        (worked(slow, slowest, stats->num_phases, waiting) - median_worked(slow, ranks, stats->num_phases, waiting)) /
        passed;
    bool is_news = slow->warned_rank != slowest || now - slow->warned >= again_seconds;
    if (share > bearable_share && is_news) {
        warn(slow, stats, waiting, ranks, slowest, share);
        slow->warned = now;
        slow->warned_rank = slowest;
    }
    memcpy(slow->before, slow->now, (size_t)ranks * sizeof *slow->before);
    slow->looked = now;
}

void slow_rank_free(struct slow_rank *slow)
{
    free(slow->before);
    free(slow->now);
    free(slow->values);
    *slow = (struct slow_rank){.warned_rank = -1};
}
