# That a representation is a row, its converter and its heads: the ties between the tables, and a second representation that
# whole programs are linked with.
drumline_test(representation/representation LINK drumline_programs)
add_executable(test_second_representation representation/test_representation.c representation/tables.c)
target_include_directories(test_second_representation PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(test_second_representation PRIVATE drumline_flags drumline_programs PkgConfig::cmocka m)
add_test(NAME second_representation COMMAND test_second_representation)
set_tests_properties(second_representation PROPERTIES TIMEOUT 120 ENVIRONMENT "OPENBLAS_NUM_THREADS=1")

# The programs again, from the same libraries and main.c, with tables.c in the place of the three tables.
function(drumline_second_program name main)
    add_executable(second-${name} ${PROJECT_SOURCE_DIR}/src/programs/${main} ${ARGN} representation/tables.c)
    target_include_directories(second-${name} PRIVATE ${PROJECT_SOURCE_DIR})
    string(REPLACE "drumline-" "" library ${name})
    if(library STREQUAL train)
        set(library training)
    endif()
    target_link_libraries(second-${name} PRIVATE drumline_flags drumline_${library} drumline_model drumline_data)
    set_target_properties(second-${name} PROPERTIES OUTPUT_NAME ${name}
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/second)
endfunction()

if(DRUMLINE_MPI AND DRUMLINE_TOOLS)
    set(flush_denormals ${PROJECT_SOURCE_DIR}/src/programs/common/flush_denormals.c)
    drumline_second_program(drumline-preprocess preprocess/main.c)
    drumline_second_program(drumline-train train/main.c ${flush_denormals})
    drumline_second_program(drumline-generate generate/main.c ${flush_denormals})
    drumline_second_program(drumline-info info/main.c)
    drumline_training_test(representation)
    set_property(TEST training_representation APPEND PROPERTY ENVIRONMENT
        DRUMLINE_SECOND_BIN=${CMAKE_CURRENT_BINARY_DIR}/second DRUMLINE_HDF5_READER=$<TARGET_FILE:drumline-hdf5-reader>)
endif()
