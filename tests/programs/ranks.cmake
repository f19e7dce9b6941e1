# What ranks do together: a data set that those of a node share, the slow one named.
if(DRUMLINE_MPI)
    drumline_mpi_test(programs/shared_dataset LINK drumline_training PkgConfig::cmocka RANKS 3)
    drumline_mpi_test(programs/slow_rank LINK drumline_training PkgConfig::cmocka)

    add_executable(mpi_late_rank programs/mpi_late_rank.c)
    target_link_libraries(mpi_late_rank PRIVATE drumline_training)
    add_test(NAME mpi_late_rank COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} 2 $<TARGET_FILE:mpi_late_rank>)
    set_tests_properties(mpi_late_rank PROPERTIES TIMEOUT 120 ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT}"
        PASS_REGULAR_EXPRESSION "error: no progress for 1 s \\(--stall_seconds\\), so the job ends: rank 0 .* waits for other ranks")
endif()
