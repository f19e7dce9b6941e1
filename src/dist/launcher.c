#include "dist/launcher.h"

#include <stddef.h>
#include <string.h>

extern char **environ;

/* How the variables begin; a '=' ends a whole name. */
static const char *const beginnings[] = {
    "OMPI_COMM_WORLD_",
    "OMPI_MCA_ess_base_jobid=",
    "PMIX_RANK=",
    "PMIX_NAMESPACE=",
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

const char *launcher_variable(void)
{
    for (char **variable = environ; variable && *variable; variable++)
        for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
            if (strncmp(*variable, beginnings[i], strlen(beginnings[i])) == 0)
                return *variable;
    return NULL;
}
