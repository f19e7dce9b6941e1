foreach(module error text crc32c clock array host log threads arena half random metric settings options files foreign_file atomic_file hdf5_io hdf5_column hdf5_seal hdf5_locks background process ticker folder_lock)
    drumline_test(base/${module} LINK drumline_base)
endforeach()

if(NOT DRUMLINE_SANITIZE)
    find_program(DRUMLINE_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH) # for which Debian installs h5py
    find_program(DRUMLINE_PYTHON NAMES python3 REQUIRED)
    set(first_version ${CMAKE_CURRENT_SOURCE_DIR}/fixtures/first_version)
    add_test(NAME hostile_files COMMAND ${DRUMLINE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/base/test_hostile_files.py
        ${PROJECT_BINARY_DIR}/bin ${first_version}/data ${first_version}/run/train/checkpoint-00000004.h5)
    set_tests_properties(hostile_files PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
