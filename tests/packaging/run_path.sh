#!/bin/bash
# run_path.sh SOURCE_DIR: cmake/DrumlineRpath.cmake names the folders of libraries outside the system's, however the target
# comes to them, and no others; and a program that was installed with it finds them.
# shellcheck source=tests/packaging/common.sh
. "$(dirname "$0")/common.sh"
source=$1
site=$work/site
mkdir -p "$work/project" "$site"/{one,two,three}

for name in one two three; do
    printf 'int %s(void);\nint %s(void)\n{\n    return 0;\n}\n' $name $name >"$work/$name.c"
    cc -shared -fPIC -o "$site/$name/lib$name.so" -Wl,-soname,lib$name.so.1 "$work/$name.c"
    ln -s "lib$name.so" "$site/$name/lib$name.so.1"
done
cat >"$work/project/main.c" <<'C'
int one(void);
int two(void);
int three(void);
int main(void)
{
    return one() + two() + three();
}
C
# By its file, by an imported target, and by what a library of the project's is linked with for itself.
cat >"$work/project/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(paths LANGUAGES C)
include(GNUInstallDirs)
include($source/cmake/DrumlineRpath.cmake)
add_library(imported SHARED IMPORTED)
set_target_properties(imported PROPERTIES IMPORTED_LOCATION $site/two/libtwo.so)
add_library(own STATIC main.c)
target_link_libraries(own PRIVATE $site/three/libthree.so m)
add_executable(program main.c)
target_link_libraries(program PRIVATE own $site/one/libone.so imported)
install(TARGETS program)
drumline_set_install_rpath(program)
CMAKE
cmake -S "$work/project" -B "$work/build" -DCMAKE_INSTALL_PREFIX="$work/prefix" >/dev/null
cmake --build "$work/build" >/dev/null
cmake --install "$work/build" >/dev/null
program=$work/prefix/bin/program

folders=$(run_path "$program")
IFS=: read -r -a folders <<<"$folders"
[ "${folders[0]}" = "\$ORIGIN/../lib" ] || fail "the run path begins with ${folders[0]}"
rest=$(printf '%s\n' "${folders[@]:1}" | sort | tr '\n' ' ')
[ "$rest" = "$site/one $site/three $site/two " ] || fail "the run path goes on with $rest"
"$program" || fail "the installed program does not find its libraries"

# A library that was put beside the program comes first.
mkdir -p "$work/prefix/lib"
printf 'int one(void);\nint one(void)\n{\n    return 7;\n}\n' >"$work/one.c"
cc -shared -fPIC -o "$work/prefix/lib/libone.so.1" -Wl,-soname,libone.so.1 "$work/one.c"
status=0
"$program" || status=$?
[ "$status" -eq 7 ] || fail "the program took another library than the one in its own lib folder"
