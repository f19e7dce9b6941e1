#include "dist/launcher.h"

#include <stddef.h>
#include <string.h>

extern char **environ;

/* How the variables begin; a '=' ends a whole name. */
static const char *const of_openmpi[] = {
    "OMPI_COMM_WORLD_",
    "OMPI_MCA_ess_base_jobid=",
    "PMIX_RANK=",
    "PMIX_NAMESPACE=",
};
static const char *const of_others[] = {
    "PMI_",
    "MPI_LOCALRANKID=",
    "MPI_LOCALNRANKS=",
    "MPI_RANKID=",
    "MV2_COMM_WORLD_",
    "MVP_COMM_WORLD_",
    "MPISPAWN_",
    "SLURM_STEP_ID=",
    "SLURM_STEPID=",
    "SLURM_STEP_NUM_TASKS=",
    "ALPS_APP_PE=",
    "PALS_RANKID=",
    "PALS_APID=",
    "FLUX_TASK_RANK=",
    "JSM_NAMESPACE_RANK=",
    "PLE_RANK_ON_NODE=",
    "MP_CHILD=",
};

static const char *find(const char *const *beginnings, size_t count)
{
    for (char **variable = environ; variable && *variable; variable++)
        for (size_t i = 0; i < count; i++)
            if (strncmp(*variable, beginnings[i], strlen(beginnings[i])) == 0)
                return *variable;
    return NULL;
}

const char *launcher_besides_openmpi(void)
{
    return find(of_others, sizeof of_others / sizeof *of_others);
}

const char *launcher_variable(void)
{
    const char *found = find(of_openmpi, sizeof of_openmpi / sizeof *of_openmpi);
    return found ? found : launcher_besides_openmpi();
}
