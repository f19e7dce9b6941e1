/* That Open MPI goes by what comm_start tells it on one host; with the word "told", that OMPI_MCA_pml=^none is left alone. */
#include "dist/launcher.h"
#include "tests/dist/mpi_check.h"

#include <mpi.h>

#include <string.h>

enum { SKIPPED = 77 };

static void check_value(struct comm *comm, const char *name, const char *expected)
{
    int index, length;
    MPI_T_cvar_handle handle;
    CHECK(comm, MPI_T_cvar_get_index(name, &index) == MPI_SUCCESS);
    CHECK(comm, MPI_T_cvar_handle_alloc(index, NULL, &handle, &length) == MPI_SUCCESS);
    char *value = calloc((size_t)length + 1, 1);
    CHECK(comm, value && MPI_T_cvar_read(handle, value) == MPI_SUCCESS);
    CHECK(comm, strcmp(value, expected) == 0);
    free(value);
    CHECK(comm, MPI_T_cvar_handle_free(&handle) == MPI_SUCCESS);
}

/* A component that is not in use has no variables. */
static void check_set(struct comm *comm, const struct openmpi_defaults *set)
{
    int index;
    CHECK(comm, strcmp(getenv("OMPI_MCA_pml"), set->pml) == 0);
    check_value(comm, "pml", set->pml);
    CHECK(comm, MPI_T_cvar_get_index("pml_ob1_priority", &index) == MPI_SUCCESS);
    if (!set->btl)
        return;
    CHECK(comm, strcmp(getenv("OMPI_MCA_btl"), set->btl) == 0);
    check_value(comm, "btl", set->btl);
}

static void check_told(struct comm *comm, const struct openmpi_defaults *set)
{
    CHECK(comm, !set->pml && !set->btl);
    CHECK(comm, strcmp(getenv("OMPI_MCA_pml"), "^none") == 0);
    check_value(comm, "pml", "^none");
}

int main(int argc, char **argv)
{
    int provided;
    struct comm *comm = comm_start(&argc, &argv);
    const struct openmpi_defaults set = comm_openmpi_defaults(comm);
    const bool is_told = argc > 1 && strcmp(argv[1], "told") == 0, has_launcher = launcher_variable() != NULL;
    CHECK(comm, has_launcher || !set.pml);
    if (is_told || set.pml) {
        CHECK(comm, MPI_T_init_thread(MPI_THREAD_SINGLE, &provided) == MPI_SUCCESS);
        if (is_told)
            check_told(comm, &set);
        else
            check_set(comm, &set);
        MPI_T_finalize();
    }
    comm_finish(comm);
    return has_launcher && !is_told && !set.pml ? SKIPPED : EXIT_SUCCESS;
}
