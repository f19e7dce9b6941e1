# A data set that ranks of a node share.
if(DRUMLINE_MPI)
    drumline_mpi_test(programs/shared_dataset LINK drumline_training PkgConfig::cmocka RANKS 3)
endif()
