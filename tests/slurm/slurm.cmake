# Tests of jobs/ and tools/slurm_sandbox.sh on a real Slurm (label "slurm"), all in one sandbox. Status 77: Slurm can't be
# started here, and the test says why.
if(DRUMLINE_MPI AND DRUMLINE_TOOLS AND NOT DRUMLINE_SANITIZE)
    # drumline_slurm_test(NAME SECONDS PART...): tests/slurm/NAME.sh, which ends within so many seconds or has failed, with
    # parts of the sandbox, left and right, to itself.
    function(drumline_slurm_test name seconds)
        add_test(NAME slurm_${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/slurm/${name}.sh ${PROJECT_SOURCE_DIR}
            ${PROJECT_BINARY_DIR})
        set_tests_properties(slurm_${name} PROPERTIES LABELS slurm TIMEOUT ${seconds} SKIP_RETURN_CODE 77
            RESOURCE_LOCK "${ARGN}")
    endfunction()

    drumline_slurm_test(up 120 slurm_left slurm_right)
    set_tests_properties(slurm_up PROPERTIES FIXTURES_SETUP slurm)
    drumline_slurm_test(down 60 slurm_left slurm_right)
    set_tests_properties(slurm_down PROPERTIES FIXTURES_CLEANUP slurm)
    foreach(test first_job bound warned failing whole)
        drumline_slurm_test(${test} 300 slurm_left)
    endforeach()
    drumline_slurm_test(preempted 600 slurm_right)
    foreach(test crashed partitioned resumed)
        drumline_slurm_test(${test} 400 slurm_left slurm_right)
    endforeach()
    foreach(test first_job bound warned failing whole preempted crashed partitioned resumed)
        set_tests_properties(slurm_${test} PROPERTIES FIXTURES_REQUIRED slurm)
    endforeach()
endif()
