#include "programs/bench/turns.h"

#include "programs/bench/figures.h"

#include <stdlib.h>

struct taking {
    bench_turn *turn;
    void *context;
    struct comm *comm, *alone;
    bool beside_one;
    int number; /* of the turn that comes next */
};

/* A turn of one rank, another one each time; the seconds are known to all. */
static bool take_alone(struct taking *taking, double *seconds, struct error *error)
{
    struct comm *comm = taking->comm;
    int number = taking->number++, whose = number / 2 % comm_size(comm);
    bool ok = true;
    *seconds = 0;
    if (!taking->beside_one)
        return true;
    if (comm_rank(comm) == whose)
        ok = taking->turn(taking->context, taking->alone, number, seconds, error);
    comm_barrier_asleep(comm);
    comm_max_doubles(comm, seconds, 1);
    return comm_all_ok(comm, ok, error);
}

/* A turn of all ranks; the seconds are the slowest one's. */
static bool take_together(struct taking *taking, double *seconds, struct error *error)
{
    comm_barrier(taking->comm);
    if (!taking->turn(taking->context, taking->comm, taking->number++, seconds, error))
        return false;
    comm_max_doubles(taking->comm, seconds, 1);
    return true;
}

/* alone [rounds + 1] and together [rounds] seconds, those of the first round not kept. */
static bool take_all(struct taking *taking, double *alone, double *together, int rounds, struct error *error)
{
    double unused;
    if (!take_alone(taking, &unused, error) || !take_together(taking, &unused, error) ||
        !take_alone(taking, &alone[0], error))
        return false;
    for (int i = 0; i < rounds; i++)
        if (!take_together(taking, &together[i], error) || !take_alone(taking, &alone[i + 1], error))
            return false;
    return true;
}

bool bench_turns_take(struct bench_turns *turns, bench_turn *turn, void *context, int rounds, bool beside_one,
                      struct comm *comm, struct error *error)
{
    size_t count = (size_t)rounds;
    struct taking taking = {turn, context, comm, comm_make_alone(comm), beside_one, 0};
    double *alone = malloc((3 * count + 1) * sizeof *alone);
    bool ok = (taking.alone && alone) || error_set(error, "no memory for the times of %d turns", rounds);
    ok = comm_all_ok(comm, ok, error);
    if (ok) {
        double *together = alone + count + 1, *ratios = together + count;
        ok = take_all(&taking, alone, together, rounds, error);
        if (ok) {
            for (size_t i = 0; i < count; i++)
                ratios[i] = (alone[i] + alone[i + 1]) / 2 / together[i];
            turns->ratio = bench_median(ratios, count);
            turns->alone = bench_median(alone, count + 1);
            turns->together = bench_median(together, count);
        }
    }
    free(alone);
    comm_free_alone(taking.alone);
    return ok;
}
