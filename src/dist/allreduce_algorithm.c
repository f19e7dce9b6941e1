#include "dist/allreduce_algorithm.h"

#include <mpi.h>

#include <stdint.h>
#include <string.h>

enum {
    RING_MOST_RANKS = 16,
    NAME_SIZE = 64,
    UNDECIDED = 0, /* Open MPI's number for: as the library thinks fit */
};

static const char variable[] = "coll_libnbc_iallreduce_algorithm";

static bool is_power_of_two(int num_ranks)
{
    return (num_ranks & (num_ranks - 1)) == 0;
}

enum allreduce_algorithm allreduce_algorithm_for(int num_ranks)
{
    if (is_power_of_two(num_ranks) || num_ranks > RING_MOST_RANKS)
        return ALLREDUCE_HALVING_DOUBLING;
    return ALLREDUCE_RING;
}

struct allreduce_cost allreduce_algorithm_cost(int num_ranks)
{
    if (allreduce_algorithm_for(num_ranks) == ALLREDUCE_RING)
        return (struct allreduce_cost){2.0 * (num_ranks - 1), 2.0 * (num_ranks - 1) / num_ranks};
    int doublings = 0;
    while ((int64_t)2 << doublings <= num_ranks)
        doublings++;
    double folded = (double)((int64_t)1 << doublings); /* the largest power of two that is not above num_ranks */
    struct allreduce_cost cost = {2.0 * doublings, 2 * (folded - 1) / folded};
    if (!is_power_of_two(num_ranks)) {
        cost.rounds += 3;
        cost.passes += 2;
    }
    return cost;
}

/* The variable's number for the algorithm of that name; UNDECIDED where there is none. */
static int number_of(MPI_T_enum names, const char *wanted)
{
    int count, all_names_length = 0;
    if (MPI_T_enum_get_info(names, &count, NULL, &all_names_length) != MPI_SUCCESS)
        return UNDECIDED;
    for (int i = 0; i < count; i++) {
        char name[NAME_SIZE];
        int value, length = NAME_SIZE;
        if (MPI_T_enum_get_item(names, i, &value, name, &length) == MPI_SUCCESS && strcmp(name, wanted) == 0)
            return value;
    }
    return UNDECIDED;
}

/* The number to write for `wanted`; UNDECIDED where the variable is not one of whole numbers with names. */
static int number_to_write(int index, const char *wanted)
{
    int verbosity, binding, scope, name_length = 0, text_length = 0;
    MPI_Datatype type;
    MPI_T_enum names;
    if (MPI_T_cvar_get_info(index, NULL, &name_length, &verbosity, &type, &names, NULL, &text_length, &binding,
                            &scope) != MPI_SUCCESS)
        return UNDECIDED;
    if (type != MPI_INT || names == MPI_T_ENUM_NULL || binding != MPI_T_BIND_NO_OBJECT)
        return UNDECIDED;
    return number_of(names, wanted);
}

static bool write_undecided(int index, int wanted)
{
    MPI_T_cvar_handle handle;
    int count, present;
    if (MPI_T_cvar_handle_alloc(index, NULL, &handle, &count) != MPI_SUCCESS)
        return false;
    bool written = count == 1 && MPI_T_cvar_read(handle, &present) == MPI_SUCCESS && present == UNDECIDED &&
                   MPI_T_cvar_write(handle, &wanted) == MPI_SUCCESS;
    MPI_T_cvar_handle_free(&handle);
    return written;
}

bool allreduce_algorithm_choose(int num_ranks)
{
    const char *wanted = allreduce_algorithm_for(num_ranks) == ALLREDUCE_RING ? "ring" : "rabenseifner";
    int provided, index;
    if (MPI_T_init_thread(MPI_THREAD_SINGLE, &provided) != MPI_SUCCESS)
        return false;
    bool written = false;
    if (MPI_T_cvar_get_index(variable, &index) == MPI_SUCCESS) {
        int number = number_to_write(index, wanted);
        written = number != UNDECIDED && write_undecided(index, number);
    }
    MPI_T_finalize();
    return written;
}
