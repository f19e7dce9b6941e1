# The model's oracles and the tests that measure src/model against them.

# Twins in double precision and the reader of the fixtures; shared, so compiled once.
add_library(drumline_oracles STATIC naive_ops.c naive_stack.c naive_model.c naive_batch.c reference_fixture.c)
target_link_libraries(drumline_oracles PUBLIC drumline_flags ${HDF5_C_LIBRARIES} PkgConfig::cmocka m)
target_include_directories(drumline_oracles PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_include_directories(drumline_oracles SYSTEM PUBLIC ${HDF5_C_INCLUDE_DIRS})
target_compile_definitions(drumline_oracles PRIVATE DRUMLINE_FIXTURES="${DRUMLINE_FIXTURES}")

drumline_test(naive_model LINK drumline_oracles)
drumline_test(ops LINK drumline_oracles drumline_model)
drumline_test(kernels LINK drumline_oracles drumline_model)
drumline_test(panel_kernels LINK drumline_oracles drumline_model)
drumline_test(model SOURCES model_from_twin.c LINK drumline_oracles drumline_model)
drumline_test(bf16 SOURCES model_from_twin.c LINK drumline_oracles drumline_bf16)
drumline_test(generation SOURCES model_from_twin.c LINK drumline_oracles drumline_model)
drumline_test(optimizer LINK drumline_oracles drumline_model)
# With threads of OpenBLAS that start before main, as in the programs.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|aarch64|arm64")
    drumline_test(flush_denormals SOURCES ${PROJECT_SOURCE_DIR}/src/programs/flush_denormals.c
        LINK drumline_model Threads::Threads)
    set_tests_properties(flush_denormals PROPERTIES ENVIRONMENT "OPENBLAS_NUM_THREADS=4")
endif()
drumline_test(params LINK drumline_model)
drumline_test(checkpoint LINK drumline_model)
