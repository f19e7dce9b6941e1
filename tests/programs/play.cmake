# The programs that play and describe: drumline-generate and drumline-info.
add_executable(make_checkpoint model/make_checkpoint.c model/untrained_checkpoint.c)
target_include_directories(make_checkpoint PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(make_checkpoint PRIVATE drumline_model)

foreach(name generate generate_input generate_output generate_modes apply apply_tempo)
    drumline_test(programs/${name} SOURCES programs/generate_support.c model/untrained_checkpoint.c LINK drumline_generate)
endforeach()
drumline_test(programs/info_state LINK drumline_info)
drumline_test(programs/info_curves LINK drumline_info)
drumline_test(programs/info SOURCES model/untrained_checkpoint.c LINK drumline_info)

add_test(NAME play COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/checks/play.sh ${PROJECT_BINARY_DIR}/bin
    $<TARGET_FILE:make_checkpoint>)
set_tests_properties(play PROPERTIES TIMEOUT 120)

# One build's word is enough for what the programs say of themselves.
if(DRUMLINE_MPI AND NOT DRUMLINE_SANITIZE)
    add_test(NAME check_reference COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/checks/reference.sh ${PROJECT_SOURCE_DIR}
        ${PROJECT_BINARY_DIR}/bin)
    set_tests_properties(check_reference PROPERTIES LABELS checks TIMEOUT 60)
endif()

find_program(DRUMLINE_PYTHON NAMES python3 HINTS /usr/bin)
if(DRUMLINE_PYTHON)
    add_test(NAME report COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/programs/check_report.py
        ${PROJECT_BINARY_DIR}/bin ${DRUMLINE_FIXTURES}/first_version/run ${DRUMLINE_FIXTURES}/first_version/data)
    set_tests_properties(report PROPERTIES TIMEOUT 120)
    add_test(NAME playback COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/programs/check_playback.py
        ${PROJECT_BINARY_DIR}/bin)
    set_tests_properties(playback PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()
