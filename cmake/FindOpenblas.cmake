# OpenBLAS with its own header (openblas_set_num_threads): target Openblas::Openblas.
# Debian's libopenblas-dev puts cblas.h into a folder per architecture and pkg-config's openblas names it.
find_package(PkgConfig QUIET)
pkg_check_modules(openblas_pc QUIET openblas)
find_path(OPENBLAS_INCLUDE_DIR openblas_config.h HINTS ${openblas_pc_INCLUDE_DIRS} PATH_SUFFIXES openblas)
find_library(OPENBLAS_LIBRARY openblas HINTS ${openblas_pc_LIBRARY_DIRS})
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Openblas REQUIRED_VARS OPENBLAS_LIBRARY OPENBLAS_INCLUDE_DIR)
if(Openblas_FOUND AND NOT TARGET Openblas::Openblas)
    add_library(Openblas::Openblas UNKNOWN IMPORTED)
    set_target_properties(Openblas::Openblas PROPERTIES IMPORTED_LOCATION "${OPENBLAS_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${OPENBLAS_INCLUDE_DIR}")
endif()
