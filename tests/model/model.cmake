# The model's oracles and the tests that measure src/model against them.

# Twins in double precision and the reader of the fixtures; shared, so compiled once.
add_library(drumline_oracles STATIC model/naive_ops.c model/naive_stack.c model/naive_model.c model/naive_batch.c model/reference_fixture.c)
target_link_libraries(drumline_oracles PUBLIC drumline_flags ${HDF5_C_LIBRARIES} PkgConfig::cmocka m)
target_include_directories(drumline_oracles PUBLIC ${PROJECT_SOURCE_DIR})
target_include_directories(drumline_oracles SYSTEM PUBLIC ${HDF5_C_INCLUDE_DIRS})
target_compile_definitions(drumline_oracles PRIVATE DRUMLINE_FIXTURES="${DRUMLINE_FIXTURES}")

drumline_test(model/naive_model LINK drumline_oracles)
drumline_test(model/ops LINK drumline_oracles drumline_model)
drumline_test(model/kernels LINK drumline_oracles drumline_model)
drumline_test(model/packed_gemm LINK drumline_oracles drumline_model)
drumline_test(model/model SOURCES model/model_from_twin.c LINK drumline_oracles drumline_model)
drumline_test(model/bf16 SOURCES model/model_from_twin.c LINK drumline_oracles drumline_bf16)
drumline_test(model/generation SOURCES model/model_from_twin.c LINK drumline_oracles drumline_model)
drumline_test(model/latent_vectors LINK drumline_model)
drumline_test(model/dropout LINK drumline_model)
drumline_test(model/optimizer LINK drumline_oracles drumline_model)
# With threads of OpenBLAS that start before main, as in the programs.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|aarch64|arm64")
    drumline_test(model/flush_denormals SOURCES ${PROJECT_SOURCE_DIR}/src/programs/common/flush_denormals.c
        LINK drumline_model Threads::Threads)
    set_tests_properties(flush_denormals PROPERTIES ENVIRONMENT "OPENBLAS_NUM_THREADS=4")
endif()
drumline_test(model/parameters LINK drumline_model)
drumline_test(model/checkpoint LINK drumline_model)
drumline_test(model/latents LINK drumline_model)
drumline_test(model/velocities LINK drumline_model)
