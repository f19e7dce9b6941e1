# cpack -G DEB: drumline_VERSION_ARCH.deb for this Debian or Ubuntu; cpack -G TGZ: a folder that runs wherever it is unpacked
# and the libraries are installed.

set(CPACK_PACKAGE_NAME drumline)
set(CPACK_PACKAGE_VENDOR Drumline)
# Who builds the package is its maintainer: cpack -D CPACK_PACKAGE_CONTACT="Name <address>"
set(CPACK_PACKAGE_CONTACT "Drumline <drumline@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "trains and plays MusicVAE/GrooVAE drum models")
set(CPACK_PACKAGE_DESCRIPTION "Turns folders of MIDI performances into HDF5 data sets, trains variational
autoencoders of drumming on them with any number of MPI ranks, and plays new
grooves by sampling and by interpolating between two performances. With job
scripts for Slurm, man pages, modulefiles, and static libraries with their
headers.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGE_FILE_NAME drumline-${PROJECT_VERSION}-${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_SOURCE_GENERATOR "")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
    WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # the libraries' packages, as dpkg-shlibdeps finds them in the programs
set(CPACK_DEBIAN_PACKAGE_SUGGESTS slurm-client)
if(DRUMLINE_MPI_IS_MPICH)
    set(CPACK_DEBIAN_PACKAGE_RECOMMENDS mpich)
elseif(DRUMLINE_MPI)
    set(CPACK_DEBIAN_PACKAGE_RECOMMENDS openmpi-bin)
endif()
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/debian/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/packaging/debian/stage.cmake)

include(CPack)
