/* How Open MPI starts where all ranks of a job are on one host.
 *
 * Left to itself, MPI_Init loads and asks every network library that Open MPI was built with (UCX, libfabric, PSM): 0.2 s
 * and more. Ranks of one host reach one another through shared memory, by Open MPI's own `ob1`, so there the others are
 * left out:
 *
 * | parameter | value | why |
 * |---|---|---|
 * | pml | ob1 | `cm` would load libfabric and PSM, `ucx` UCX |
 * | btl | ^uct,openib,ofi,usnic | of what ob1 sends through, those that load a network's library; shared memory and TCP stay |
 *
 * Names that an Open MPI does not have (4 calls shared memory vader, 5 sm) do not matter in a list of what is not wanted.
 * Other MPIs do not look at these parameters.
 *
 * Whoever has said what to use is not overruled. The parameters are set where all of this holds, which all ranks find
 * alike:
 *
 * - Open MPI's own launcher started the process, and says that all ranks are on its host (OMPI_COMM_WORLD_SIZE and
 *   OMPI_COMM_WORLD_LOCAL_SIZE; srun and others that speak PMIx do not set them), and no other launcher's variables are
 *   there, which would make those of Open MPI's left over from a job around this one.
 * - The environment, where `mpirun --mca` puts its parameters too, has none of pml, btl and mtl, and names no parameter
 *   files (`mca_base_param_files`, `mca_base_override_param_file`, `--tune`) nor another place of the installation
 *   (OPAL_PREFIX, OPAL_SYSCONFDIR). So OMPI_MCA_pml=^none, say, or =ucx, is the way out.
 * - The parameter files that Open MPI reads, ~/.openmpi/mca-params.conf and the system's openmpi-mca-params.conf, say
 *   nothing of the three, or leave out ("^") others than ob1 and shared memory, as distributions do. Where a file leaves
 *   out btls, its list stands. Lines that begin with "-", which a file may have as a command line has (`-mca pml ucx`),
 *   are taken for a choice, whatever they say. Without HOME the user's file can't be found, and nothing is set.
 * - The system has no openmpi-mca-params-override.conf, which to Open MPI goes before the environment. */
#ifndef DRUMLINE_DIST_OPENMPI_DEFAULTS_H
#define DRUMLINE_DIST_OPENMPI_DEFAULTS_H

/* The values of the parameters; NULL where one is not set. */
struct openmpi_defaults {
    const char *pml, *btl;
};

/* What is to be set, from the environment and the files. `system_folder` is where openmpi-mca-params.conf lies; NULL:
 * unknown, and nothing is set. */
struct openmpi_defaults openmpi_defaults_choose(const char *system_folder);

/* Sets it in this process's environment, where MPI_Init reads it, and returns what was set. */
struct openmpi_defaults openmpi_defaults_set(void);

#endif
