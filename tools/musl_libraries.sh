#!/bin/bash
# tools/musl_libraries.sh PREFIX: builds what drumline-generate, drumline-info and their tests are linked with as static libraries
# for musl, from Debian's own sources, and installs them in PREFIX. tests/checks/musl.sh runs the tests against them. Takes about
# ten minutes on two cores; what is built already is not built again. Needs musl-tools, meson, and a network.
set -euo pipefail
if [ $# -ne 1 ]; then
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
fi
mkdir -p "$1/sources" "$1/built"
prefix=$(cd "$1" && pwd)

# musl-gcc sees none of the system's headers; some libraries need Linux's own.
mkdir -p "$prefix/kernel"
ln -sfn /usr/include/linux "$prefix/kernel/linux"
ln -sfn /usr/include/asm-generic "$prefix/kernel/asm-generic"
ln -sfn "/usr/include/$(gcc -print-multiarch)/asm" "$prefix/kernel/asm"
export CC=musl-gcc CFLAGS="-O2 -fPIC -idirafter $prefix/kernel" PKG_CONFIG_LIBDIR=$prefix/lib/pkgconfig
unset PKG_CONFIG_PATH CPPFLAGS LDFLAGS
jobs=$(nproc)

for program in musl-gcc meson ninja curl; do
    command -v "$program" >/dev/null || { printf 'musl_libraries.sh: %s is not installed\n' "$program" >&2; exit 1; }
done

# apt names the sources and their hashes, which Debian signs; the system's own lists of packages stay as they are.
lists=$prefix/apt
mkdir -p "$lists/lists/partial"
cat >"$lists/sources.sources" <<'END'
Types: deb-src
URIs: http://deb.debian.org/debian
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
apt_options=(-qq -o "Dir::Etc::sourcelist=$lists/sources.sources" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$lists/lists" -o APT::Sandbox::User=root)

# fetch SOURCE: the upstream archive of Debian's source package SOURCE, unpacked in the current folder.
fetch() {
    local uri file hash
    read -r uri file _ hash < <(apt-get "${apt_options[@]}" source --print-uris "$1" | grep -E '\.orig\.tar\.[a-z0-9]+ ')
    uri=${uri#\'} uri=${uri%\'}
    curl --fail --silent --show-error --location --retry 3 --output "$file" "$uri"
    printf '%s  %s\n' "${hash#SHA256:}" "$file" | sha256sum --check
    tar -xf "$file"
}

# library SOURCE COMMAND...: fetches Debian's source package SOURCE and runs COMMAND in its folder, once.
library() {
    local source=$1
    shift
    [ ! -e "$prefix/built/$source" ] || return 0
    printf '%s\n' "$source"
    [ -n "$(find "$lists/lists" -name '*Sources*' -print -quit)" ] || apt-get "${apt_options[@]}" update
    rm -rf "$prefix/sources/$source"
    mkdir "$prefix/sources/$source"
    set +e # as a condition, the subshell would go on after a command that fails
    (set -e; cd "$prefix/sources/$source"; fetch "$source"; cd -- */; "$@") >"$prefix/sources/$source.log" 2>&1
    local status=$?
    set -e
    if [ "$status" -ne 0 ]; then
        tail -n 30 "$prefix/sources/$source.log" >&2
        printf 'musl_libraries.sh: %s does not build; all of its output is in %s\n' "$source" "$prefix/sources/$source.log" >&2
        exit 1
    fi
    touch "$prefix/built/$source"
}

configured() {
    ./configure --prefix="$prefix" --libdir="$prefix/lib" --disable-shared --enable-static "$@"
    make -j "$jobs"
    make install
}

zlib() {
    ./configure --prefix="$prefix" --static
    make -j "$jobs" libz.a
    make install
}

# Without the command-line programs, which take as long as the library.
hdf5() {
    ./configure --prefix="$prefix" --disable-shared --disable-hl --disable-tests --disable-tools --with-zlib="$prefix" \
        --with-default-api-version=v110
    make -j "$jobs" -C src
    make -C src install
}

# The library alone: GObject and GIO are not used.
glib() {
    meson setup build --prefix="$prefix" --libdir=lib --default-library=static --buildtype=release -Dselinux=disabled \
        -Dlibmount=disabled -Dxattr=false -Dnls=disabled -Dtests=false -Dinstalled_tests=false -Dman=false -Dgtk_doc=false
    ninja -C build glib/libglib-2.0.a
    install -D -m 644 -t "$prefix/lib" build/glib/libglib-2.0.a
    install -D -m 644 -t "$prefix/lib/glib-2.0/include" build/glib/glibconfig.h
    mkdir -p "$prefix/include/glib-2.0"
    (cd glib && find . -name '*.h' -exec cp --parents -t "$prefix/include/glib-2.0" {} +)
    mkdir -p "$prefix/include/glib-2.0/glib"
    (cd glib && cp -r ./*.h deprecated "$prefix/include/glib-2.0/glib/")
    cp build/glib/*.h "$prefix/include/glib-2.0/glib/" 2>/dev/null || true
    cp build/meson-private/glib-2.0.pc "$prefix/lib/pkgconfig/"
}

libsmf() {
    configured --without-readline
}

nettle() {
    configured --disable-public-key --disable-openssl --disable-documentation
}

xxhash() {
    make -j "$jobs" libxxhash.a libxxhash.pc PREFIX="$prefix"
    install -m 644 -t "$prefix/lib" libxxhash.a
    install -m 644 -t "$prefix/lib/pkgconfig" libxxhash.pc
    install -m 644 -t "$prefix/include" xxhash.h xxh3.h
}

openblas() {
    local options=(CC=musl-gcc HOSTCC=gcc NOFORTRAN=1 NO_LAPACK=1 USE_THREAD=1 NUM_THREADS=64 NO_SHARED=1 DYNAMIC_ARCH=0 TARGET=GENERIC)
    make -j "$jobs" "${options[@]}" libs netlib
    make "${options[@]}" PREFIX="$prefix" install
}

# with_cmake OPTION...
with_cmake() {
    cmake -S . -B build -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF "$@"
    cmake --build build -j "$jobs"
    cmake --install build
}

library zlib zlib
library hdf5 hdf5
library popt configured --disable-nls
library libffi configured --disable-docs
library pcre2 configured --disable-pcre2grep-libz
library glib2.0 glib
library libsmf libsmf
library jansson with_cmake -DJANSSON_EXAMPLES=OFF -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_BUILD_DOCS=OFF
library nettle nettle
library xxhash xxhash
library openblas openblas
library cmocka with_cmake -DWITH_EXAMPLES=OFF

# Headers alone.
ln -sfn /usr/include/Random123 "$prefix/include/Random123"
