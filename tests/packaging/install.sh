#!/bin/bash
# install.sh BUILD_DIR VERSION SOURCE_DIR C_COMPILER: an installation into an empty prefix, moved elsewhere, has all that
# people use of it: programs, man pages, job scripts, and libraries for programs of their own.
# shellcheck source=tests/packaging/common.sh
. "$(dirname "$0")/common.sh"
build=$1 version=$2 source=$3 compiler=$4

cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"
prefix=$work/moved
runs_everywhere "$prefix/bin" "$version"
reads_files "$prefix/bin" "$source"
mv "$prefix/libexec" "$prefix/elsewhere"
answer=$("$prefix/bin/drumline-info" "$source/tests/fixtures/first_version/data" 2>&1) && fail "a file was read without its reader"
[[ $answer == *"index.h5: drumline-hdf5-reader, which reads HDF5 files, is neither"* ]] || fail "a missing reader is called \"$answer\""
mv "$prefix/elsewhere" "$prefix/libexec"
[ ! -e "$prefix/bin/drumline-drummers" ] || fail "drumline-drummers is a tool of the source tree, and was installed"
! grep -rqF -e "$work" -e "$build" "$prefix/share" "$prefix/lib/pkgconfig" ||
    fail "this names the folder that was installed to, or built in:" \
        "$(grep -rlF -e "$work" -e "$build" "$prefix/share" "$prefix/lib/pkgconfig")"

# The programs look beside themselves and in folders outside the system's, and nowhere else.
path=$(run_path "$prefix/bin/drumline-train")
[[ $path == "\$ORIGIN/../lib"* && $path != *"$build"* ]] || fail "drumline-train's run path is \"$path\""

"$source/tests/checks/hardening.sh" Release "$prefix/bin" "$prefix/libexec" || fail "the installed programs are not as they should be"

# Every flag that a program has is in its man page, and man can read it.
for program in preprocess train generate info bench; do
    page=$prefix/share/man/man1/drumline-$program.1
    text=$(sed 's/\\-/-/g; s/\\fB//g; s/\\fR//g; s/\\&//g' "$page")
    while IFS= read -r flag; do
        grep -qE -- "^$flag(\[?=|$)" <<<"$text" || fail "$page says nothing of $flag"
    done < <("$prefix/bin/drumline-$program" --help | grep -oE '^  --[a-z0-9_]+' | tr -d ' ')
    [ "$(grep -c '^\.TP$' "$page")" -gt 5 ] || fail "$page has hardly anything in it"
    ! command -v groff >/dev/null || [ -z "$(groff -man -Tutf8 -ww "$page" 2>&1 >/dev/null)" ] ||
        fail "groff complains of $page: $(groff -man -Tutf8 -ww "$page" 2>&1 >/dev/null)"
done

# The jobs find their common part and the programs beside them.
for script in train.sh preprocess.sh generate.sh site.sh common.sh mpirun_daemon.sh; do
    [ -x "$prefix/share/drumline/jobs/$script" ] || fail "share/drumline/jobs/$script is missing, or can't be run"
done
# shellcheck disable=SC2016 # for the other shell
found=$(cd / && env -u DRUMLINE_BIN jobs="$prefix/share/drumline/jobs" bash -c \
    '. "$jobs/common.sh"; find_program drumline-info; realpath "$program"')
[ "$found" = "$(realpath "$prefix/bin/drumline-info")" ] || fail "installed jobs would run $found"

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
[ "$(pkg-config --modversion drumline)" = "$version" ] || fail "drumline.pc is of another version"
read -r -d '' -a flags < <(pkg-config --cflags --libs drumline) || true
"$compiler" -std=c11 -Wall -Werror -o "$work/consumer" "$source/tests/packaging/consumer.c" "${flags[@]}"
answer=$("$work/consumer")
[[ $answer == "$version: "*" bytes" ]] || fail "the program built with drumline.pc says \"$answer\""
