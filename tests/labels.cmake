# Which tests run when, for all tests at once:
#   fast      for everyday use: unit tests and quick checks, well under a minute in all (ctest --preset release -L fast)
#   mpi       what depends on the MPI library itself: tools/test.sh runs it with MPICH too (target mpi_tests)
#   threads   what has threads: the preset tsan builds (target tsan_tests) and runs it with ThreadSanitizer
#   release   what AddressSanitizer need not see (the preset asan skips it): long tests of waiting, killing and of rank counts,
#             whose code other tests run through too
# and in which order: the longest first, so that none of them is left to run alone at the end.
get_property(tests DIRECTORY PROPERTY TESTS)
get_property(targets DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)

# drumline_label(LABEL REGEX [EXCEPT REGEX])
function(drumline_label label regex)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "EXCEPT" "")
    set(labelled ${tests})
    list(FILTER labelled INCLUDE REGEX "^(${regex})$")
    if(arg_EXCEPT)
        list(FILTER labelled EXCLUDE REGEX "^(${arg_EXCEPT})$")
    endif()
    if(labelled)
        set_property(TEST ${labelled} APPEND PROPERTY LABELS ${label})
    endif()
    set(labelled ${labelled} PARENT_SCOPE)
endfunction()

# Unit tests have the name of a target test_NAME.
set(unit_tests ${targets})
list(FILTER unit_tests INCLUDE REGEX "^test_")
list(TRANSFORM unit_tests REPLACE "^test_" "")
string(REPLACE ";" "|" unit_tests "${unit_tests}")
drumline_label(fast "${unit_tests}|mpi_.*_alone|play|check_layers|check_reference|check_no_mpi_symbols|check_flush_denormals"
    EXCEPT "checkpoint_writer|bench|mpi_halt_alone")

set(threaded_tests background ticker log files atomic_file folder_lock_time hdf5_io checkpoint_writer metrics metrics_reader generate
    generate_modes generate_output apply generation audio drum_roll)
list(JOIN threaded_tests "|" regex)
drumline_label(threads "${regex}|play|training_data|training_threads")
if(DRUMLINE_SANITIZE STREQUAL thread)
    set_property(TEST ${labelled} APPEND PROPERTY ENVIRONMENT
        TSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/support/tsan_suppressions)
endif()
list(TRANSFORM threaded_tests PREPEND "test_")
set(existing)
foreach(target ${threaded_tests})
    if(TARGET ${target})
        list(APPEND existing ${target})
    endif()
endforeach()

if(DRUMLINE_MPI AND DRUMLINE_TOOLS)
    drumline_label(mpi "mpi_.*|preprocess|training_data|training_failures")
    set(mpi_targets ${targets})
    list(FILTER mpi_targets INCLUDE REGEX "^mpi_")
    add_custom_target(mpi_tests DEPENDS ${mpi_targets} performances drumline-preprocess drumline-train drumline-generate
        drumline-drummers)
    add_custom_target(tsan_tests DEPENDS ${existing} make_checkpoint drumline-preprocess drumline-train drumline-drummers
        drumline-generate drumline-info)
endif()

drumline_label(release "training_(stall|preempted|ranks|kill|large_batches|precision|best|pruning|start|halt|failures|refusals|fence|logs|watch|trace|tensors|silence|unreadable|groove|quality|representation)|bench_program|preprocess|mpi_(gradient_reducer|shared_dataset)_[34]")

if(DRUMLINE_SANITIZE STREQUAL address)
    set_property(TEST ${tests} APPEND PROPERTY ENVIRONMENT
        LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/support/lsan_suppressions:print_suppressions=0)
endif()

# Seconds that tests take on two cores, where it is many. The tests on Slurm follow one another and mostly wait, so they
# begin at once.
function(drumline_cost seconds)
    foreach(test ${ARGN})
        if(TEST ${test})
            set_tests_properties(${test} PROPERTIES COST ${seconds})
        endif()
    endforeach()
endfunction()
drumline_cost(1000 slurm_up)
drumline_cost(900 slurm_preempted slurm_warned slurm_crashed slurm_partitioned)
drumline_cost(800 slurm_bound slurm_whole slurm_failing slurm_resumed slurm_first_job)
drumline_cost(700 training_data)
drumline_cost(600 training_stall) # mostly waits
drumline_cost(300 training_magenta_js_client)
drumline_cost(60 bench_program check_shell packaging_archives)
drumline_cost(40 training_failures training_halt checkpoint_writer preprocess)
drumline_cost(650 check_aarch64)
drumline_cost(25 training_large_batches training_refusals mpi_gradient_reducer_2 check_quickstart check_build_without_mpi)
drumline_cost(15 training_ranks training_preempted training_runs training_kill training_logs training_watch
    training_precision mpi_gradient_reducer_3 mpi_gradient_reducer_4 packaging_modules packaging_install check_jobs)
