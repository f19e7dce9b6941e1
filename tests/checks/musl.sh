#!/bin/bash
# musl.sh SOURCE_DIR BUILD_DIR: drumline-generate and drumline-info, and all that they are made of, compile without warnings with
# musl's headers and link with its C library: they use nothing that is glibc's alone. They are not run, for the libraries that
# they are linked with here are made for glibc. Status 77: musl-gcc is not installed.
set -euo pipefail
source=$1 build=$2
command -v musl-gcc >/dev/null || { printf 'skipped: musl-gcc is not installed\n'; exit 77; }

# The libraries' headers without glibc's, which lie in the same folder.
headers=$build/headers
rm -rf "$headers"
mkdir -p "$headers"
for name in popt.h jansson.h jansson_config.h xxhash.h xxh3.h smf.h zlib.h zconf.h nettle Random123; do
    [ -e "/usr/include/$name" ] || { printf 'skipped: /usr/include/%s is missing\n' "$name"; exit 77; }
    ln -s "/usr/include/$name" "$headers/$name"
done
openblas=$(pkg-config --variable=includedir openblas)
ln -s "$openblas"/*.h "$headers"

# HDF5's own libraries, which CMake names without their folder.
libraries=$(dirname "$(gcc -print-file-name=libz.so)")
CC=musl-gcc CFLAGS="-isystem $headers" cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DDRUMLINE_MPI=OFF \
    -DCMAKE_EXE_LINKER_FLAGS="-L$libraries" \
    -DDRUMLINE_TESTS=OFF -DDRUMLINE_TOOLS=OFF -DDRUMLINE_PICTURES=OFF -DDRUMLINE_AUDIO=OFF -DDRUMLINE_WERROR=ON \
    -DDRUMLINE_SECCOMP=OFF -DDRUMLINE_STATIC_HDF5=OFF -DOPENBLAS_INCLUDE_DIR="$headers" -DRANDOM123_INCLUDE_DIR="$headers"
cmake --build "$build" --target drumline-generate drumline-info
for program in bin/drumline-generate bin/drumline-info libexec/drumline-hdf5-reader; do
    readelf -l "$build/$program" | grep -q 'interpreter: .*ld-musl' ||
        { printf '%s is not linked with musl\n' "$program" >&2; exit 1; }
done
