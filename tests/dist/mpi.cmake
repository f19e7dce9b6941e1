# What depends on the MPI library itself (label "mpi", target mpi_tests): the module dist at 1, 2 and 4 ranks, preprocessing
# and training on several, a rank that fails or is killed. tools/test.sh runs it with MPICH too.
if(DRUMLINE_MPI AND DRUMLINE_TOOLS)
    get_property(tests DIRECTORY PROPERTY TESTS)
    list(FILTER tests INCLUDE REGEX "^(mpi_.*|preprocess|training_data|training_ranks|training_failures)$")
    set_property(TEST ${tests} APPEND PROPERTY LABELS mpi)

    get_property(targets DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
    list(FILTER targets INCLUDE REGEX "^mpi_")
    add_custom_target(mpi_tests DEPENDS ${targets} performances drumline-preprocess drumline-train drumline-drummers)
endif()
