# Models in the formats of other programs.
drumline_test(exchange/magenta_names LINK drumline_exchange)
drumline_test(exchange/notes LINK drumline_exchange)

# Sanitizers leave too little address space for this test's limit of memory, and slow its many small programs down.
if(DRUMLINE_MPI AND NOT DRUMLINE_SANITIZE)
    add_test(NAME import COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/exchange/check_import.py
        ${PROJECT_BINARY_DIR}/bin $<TARGET_FILE:make_checkpoint> ${DRUMLINE_FIXTURES}/first_version/data)
    set_tests_properties(import PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77
        ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT};PYTHONDONTWRITEBYTECODE=1")
endif()
