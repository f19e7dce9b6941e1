# What is installed beside the programs: libraries and headers, man pages, documentation, job scripts, and what finds them
# (modulefiles, drumline.pc). Everything finds its installation by its own place, so that a whole prefix can be moved.

set(DRUMLINE_JOBSDIR ${CMAKE_INSTALL_DATADIR}/drumline/jobs)

# --- libraries and headers ---

install(TARGETS drumline_base drumline_data drumline_model ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(module base data model)
    install(DIRECTORY src/${module} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/drumline
        FILES_MATCHING PATTERN "*.h" PATTERN "internal.h" EXCLUDE PATTERN "options_common.h" EXCLUDE)
endforeach()

# drumline_pkg_config_needs(MODULE... FILES FILE...): adds to DRUMLINE_PC_REQUIRES the first of the modules that pkg-config
# knows, else to DRUMLINE_PC_LIBRARIES the files.
function(drumline_pkg_config_needs)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILES")
    foreach(module ${arg_UNPARSED_ARGUMENTS})
        pkg_check_modules(pc_${module} QUIET ${module})
        if(pc_${module}_FOUND)
            set(DRUMLINE_PC_REQUIRES "${DRUMLINE_PC_REQUIRES} ${module}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
    list(JOIN arg_FILES " " files)
    set(DRUMLINE_PC_LIBRARIES "${DRUMLINE_PC_LIBRARIES} ${files}" PARENT_SCOPE)
endfunction()

# Debian's hdf5.pc may be that of parallel HDF5.
set(DRUMLINE_PC_REQUIRES "popt libxxhash smf nettle")
drumline_pkg_config_needs(openblas FILES ${OPENBLAS_LIBRARY})
drumline_pkg_config_needs(hdf5-serial FILES ${HDF5_C_LIBRARIES})
list(TRANSFORM HDF5_C_INCLUDE_DIRS PREPEND "-I" OUTPUT_VARIABLE DRUMLINE_PC_CFLAGS)
list(JOIN DRUMLINE_PC_CFLAGS " " DRUMLINE_PC_CFLAGS)
set(DRUMLINE_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH DRUMLINE_PC_PREFIX /${DRUMLINE_PC_DIR} /)
string(REGEX REPLACE "/$" "" DRUMLINE_PC_PREFIX "${DRUMLINE_PC_PREFIX}")
configure_file(packaging/drumline.pc.in drumline.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/drumline.pc DESTINATION ${DRUMLINE_PC_DIR})

# --- man pages ---

set(man_pages)
foreach(page drumline-generate.1 drumline-info.1 drumline.7)
    list(APPEND man_pages ${PROJECT_BINARY_DIR}/man/${page})
endforeach()
if(DRUMLINE_MPI)
    foreach(page drumline-preprocess.1 drumline-train.1 drumline-bench.1)
        list(APPEND man_pages ${PROJECT_BINARY_DIR}/man/${page})
    endforeach()
endif()
set(make_man_pages ${PROJECT_SOURCE_DIR}/tools/make_man_pages.sh)
set(reference ${PROJECT_SOURCE_DIR}/docs/reference.md)
add_custom_command(OUTPUT ${man_pages}
    COMMAND ${make_man_pages} ${reference} ${PROJECT_VERSION} ${PROJECT_BINARY_DIR}/man
    DEPENDS ${make_man_pages} ${reference} VERBATIM)
add_custom_target(man ALL DEPENDS ${man_pages})
foreach(page ${man_pages})
    string(REGEX MATCH "[0-9]$" man_section ${page})
    install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${man_section})
endforeach()

# --- documentation and job scripts ---

# Models that are shipped, where drumline-generate --config=NAME looks for them (src/run/model_files.h).
file(GLOB models CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/models/*.h5)
install(FILES ${models} DESTINATION ${CMAKE_INSTALL_DATADIR}/drumline/models)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs PATTERN node_modules EXCLUDE)
install(FILES README.md CHANGELOG.md CONTRIBUTING.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
file(GLOB job_scripts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/jobs/*.sh)
install(PROGRAMS ${job_scripts} DESTINATION ${DRUMLINE_JOBSDIR})

# --- modulefiles: Lmod takes the one that ends in .lua, Environment Modules the other ---

set(DRUMLINE_MODULE_MPI "none: this installation has no programs that need MPI")
if(DRUMLINE_MPI)
    set(DRUMLINE_MODULE_MPI ${MPI_C_COMPILER})
endif()
configure_file(packaging/modulefile.lua.in modulefile.lua @ONLY)
configure_file(packaging/modulefile.tcl.in modulefile.tcl @ONLY)
set(module_folder ${CMAKE_INSTALL_DATADIR}/modulefiles/drumline)
install(FILES ${PROJECT_BINARY_DIR}/modulefile.lua DESTINATION ${module_folder} RENAME ${PROJECT_VERSION}.lua)
install(FILES ${PROJECT_BINARY_DIR}/modulefile.tcl DESTINATION ${module_folder} RENAME ${PROJECT_VERSION})

# --- where programs find their libraries ---

include(DrumlineRpath)
get_property(programs GLOBAL PROPERTY DRUMLINE_PROGRAMS)
foreach(program ${programs})
    drumline_set_install_rpath(${program})
endforeach()
