# What ranks do together: a data set that those of a node share, the slow one named.
if(DRUMLINE_MPI)
    drumline_mpi_test(programs/shared_dataset LINK drumline_training PkgConfig::cmocka RANKS 3)
    drumline_mpi_test(programs/slow_rank LINK drumline_training PkgConfig::cmocka)
endif()
