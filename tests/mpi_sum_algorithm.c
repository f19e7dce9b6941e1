/* The algorithm of MPI_Iallreduce: what is chosen for how many ranks, and that Open MPI then goes by it, unless it was told
 * another beforehand. */
#include "dist/sum_algorithm.h"
#include "mpi_check.h"

#include <mpi.h>

#include <stdlib.h>
#include <string.h>

static const char variable[] = "coll_libnbc_iallreduce_algorithm";

static bool has_variable(void)
{
    int index;
    return MPI_T_cvar_get_index(variable, &index) == MPI_SUCCESS;
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
        CHECK(comm, sum_algorithm_for(halvings[i]) == SUM_BY_HALVING);
    for (size_t i = 0; i < sizeof rings / sizeof *rings; i++)
        CHECK(comm, sum_algorithm_for(rings[i]) == SUM_BY_RING);
}

/* The numbers are those of Open MPI 4.1 and 5.0: 1 is the ring, 2 the tree, 3 Rabenseifner's. */
static void check_choice(struct comm *comm)
{
    const char *told = getenv("OMPI_MCA_coll_libnbc_iallreduce_algorithm");
    if (!has_variable()) {
        CHECK(comm, !sum_algorithm_choose(2));
        return;
    }
    if (told) {
        CHECK(comm, strcmp(told, "binomial") == 0 && present_number(comm) == 2);
        CHECK(comm, !sum_algorithm_choose(2));
        CHECK(comm, present_number(comm) == 2);
        return;
    }
    CHECK(comm, present_number(comm) == 0);
    CHECK(comm, sum_algorithm_choose(comm_size(comm)));
    CHECK(comm, present_number(comm) == (comm_size(comm) == 3 ? 1 : 3));
    CHECK(comm, !sum_algorithm_choose(3)); /* a choice stands */
    CHECK(comm, present_number(comm) == (comm_size(comm) == 3 ? 1 : 3));
}

int main(int argc, char **argv)
{
    int provided;
    struct comm *comm = comm_start(&argc, &argv);
    check_rule(comm);
    if (comm_size(comm) > 1) {
        CHECK(comm, MPI_T_init_thread(MPI_THREAD_SINGLE, &provided) == MPI_SUCCESS);
        check_choice(comm);
        MPI_T_finalize();
    }
    comm_finish(comm);
    return EXIT_SUCCESS;
}
