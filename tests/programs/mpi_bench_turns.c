/* Turns of one rank and of all: who takes which, what is reckoned from them, and a turn that fails. */
#include "programs/bench/turns.h"
#include "tests/dist/mpi_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 5, NUM_TURNS = 2 * (ROUNDS + 1) + 1 };

struct script {
    struct comm *comm; /* of all */
    int fails_at;      /* a turn's number, none below 0 */
    bool taken[NUM_TURNS];
};

/* One rank takes twice the time of all at the machine's pace, which gets slower with each turn; of all ranks the last is
 * the slowest. */
static bool take(void *context, struct comm *comm, int number, double *seconds, struct error *error)
{
    struct script *script = context;
    bool is_alone = comm != script->comm;
    CHECK(comm, number >= 0 && number < NUM_TURNS && !script->taken[number]);
    CHECK(comm, comm_size(comm) == (is_alone ? 1 : comm_size(script->comm)));
    script->taken[number] = true;
    *seconds = (number + 1) * (is_alone ? 2 : 1 + comm_rank(comm)) / (is_alone ? 1.0 : comm_size(comm));
    return number != script->fails_at || error_set(error, "turn %d", number);
}

static bool is_near(double value, double wanted)
{
    return fabs(value - wanted) < 1e-9;
}

static void check_turns(struct comm *comm)
{
    struct script script = {.comm = comm, .fails_at = -1};
    struct bench_turns turns;
    struct error error;
    bool has_others = comm_size(comm) > 1;
    CHECK(comm, bench_turns_take(&turns, take, &script, ROUNDS, has_others, comm, &error));
    for (int number = 0; number < NUM_TURNS; number++) {
        bool is_mine = number % 2 == 1 || (has_others && number / 2 % comm_size(comm) == comm_rank(comm));
        CHECK(comm, script.taken[number] == is_mine);
    }
    CHECK(comm, is_near(turns.together, 8));
    CHECK(comm, is_near(turns.alone, has_others ? 16 : 0));
    CHECK(comm, is_near(turns.ratio, has_others ? 2 : 0));
}

static void check_failure(struct comm *comm, int number)
{
    struct script script = {.comm = comm, .fails_at = number};
    struct bench_turns turns;
    struct error error;
    bool has_others = comm_size(comm) > 1;
    char wanted[32];
    snprintf(wanted, sizeof wanted, "turn %d", number);
    CHECK(comm, !bench_turns_take(&turns, take, &script, ROUNDS, has_others, comm, &error));
    CHECK(comm, strstr(error.message, wanted));
}

int main(int argc, char **argv)
{
    struct comm *comm = comm_start(&argc, &argv);
    check_turns(comm);
    check_failure(comm, 3);
    if (comm_size(comm) > 1)
        check_failure(comm, 4);
    comm_finish(comm);
    return EXIT_SUCCESS;
}
