foreach(module error text crc32c clock array host log threads arena half random metric settings options files foreign_file atomic_file hdf5_helper hdf5_io hdf5_attributes hdf5_column hdf5_seal hdf5_locks background process ticker folder_lock folder_lock_time)
    drumline_test(base/${module} LINK drumline_base)
endforeach()

add_executable(read_files base/read_files.c)
target_link_libraries(read_files PRIVATE drumline_data drumline_model)
add_dependencies(read_files drumline-hdf5-reader)

if(NOT DRUMLINE_SANITIZE)
    find_program(DRUMLINE_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH) # for which Debian installs h5py
    find_program(DRUMLINE_PYTHON NAMES python3 REQUIRED)
    set(first_version ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/first_version)
    add_test(NAME hostile_files COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/base/test_hostile_files.py
        ${PROJECT_BINARY_DIR}/bin ${first_version}/data ${first_version}/run/train/checkpoint-00000004.h5)
    add_test(NAME hdf5_layouts COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/base/test_layouts.py
        $<TARGET_FILE:read_files> ${first_version}/data ${first_version}/run/train/checkpoint-00000004.h5)
    set_tests_properties(hdf5_layouts PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
    # A few of the mutants, none of which sends HDF5 round until its time is up; more by hand, with a count and another seed.
    add_test(NAME hdf5_mutants COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/base/test_mutants.py
        $<TARGET_FILE:read_files> ${first_version}/data ${first_version}/run/train/checkpoint-00000004.h5 100 1000)
    set_tests_properties(hdf5_mutants PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77 ENVIRONMENT "OPENBLAS_NUM_THREADS=1")
    drumline_test(programs/hdf5_sandbox LINK drumline_hdf5_reader)
    if(DRUMLINE_HAS_SECCOMP)
        target_compile_definitions(test_hdf5_sandbox PRIVATE DRUMLINE_SECCOMP)
    endif()
    set_tests_properties(hostile_files PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
