# Finds oneDNN, version 2.6 or a later 2, whose threads OpenMP counts: Onednn::Onednn. oneDNN's own package file is not used:
# it asks for OpenCL's development files, which a product on the processor has no need of.
find_path(ONEDNN_INCLUDE_DIR oneapi/dnnl/dnnl.h)
find_library(ONEDNN_LIBRARY dnnl)
find_package(OpenMP QUIET COMPONENTS C)

set(Onednn_VERSION "")
set(onednn_trouble "")
if(ONEDNN_INCLUDE_DIR)
    file(STRINGS ${ONEDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h lines REGEX "define DNNL_VERSION_(MAJOR|MINOR|PATCH) ")
    string(REGEX REPLACE "[^;0-9]" "" numbers "${lines}")
    string(REPLACE ";" "." Onednn_VERSION "${numbers}")
    file(STRINGS ${ONEDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_config.h runtime REGEX "define DNNL_CPU_THREADING_RUNTIME ")
    if(NOT Onednn_VERSION VERSION_LESS 3)
        set(onednn_trouble "oneDNN ${Onednn_VERSION} has another interface than the 2 that Drumline is written for")
    elseif(NOT runtime MATCHES "_(OMP|SEQ)$")
        set(onednn_trouble "the threads of this oneDNN are not OpenMP's, so that none could be kept to one a rank")
    endif()
endif()

include(FindPackageHandleStandardArgs)
set(onednn_usable TRUE)
if(onednn_trouble)
    set(onednn_usable FALSE)
endif()
find_package_handle_standard_args(Onednn
    REQUIRED_VARS ONEDNN_LIBRARY ONEDNN_INCLUDE_DIR OpenMP_C_FOUND onednn_usable
    VERSION_VAR Onednn_VERSION
    REASON_FAILURE_MESSAGE "${onednn_trouble}")

if(Onednn_FOUND AND NOT TARGET Onednn::Onednn)
    add_library(Onednn::Onednn UNKNOWN IMPORTED)
    set_target_properties(Onednn::Onednn PROPERTIES
        IMPORTED_LOCATION "${ONEDNN_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${ONEDNN_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES OpenMP::OpenMP_C)
endif()
mark_as_advanced(ONEDNN_INCLUDE_DIR ONEDNN_LIBRARY)
