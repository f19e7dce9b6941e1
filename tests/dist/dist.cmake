if(DRUMLINE_MPI)
    drumline_mpi_test(dist/comm LINK drumline_dist)
    drumline_mpi_test(dist/gradient_reducer LINK drumline_dist RANKS 3)
    drumline_mpi_test(dist/allreduce_algorithm LINK drumline_dist RANKS 3)
    drumline_mpi_test(dist/work_share LINK drumline_dist)
    drumline_mpi_test(dist/halt LINK drumline_dist)
    drumline_mpi_test(dist/stats LINK drumline_dist)
    drumline_mpi_test(dist/node LINK drumline_dist RANKS 3)
    foreach(name mpi_node_1 mpi_node_2 mpi_node_3 mpi_node_4 mpi_node_alone) # which asks for more memory than there is
        set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1")
    endforeach()

    # A node without a folder to share memory in.
    if(DRUMLINE_MPI_IS_OPENMPI)
        add_test(NAME mpi_node_private COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} 3 $<TARGET_FILE:mpi_node> private)
        set_tests_properties(mpi_node_private PROPERTIES TIMEOUT 120 PROCESSORS 2
            ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT};OMPI_MCA_osc_sm_backing_directory=/nowhere"
            PASS_REGULAR_EXPRESSION "/nowhere, where memory is shared: No such file or directory: each of the 3 ranks")
    endif()

    drumline_test(dist/launcher LINK drumline_dist)
    drumline_test(dist/leftovers LINK drumline_dist)

    add_test(NAME mpi_allreduce_algorithm_told COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} 2 $<TARGET_FILE:mpi_allreduce_algorithm>)
    set_tests_properties(mpi_allreduce_algorithm_told PROPERTIES TIMEOUT 120 PROCESSORS 2
        ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT};OMPI_MCA_coll_libnbc_iallreduce_algorithm=binomial")

    # Which looks at how the variable's own module sums: others may take sums over, where an Open MPI has them.
    set_property(TEST mpi_allreduce_algorithm_3 APPEND PROPERTY ENVIRONMENT "OMPI_MCA_coll=^hcoll,ucc")

    # One rank ends the job while the others wait for it: within seconds, with its message and its status.
    add_test(NAME mpi_comm_abort COMMAND sh -c "\"$1\" \"$2\" 2 \"$3\" abort; test $? -eq 3 && echo status 3" sh
        ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} $<TARGET_FILE:mpi_comm>)
    set_tests_properties(mpi_comm_abort PROPERTIES TIMEOUT 10 PROCESSORS 2 ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT}"
        PASS_REGULAR_EXPRESSION "rank 1 .[^\n]*.: error: this rank has had enough.*status 3")
    add_test(NAME mpi_comm_abort_alone COMMAND sh -c "\"$1\" abort; test $? -eq 3 && echo status 3" sh $<TARGET_FILE:mpi_comm>)
    set_tests_properties(mpi_comm_abort_alone PROPERTIES TIMEOUT 10
        PASS_REGULAR_EXPRESSION "error: this rank has had enough.*status 3")
endif()
