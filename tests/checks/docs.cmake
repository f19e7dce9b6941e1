# Checks that pages of docs/ are true (label "checks"). Status 77: can't be made here.
find_program(DRUMLINE_PYTHON NAMES python3 HINTS /usr/bin)
if(DRUMLINE_PYTHON AND DRUMLINE_MPI AND DRUMLINE_TOOLS AND NOT DRUMLINE_SANITIZE)
    add_test(NAME check_formats_example
        COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/checks/check_formats_example.py
            ${PROJECT_SOURCE_DIR}/docs/formats.md ${PROJECT_BINARY_DIR}/bin)
    set_tests_properties(check_formats_example PROPERTIES LABELS checks TIMEOUT 120 SKIP_RETURN_CODE 77
        ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT}")
endif()
