#include "programs/train/slow_rank.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)STATS_MAX_PHASES <= (int)RANK_TIMES_MAX_PHASES, "the times of a rank have room for every phase");

static const double look_seconds = 30, again_seconds = 600, bearable_share = 0.1;

/* Rank 0 gets all ranks' times. */
static void gather(struct rank_time *all, const struct stats *stats, struct comm *comm)
{
    struct rank_time own = {.host = ""};
    uint8_t *bytes;
    size_t *sizes;
    snprintf(own.host, sizeof own.host, "%s", comm_host(comm));
    memcpy(own.seconds, stats->seconds, (size_t)stats->num_phases * sizeof *own.seconds);
    comm_gather(comm, &own, sizeof own, &bytes, &sizes);
    if (comm_rank(comm) == 0)
        memcpy(all, bytes, (size_t)comm_size(comm) * sizeof *all);
    free(bytes);
    free(sizes);
}

bool slow_rank_start(struct slow_rank *slow, const struct stats *stats, int waiting, uint64_t step, struct comm *comm,
                     double now, struct error *error)
{
    size_t ranks = (size_t)comm_size(comm);
    *slow = (struct slow_rank){.looked = now, .warned_rank = -1};
    slow->now = (struct rank_times){
        .from_step = step, .step = step, .num_phases = stats->num_phases, .waiting = waiting, .num_ranks = ranks};
    for (int i = 0; i < stats->num_phases; i++)
        snprintf(slow->now.phases[i], RANK_TIMES_NAME_SIZE, "%s", stats->names[i]);
    slow->between = slow->now;
    bool ok = true;
    if (comm_rank(comm) == 0) {
        slow->now.ranks = calloc(ranks, sizeof *slow->now.ranks);
        slow->between.ranks = calloc(ranks, sizeof *slow->between.ranks);
        slow->before = calloc(ranks, sizeof *slow->before);
        slow->scratch = calloc(ranks, sizeof *slow->scratch);
        ok = (slow->now.ranks && slow->between.ranks && slow->before && slow->scratch) ||
             error_set_no_memory(error, "out of memory for the times of %zu ranks", ranks);
    }
    if (!comm_all_ok(comm, ok, error))
        return false;
    gather(slow->before, stats, comm);
    return true;
}

static void subtract(struct slow_rank *slow)
{
    for (size_t i = 0; i < slow->now.num_ranks; i++) {
        memcpy(slow->between.ranks[i].host, slow->now.ranks[i].host, RANK_TIMES_NAME_SIZE);
        for (int phase = 0; phase < slow->now.num_phases; phase++)
            slow->between.ranks[i].seconds[phase] = slow->now.ranks[i].seconds[phase] - slow->before[i].seconds[phase];
    }
}

static void warn_of_slowest(struct slow_rank *slow, double passed, double now)
{
    struct slowest_rank slowest;
    rank_times_find_slowest(&slowest, &slow->between, slow->scratch);
    double share = slowest.longer / passed;
    bool is_news = slow->warned_rank != (int)slowest.rank || now - slow->warned >= again_seconds;
    if (!(share > bearable_share) || !is_news)
        return;
    log_job_warning("rank %zu (%s) is slow: the others waited for it for %.0f %% of the time, mostly in %s",
                    slowest.rank, slow->now.ranks[slowest.rank].host, 100 * share, slow->now.phases[slowest.phase]);
    slow->warned = now;
    slow->warned_rank = (int)slowest.rank;
}

bool slow_rank_look(struct slow_rank *slow, const struct stats *stats, uint64_t step, bool is_last, struct comm *comm,
                    double now)
{
    gather(slow->now.ranks, stats, comm);
    double passed = now - slow->looked;
    if (comm_rank(comm) != 0 || (passed < look_seconds && !is_last))
        return false;
    slow->now.step = step;
    if (passed >= look_seconds) {
        subtract(slow);
        warn_of_slowest(slow, passed, now);
        memcpy(slow->before, slow->now.ranks, slow->now.num_ranks * sizeof *slow->before);
        slow->looked = now;
    }
    return true;
}

void slow_rank_free(struct slow_rank *slow)
{
    free(slow->now.ranks);
    free(slow->between.ranks);
    free(slow->before);
    free(slow->scratch);
    *slow = (struct slow_rank){.warned_rank = -1};
}
