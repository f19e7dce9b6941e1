# The programs and scripts of tools/, and checks of the tree and the build as a whole (tests/checks, label "checks").

# drumline_check(NAME ARGUMENTS...): tests/checks/NAME.sh with these arguments. Status 77: can't be made here.
function(drumline_check name)
    add_test(NAME check_${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/checks/${name}.sh ${ARGN})
    set_tests_properties(check_${name} PROPERTIES LABELS checks TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

if(DRUMLINE_TOOLS)
    drumline_test(programs/drummers LINK drumline_drummer)
    drumline_check(drummers $<TARGET_FILE:drumline-drummers>)
endif()

# What follows does not depend on how the programs were compiled: one build's word is enough.
if(NOT DRUMLINE_SANITIZE)
    drumline_check(fetch_groove ${PROJECT_SOURCE_DIR})
    drumline_check(format ${PROJECT_SOURCE_DIR})
    drumline_check(shell ${PROJECT_SOURCE_DIR})
    drumline_check(models ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/bin)
    drumline_check(jobs ${PROJECT_SOURCE_DIR})
    add_test(NAME check_layers COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/checks/layers.py ${PROJECT_SOURCE_DIR}
        ${CMAKE_CURRENT_SOURCE_DIR}/checks/layers_known.txt)
    set_tests_properties(check_layers PROPERTIES LABELS checks TIMEOUT 60)
    drumline_check(no_mpi_symbols ${PROJECT_BINARY_DIR}/bin/drumline-generate
        ${PROJECT_BINARY_DIR}/bin/drumline-info $<TARGET_FILE:drumline-hdf5-reader>)
    drumline_check(musl ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/musl)
    drumline_check(no_proc ${PROJECT_BINARY_DIR}/bin ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/first_version/run)
    drumline_check(hardening "${CMAKE_BUILD_TYPE}" ${PROJECT_BINARY_DIR}/bin $<TARGET_FILE_DIR:drumline-hdf5-reader>
        ${CMAKE_CURRENT_BINARY_DIR}
        $<$<BOOL:${DRUMLINE_TOOLS}>:${PROJECT_BINARY_DIR}/tools>)
    set(computing_programs ${PROJECT_BINARY_DIR}/bin/drumline-generate)
    if(DRUMLINE_MPI)
        list(APPEND computing_programs ${PROJECT_BINARY_DIR}/bin/drumline-train ${PROJECT_BINARY_DIR}/bin/drumline-bench)
    endif()
    drumline_check(flush_denormals ${computing_programs})
    drumline_check(build_without_mpi ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/without_mpi)
    drumline_check(aarch64 ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/aarch64 ${PROJECT_BINARY_DIR}/bin/drumline-info)
    set_tests_properties(check_build_without_mpi PROPERTIES PROCESSORS 2)
    if(DRUMLINE_MPI AND DRUMLINE_TOOLS)
        drumline_check(quickstart ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
        set_tests_properties(check_quickstart PROPERTIES PROCESSORS 2)
        # What the next preloads; FORTIFY would have functions of libc in place of those that are defined here.
        foreach(library preload_clock preload_faults)
            add_library(${library} MODULE torture/${library}.c)
            target_link_libraries(${library} PRIVATE drumline_flags ${CMAKE_DL_LIBS})
            target_compile_options(${library} PRIVATE -U_FORTIFY_SOURCE)
        endforeach()
        # A short run; tools/torture.py --help says how to make a long one.
        add_test(NAME torture COMMAND ${DRUMLINE_PYTHON} ${PROJECT_SOURCE_DIR}/tools/torture.py --seconds=25
            --bin=${PROJECT_BINARY_DIR}/bin)
        set_tests_properties(torture PROPERTIES LABELS torture TIMEOUT 300 PROCESSORS 2 SKIP_RETURN_CODE 77)
    endif()
endif()
