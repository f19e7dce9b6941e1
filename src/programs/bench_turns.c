#include "programs/bench_turns.h"

#include "programs/bench_figures.h"

#include <stdlib.h>

struct players {
    bench_turn *turn;
    void *context;
    struct comm *comm, *alone;
    bool has_alone;
    int number; /* of the turn that comes next */
};

/* A turn of one rank, another one each time; the seconds are known to all. */
static bool take_alone(struct players *players, double *seconds, struct error *error)
{
    struct comm *comm = players->comm;
    int number = players->number++, whose = number / 2 % comm_size(comm);
    bool ok = true;
    *seconds = 0;
    if (!players->has_alone)
        return true;
    if (comm_rank(comm) == whose)
        ok = players->turn(players->context, players->alone, number, seconds, error);
    comm_barrier_asleep(comm);
    comm_max_doubles(comm, seconds, 1);
    return comm_all_ok(comm, ok, error);
}

/* A turn of all ranks; the seconds are the slowest one's. */
static bool take_together(struct players *players, double *seconds, struct error *error)
{
    comm_barrier(players->comm);
    if (!players->turn(players->context, players->comm, players->number++, seconds, error))
        return false;
    comm_max_doubles(players->comm, seconds, 1);
    return true;
}

/* alone [rounds + 1] and together [rounds] seconds, those of the first round not kept. */
static bool take_all(struct players *players, double *alone, double *together, int rounds, struct error *error)
{
    double unused;
    if (!take_alone(players, &unused, error) || !take_together(players, &unused, error) ||
        !take_alone(players, &alone[0], error))
        return false;
    for (int i = 0; i < rounds; i++)
        if (!take_together(players, &together[i], error) || !take_alone(players, &alone[i + 1], error))
            return false;
    return true;
}

bool bench_turns_take(struct bench_turns *turns, bench_turn *turn, void *context, int rounds, bool has_alone,
                      struct comm *comm, struct error *error)
{
    size_t count = (size_t)rounds;
    struct players players = {turn, context, comm, comm_make_alone(comm), has_alone, 0};
    double *alone = malloc((3 * count + 1) * sizeof *alone);
    bool ok = (players.alone && alone) || error_set(error, "no memory for the times of %d turns", rounds);
    ok = comm_all_ok(comm, ok, error);
    if (ok) {
        double *together = alone + count + 1, *ratios = together + count;
        ok = take_all(&players, alone, together, rounds, error);
        if (ok) {
            for (size_t i = 0; i < count; i++)
                ratios[i] = (alone[i] + alone[i + 1]) / 2 / together[i];
            turns->ratio = bench_median(ratios, count);
            turns->alone = bench_median(alone, count + 1);
            turns->together = bench_median(together, count);
        }
    }
    free(alone);
    comm_free_alone(players.alone);
    return ok;
}
