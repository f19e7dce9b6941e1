# Tests of jobs/ and tools/slurm_sandbox.sh on a real Slurm (label "slurm"), all in one sandbox, one after another. Status 77:
# Slurm can't be started here, and the test says why.
if(DRUMLINE_MPI AND DRUMLINE_TOOLS AND NOT DRUMLINE_SANITIZE)
    # drumline_slurm_test(NAME SECONDS): tests/slurm/NAME.sh, which ends within so many seconds or has failed.
    function(drumline_slurm_test name seconds)
        add_test(NAME slurm_${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/slurm/${name}.sh ${PROJECT_SOURCE_DIR}
            ${PROJECT_BINARY_DIR})
        set_tests_properties(slurm_${name} PROPERTIES LABELS slurm TIMEOUT ${seconds} SKIP_RETURN_CODE 77 PROCESSORS 2
            RESOURCE_LOCK slurm)
    endfunction()

    drumline_slurm_test(up 120)
    set_tests_properties(slurm_up PROPERTIES FIXTURES_SETUP slurm)
    drumline_slurm_test(down 60)
    set_tests_properties(slurm_down PROPERTIES FIXTURES_CLEANUP slurm)
    foreach(test first_job warned preempted crashed failing whole)
        drumline_slurm_test(${test} 240)
        set_tests_properties(slurm_${test} PROPERTIES FIXTURES_REQUIRED slurm)
    endforeach()
endif()
