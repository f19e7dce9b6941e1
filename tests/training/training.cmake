# drumline-train as its users see it, on data sets that are made once, and the modules it is made of.
if(DRUMLINE_MPI)
    foreach(module train_options train_step train_progress best pruning deadline)
        drumline_test(programs/${module} LINK drumline_training)
    endforeach()
endif()

# drumline_training_test(NAME): tests/training/test_NAME.py. Status 77: can't be made here.
set(DRUMLINE_TRAINING_DATA ${CMAKE_CURRENT_BINARY_DIR}/training_data)
find_program(DRUMLINE_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH) # for which Debian installs h5py
find_program(DRUMLINE_PYTHON NAMES python3 REQUIRED)

function(drumline_training_test name)
    add_test(NAME training_${name} COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/training/test_${name}.py)
    set(environment ${DRUMLINE_MPI_ENVIRONMENT} DRUMLINE_BIN=${PROJECT_BINARY_DIR}/bin DRUMLINE_TRAINING_DATA=${DRUMLINE_TRAINING_DATA}
        MPIEXEC=${MPIEXEC_EXECUTABLE} PYTHONDONTWRITEBYTECODE=1)
    set_tests_properties(training_${name} PROPERTIES TIMEOUT 600 LABELS training SKIP_RETURN_CODE 77
        FIXTURES_REQUIRED training_data ENVIRONMENT "${environment}")
endfunction()

if(DRUMLINE_MPI AND DRUMLINE_TOOLS)
    add_test(NAME training_data COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/training/make_data.sh ${PROJECT_BINARY_DIR}/bin
        ${DRUMLINE_TRAINING_DATA})
    set_tests_properties(training_data PROPERTIES TIMEOUT 120 LABELS training FIXTURES_SETUP training_data
        ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT}")
    foreach(subject best pruning ranks kill preempted halt fence
        refusals failures runs logs watch large_batches precision groove unreadable stall
        tensors tensorboard trace quality)
        drumline_training_test(${subject})
    endforeach()
    add_library(preload_slow_thread MODULE training/preload_slow_thread.c)
    target_link_libraries(preload_slow_thread PRIVATE drumline_flags ${CMAKE_DL_LIBS})
    set_property(TEST training_refusals APPEND PROPERTY ENVIRONMENT DRUMLINE_SLOW_THREAD=$<TARGET_FILE:preload_slow_thread>)
    drumline_training_test(start)
    drumline_training_test(models)
    drumline_training_test(first_version)
    drumline_training_test(silence)
    drumline_training_test(threads)
    # Weights are compared bit for bit with a release build's only where this is one, of the same compiler.
    set(exact 0)
    if(CMAKE_BUILD_TYPE STREQUAL Release AND CMAKE_C_COMPILER_ID STREQUAL GNU AND NOT DRUMLINE_SANITIZE)
        set(exact 1)
    endif()
    set_property(TEST training_first_version APPEND PROPERTY ENVIRONMENT
        DRUMLINE_FIXTURES=${DRUMLINE_FIXTURES} DRUMLINE_EXACT=${exact})
endif()
