# Toolchain file: compiles for 64-bit Arm on another Linux machine, against the packages that tools/aarch64_sysroot.sh has
# unpacked, and runs the tests with qemu-user (tests/checks/aarch64.sh does all of it):
#
#     tools/aarch64_sysroot.sh build/aarch64_sysroot
#     cmake -S . -B build/aarch64 -G Ninja -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64.cmake \
#         -DCMAKE_SYSROOT="$PWD/build/aarch64_sysroot" -DDRUMLINE_MPI=OFF
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CMAKE_SYSROOT)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L ${CMAKE_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(libraries ${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig)
# FindHDF5 would ask this machine's own compiler wrapper, h5cc.
set(HDF5_NO_FIND_PACKAGE_CONFIG_FILE ON)
set(HDF5_C_COMPILER_EXECUTABLE /bin/false CACHE FILEPATH "" FORCE)
set(HDF5_C_INCLUDE_DIR ${CMAKE_SYSROOT}/usr/include/hdf5/serial)
set(OPENBLAS_INCLUDE_DIR ${CMAKE_SYSROOT}/usr/include/aarch64-linux-gnu/openblas-pthread)
set(HDF5_C_LIBRARY_hdf5 ${libraries}/hdf5/serial/libhdf5.so)
