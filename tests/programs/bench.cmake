# drumline-bench: what it computes with, and the program from the outside.
if(DRUMLINE_MPI)
    drumline_test(programs/bench LINK drumline_bench)
    drumline_test(programs/bench_flops LINK drumline_bench)
    target_link_options(test_bench_flops PRIVATE -Wl,--wrap=cblas_sgemm)
    foreach(name bench bench_flops)
        set_tests_properties(${name} PROPERTIES ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT}")
    endforeach()

    drumline_mpi_test(programs/bench_rounds LINK drumline_bench)

    find_program(DRUMLINE_PYTHON NAMES python3 HINTS /usr/bin)
    if(DRUMLINE_PYTHON)
        add_test(NAME bench_program COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/programs/check_bench.py
            ${PROJECT_BINARY_DIR}/bin $<TARGET_FILE:performances> ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG})
        set_tests_properties(bench_program PROPERTIES TIMEOUT 300 PROCESSORS 3
            ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT}")
    endif()

    add_test(NAME check_slow_network COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/checks/slow_network.sh
        ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/bin)
    set_tests_properties(check_slow_network PROPERTIES LABELS checks TIMEOUT 300 RUN_SERIAL ON SKIP_RETURN_CODE 77
        ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT}")
endif()
