# Models in the formats of other programs.
drumline_test(exchange/magenta_names LINK drumline_exchange)
drumline_test(exchange/notes LINK drumline_exchange)

# What reads models of other programs, which needs libarchive.
if(DRUMLINE_MPI)
    drumline_test(exchange/import_mutations SOURCES exchange/fuzz_import.c LINK drumline_import)
    if(DRUMLINE_FUZZ)
        add_executable(fuzz_import exchange/fuzz_import.c)
        target_include_directories(fuzz_import PRIVATE ${PROJECT_SOURCE_DIR})
        target_link_libraries(fuzz_import PRIVATE drumline_import)
        target_link_options(fuzz_import PRIVATE -fsanitize=fuzzer)
    endif()
endif()

# Sanitizers leave too little address space for this test's limit of memory, and slow its many small programs down.
if(DRUMLINE_MPI AND NOT DRUMLINE_SANITIZE)
    add_test(NAME import COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/exchange/check_import.py
        ${PROJECT_BINARY_DIR}/bin $<TARGET_FILE:make_checkpoint> ${DRUMLINE_FIXTURES}/first_version/data)
    set_tests_properties(import PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77
        ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT};PYTHONDONTWRITEBYTECODE=1")
endif()

if(DRUMLINE_MPI AND NOT DRUMLINE_SANITIZE)
    add_test(NAME export COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/exchange/check_export.py
        ${PROJECT_BINARY_DIR}/bin $<TARGET_FILE:make_checkpoint>)
    set_tests_properties(export PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77
        ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT};PYTHONDONTWRITEBYTECODE=1")
endif()

# Exported models in Magenta.js itself: npm's client, installed once into the build folder, plays them in Node and, on the page of
# docs/examples/magenta_js, in Chromium. 77: Node, npm, its registry or Chromium is not there.
if(DRUMLINE_MPI AND DRUMLINE_TOOLS AND NOT DRUMLINE_SANITIZE)
    set(client ${CMAKE_CURRENT_BINARY_DIR}/magenta_js)
    add_executable(decode_windows exchange/decode_windows.c)
    target_link_libraries(decode_windows PRIVATE drumline_programs)
    add_test(NAME training_magenta_js_client COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/exchange/install_magenta_js.sh
        ${PROJECT_SOURCE_DIR}/docs/examples/magenta_js ${client})
    set_tests_properties(training_magenta_js_client PROPERTIES TIMEOUT 600 FIXTURES_SETUP magenta_js)
    add_test(NAME training_magenta_js COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/exchange/with_magenta_js.sh ${client}
        ${CMAKE_CURRENT_SOURCE_DIR}/exchange/magenta_js.cjs ${PROJECT_BINARY_DIR}/bin $<TARGET_FILE:make_checkpoint>
        $<TARGET_FILE:decode_windows> ${client})
    add_test(NAME training_magenta_js_page COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/exchange/with_magenta_js.sh ${client}
        ${CMAKE_CURRENT_SOURCE_DIR}/exchange/magenta_js_page.cjs ${PROJECT_SOURCE_DIR}/docs/examples/magenta_js ${client}
        ${PROJECT_BINARY_DIR}/bin $<TARGET_FILE:make_checkpoint>)
    set(played training_magenta_js training_magenta_js_page)
    set_tests_properties(training_magenta_js_client ${played} PROPERTIES LABELS training SKIP_RETURN_CODE 77)
    set_tests_properties(${played} PROPERTIES TIMEOUT 300 FIXTURES_REQUIRED magenta_js
        ENVIRONMENT "${DRUMLINE_MPI_ENVIRONMENT}")
endif()
