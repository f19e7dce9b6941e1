#include "programs/bench/rounds.h"

#include "programs/bench/metrics.h"

#include <stdlib.h>

struct running {
    bench_work *work;
    void *context;
    struct comm *comm, *alone;
    bool beside_one;
    int number; /* of the next call */
};

/* On one rank, another one each time; the seconds are known to all. */
static bool run_alone(struct running *running, double *seconds, struct error *error)
{
    struct comm *comm = running->comm;
    int number = running->number++, whose = number / 2 % comm_size(comm);
    bool ok = true;
    *seconds = 0;
    if (!running->beside_one)
        return true;
    if (comm_rank(comm) == whose)
        ok = running->work(running->context, running->alone, number, seconds, error);
    comm_barrier_asleep(comm);
    comm_max_doubles(comm, seconds, 1);
    return comm_all_ok(comm, ok, error);
}

/* On all ranks; the seconds are the slowest one's. */
static bool run_together(struct running *running, double *seconds, struct error *error)
{
    comm_barrier(running->comm);
    if (!running->work(running->context, running->comm, running->number++, seconds, error))
        return false;
    comm_max_doubles(running->comm, seconds, 1);
    return true;
}

/* alone [count + 1] and together [count] seconds, those of the warm-up not kept. */
static bool run_all(struct running *running, double *alone, double *together, size_t count, struct error *error)
{
    double unused;
    if (!run_alone(running, &unused, error) || !run_together(running, &unused, error) ||
        !run_alone(running, &alone[0], error))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!run_together(running, &together[i], error) || !run_alone(running, &alone[i + 1], error))
            return false;
    return true;
}

bool bench_rounds_run(struct bench_rounds *rounds, bench_work *work, void *context, int num_rounds, bool beside_one,
                      struct comm *comm, struct error *error)
{
    size_t count = (size_t)num_rounds;
    struct running running = {work, context, comm, comm_make_alone(comm), beside_one, 0};
    double *alone = malloc((3 * count + 1) * sizeof *alone);
    bool ok = (running.alone && alone) || error_set(error, "no memory for the times of %d rounds", num_rounds);
    ok = comm_all_ok(comm, ok, error);
    if (ok) {
        double *together = alone + count + 1, *ratios = together + count;
        ok = run_all(&running, alone, together, count, error);
        if (ok) {
            for (size_t i = 0; i < count; i++)
                ratios[i] = (alone[i] + alone[i + 1]) / 2 / together[i];
            rounds->ratio = bench_median(ratios, count);
            rounds->alone = bench_median(alone, count + 1);
            rounds->together = bench_median(together, count);
        }
    }
    free(alone);
    comm_free_alone(running.alone);
    return ok;
}
