foreach(module events drum_map drum_notes round_trip midi_check midi_file midi_mutations grid splits order dataset
        dataset_parts windows shard_stream dataset_folder intake batch quality)
    drumline_test(data/${module} LINK drumline_data)
endforeach()

if(DRUMLINE_MPI)
    add_executable(performances data/performances.c)
    target_include_directories(performances PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(performances PRIVATE drumline_data)
    add_test(NAME preprocess COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/checks/preprocess.sh
        $<TARGET_FILE:drumline-preprocess> $<TARGET_FILE:performances> ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG})
    set_tests_properties(preprocess PROPERTIES TIMEOUT 300 PROCESSORS 2 ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT}")

    # Odd files, through the programs, against an independent reader.
    add_test(NAME odd_midi COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/data/check_odd_midi.py ${PROJECT_BINARY_DIR}/bin
        $<TARGET_FILE:make_checkpoint>)
    set_tests_properties(odd_midi PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77 ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT}")

    # The same for the files of a folder midi-cases, where it is at hand.
    add_test(NAME midi_cases COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/data/check_midi_cases.py ${PROJECT_BINARY_DIR}/bin
        $<TARGET_FILE:make_checkpoint> ${PROJECT_SOURCE_DIR})
    set_tests_properties(midi_cases PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77 ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT}")

    # Against the groove data set, where it is at hand, and an independent reader of MIDI.
    add_test(NAME groove COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/data/check_groove.py
        $<TARGET_FILE:drumline-preprocess> $<TARGET_FILE:performances> ${PROJECT_SOURCE_DIR})
    set_tests_properties(groove PROPERTIES TIMEOUT 300 PROCESSORS 2 SKIP_RETURN_CODE 77
        ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT}")
endif()
