/* Which environments show a launcher. */
#include "dist/launcher.h"
#include "tests/support/environment.h"
#include "tests/support/unit.h"

static const char *find_in(const char *const *variables)
{
    char **own = environment_replace(variables);
    const char *found = launcher_variable();
    environment_restore(own);
    return found;
}

static void assert_found(const char *variable)
{
    const char *found = find_in((const char *[]){"HOME=/root", variable, "PATH=/bin", NULL});
    if (!found || strcmp(found, variable) != 0)
        fail_msg("%s: found %s", variable, found ? found : "nothing");
}

static void assert_not_found(const char *variable)
{
    const char *found = find_in((const char *[]){variable, NULL});
    if (found)
        fail_msg("%s: found %s", variable, found);
}

/* What the first rank of a job sees, one line for each launcher. */
static void test_launchers(void **state)
{
    static const char *const variables[] = {
        "OMPI_COMM_WORLD_RANK=0",
        "OMPI_MCA_ess_base_jobid=1076953089",
        "PMIX_RANK=0",
        "PMIX_NAMESPACE=slurm.pmix.7.0",
        "PMI_RANK=0",
        "PMI_FD=8",
        "PMI_JOBID=7.0",
        "MPI_LOCALRANKID=0",
        "MPI_LOCALNRANKS=2",
        "MPI_RANKID=0",
        "MV2_COMM_WORLD_RANK=0",
        "MVP_COMM_WORLD_RANK=0",
        "MPISPAWN_ID=0",
        "SLURM_STEP_ID=0",
        "SLURM_STEPID=0",
        "SLURM_STEP_NUM_TASKS=2",
        "ALPS_APP_PE=0",
        "PALS_RANKID=0",
        "PALS_APID=9a1b",
        "FLUX_TASK_RANK=0",
        "JSM_NAMESPACE_RANK=0",
        "PLE_RANK_ON_NODE=0",
        "MP_CHILD=0",
        "PMIX_RANK=",
    };
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        assert_found(variables[i]);
}

/* What users, modules and batch scripts set, and names that only begin alike. */
static void test_others(void **state)
{
    static const char *const variables[] = {
        "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_MCA_btl=self,tcp",
        "PMIX_MCA_gds=hash",        "PMIX_RANKS=1",
        "I_MPI_ROOT=/opt/intel",    "MPICH_ASYNC_PROGRESS=1",
        "SLURM_JOB_ID=7",           "SLURM_PROCID=0",
        "SLURM_NTASKS=4",           "SLURM_STEP_IDS=1",
        "MPI_HOME=/usr/lib/mpi",    "OMP_NUM_THREADS=1",
        "PATH=PMI_RANK=0",          "",
    };
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        assert_not_found(variables[i]);
    assert_null(find_in(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_launchers),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
