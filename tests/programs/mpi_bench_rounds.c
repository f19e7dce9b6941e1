/* Interleaved rounds of one rank and of all: who works when, what is computed from the times, and work that fails. */
#include "programs/bench/rounds.h"
#include "tests/dist/mpi_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 5, NUM_CALLS = 2 * (ROUNDS + 1) + 1 };

struct script {
    struct comm *comm; /* of all */
    int fails_at;      /* a call's number; below 0: none */
    bool called[NUM_CALLS];
};

/* One rank takes twice the time of all at the machine's pace, which gets slower with each call; of all ranks the last is
 * the slowest. */
static bool work(void *context, struct comm *comm, int number, double *seconds, struct error *error)
{
    struct script *script = context;
    bool is_alone = comm != script->comm;
    CHECK(comm, number >= 0 && number < NUM_CALLS && !script->called[number]);
    CHECK(comm, comm_size(comm) == (is_alone ? 1 : comm_size(script->comm)));
    script->called[number] = true;
    *seconds = (number + 1) * (is_alone ? 2 : 1 + comm_rank(comm)) / (is_alone ? 1.0 : comm_size(comm));
    return number != script->fails_at || error_set(error, "call %d", number);
}

static bool is_near(double value, double wanted)
{
    return fabs(value - wanted) < 1e-9;
}

static void check_rounds(struct comm *comm)
{
    struct script script = {.comm = comm, .fails_at = -1};
    struct bench_rounds rounds;
    struct error error;
    bool has_others = comm_size(comm) > 1;
    CHECK(comm, bench_rounds_run(&rounds, work, &script, ROUNDS, has_others, comm, &error));
    for (int number = 0; number < NUM_CALLS; number++) {
        bool is_mine = number % 2 == 1 || (has_others && number / 2 % comm_size(comm) == comm_rank(comm));
        CHECK(comm, script.called[number] == is_mine);
    }
    CHECK(comm, is_near(rounds.together, 8));
    CHECK(comm, is_near(rounds.alone, has_others ? 16 : 0));
    CHECK(comm, is_near(rounds.ratio, has_others ? 2 : 0));
}

static void check_failure(struct comm *comm, int number)
{
    struct script script = {.comm = comm, .fails_at = number};
    struct bench_rounds rounds;
    struct error error;
    bool has_others = comm_size(comm) > 1;
    char wanted[32];
    snprintf(wanted, sizeof wanted, "call %d", number);
    CHECK(comm, !bench_rounds_run(&rounds, work, &script, ROUNDS, has_others, comm, &error));
    CHECK(comm, strstr(error.message, wanted));
}

int main(int argc, char **argv)
{
    struct comm *comm = comm_start(&argc, &argv);
    check_rounds(comm);
    check_failure(comm, 3);
    if (comm_size(comm) > 1)
        check_failure(comm, 4);
    comm_finish(comm);
    return EXIT_SUCCESS;
}
