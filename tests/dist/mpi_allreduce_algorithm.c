/* The algorithm of MPI_Iallreduce: what is chosen for how many ranks and what it costs, and that Open MPI's variable then has
 * its number, unless it was told another beforehand. At three ranks also that the sums go by it. */
#include "dist/allreduce_algorithm.h"
#include "tests/dist/mpi_check.h"

#include <mpi.h>

#include <stdlib.h>
#include <string.h>

static const char variable[] = "coll_libnbc_iallreduce_algorithm";

/* Open MPI must have it; another MPI need not. */
static bool has_variable(struct comm *comm)
{
    int index;
    bool has = MPI_T_cvar_get_index(variable, &index) == MPI_SUCCESS;
#ifdef OPEN_MPI
    CHECK(comm, has);
#else
    (void)comm;
#endif
    return has;
}

static int present_number(struct comm *comm)
{
    int index, count, number = -1;
    MPI_T_cvar_handle handle;
    CHECK(comm, MPI_T_cvar_get_index(variable, &index) == MPI_SUCCESS);
    CHECK(comm, MPI_T_cvar_handle_alloc(index, NULL, &handle, &count) == MPI_SUCCESS);
    CHECK(comm, count == 1 && MPI_T_cvar_read(handle, &number) == MPI_SUCCESS);
    CHECK(comm, MPI_T_cvar_handle_free(&handle) == MPI_SUCCESS);
    return number;
}

static void check_rule(struct comm *comm)
{
    static const int halvings[] = {2, 4, 8, 16, 17, 64, 100, 1 << 20}, rings[] = {3, 5, 6, 7, 9, 15};
    for (size_t i = 0; i < sizeof halvings / sizeof *halvings; i++)
        CHECK(comm, allreduce_algorithm_for(halvings[i]) == ALLREDUCE_HALVING_DOUBLING);
    for (size_t i = 0; i < sizeof rings / sizeof *rings; i++)
        CHECK(comm, allreduce_algorithm_for(rings[i]) == ALLREDUCE_RING);
}

static void check_cost(struct comm *comm, int ranks, double rounds, double passes)
{
    struct allreduce_cost cost = allreduce_algorithm_cost(ranks);
    CHECK(comm, cost.rounds == rounds && cost.passes == passes);
}

static void check_costs(struct comm *comm)
{
    check_cost(comm, 1, 0, 0);
    check_cost(comm, 2, 2, 1);
    check_cost(comm, 3, 4, 4.0 / 3);
    check_cost(comm, 5, 8, 8.0 / 5);
    check_cost(comm, 16, 8, 30.0 / 16);
    check_cost(comm, 17, 11, 30.0 / 16 + 2);
}

/* Whether all elements were added in one order, as by a tree. A ring begins each part of them at another rank. */
static bool adds_in_one_order(struct comm *comm)
{
    enum { COUNT = 3000 };
    static const float added[] = {1, 1e-10F, -1}; /* 1e-10 where that is added last, else 0 */
    float values[COUNT];
    MPI_Request request;
    for (int i = 0; i < COUNT; i++)
        values[i] = added[comm_rank(comm)];
    MPI_Iallreduce(MPI_IN_PLACE, values, COUNT, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    for (int i = 1; i < COUNT; i++)
        if (values[i] != values[0])
            return false;
    return true;
}

/* The numbers are those of Open MPI 4.1 and 5.0: 1 is the ring, 2 the tree, 3 Rabenseifner's. */
static void check_choice(struct comm *comm)
{
    const char *told = getenv("OMPI_MCA_coll_libnbc_iallreduce_algorithm");
    if (!has_variable(comm)) {
        CHECK(comm, !allreduce_algorithm_choose(2));
        return;
    }
    if (told) {
        CHECK(comm, strcmp(told, "binomial") == 0 && present_number(comm) == 2);
        CHECK(comm, !allreduce_algorithm_choose(2));
        CHECK(comm, present_number(comm) == 2);
        return;
    }
    CHECK(comm, present_number(comm) == 0);
    CHECK(comm, comm_size(comm) != 3 || adds_in_one_order(comm));
    CHECK(comm, allreduce_algorithm_choose(comm_size(comm)));
    CHECK(comm, comm_size(comm) != 3 || !adds_in_one_order(comm));
    CHECK(comm, present_number(comm) == (comm_size(comm) == 3 ? 1 : 3));
    CHECK(comm, !allreduce_algorithm_choose(3)); /* a choice stands */
    CHECK(comm, present_number(comm) == (comm_size(comm) == 3 ? 1 : 3));
}

int main(int argc, char **argv)
{
    int provided;
    struct comm *comm = comm_start(&argc, &argv);
    check_rule(comm);
    check_costs(comm);
    if (comm_size(comm) > 1) {
        CHECK(comm, MPI_T_init_thread(MPI_THREAD_SINGLE, &provided) == MPI_SUCCESS);
        check_choice(comm);
        MPI_T_finalize();
    }
    comm_finish(comm);
    return EXIT_SUCCESS;
}
