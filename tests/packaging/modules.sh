#!/bin/bash
# modules.sh BUILD_DIR VERSION: `module load drumline` under Lmod, which reads both modulefiles, and under Environment Modules
# where they are installed instead (Debian has one or the other).
# shellcheck source=tests/packaging/common.sh
. "$(dirname "$0")/common.sh"
build=$1 version=$2

# use_modules: makes the command module, or ends the test with 77.
use_modules() {
    local folder
    for folder in /usr/share/lmod/lmod /usr/share/lmod/[0-9]* /usr/share/modules; do
        [ -r "$folder/init/bash" ] || continue
        set +eu
        # shellcheck source=/dev/null
        . "$folder/init/bash"
        return
    done
    printf 'neither Lmod nor Environment Modules is installed (apt-get install lmod)\n'
    exit 77
}

# check_loaded PREFIX HOW: the module sets what it promises, and takes all of it back.
check_loaded() {
    local prefix=$1 before=$PATH name
    [ "$(command -v drumline-info)" != "$prefix/bin/drumline-info" ] || fail "drumline was loaded before"
    module load "drumline/$version" || fail "$2: module load failed"
    [ "$(command -v drumline-info)" = "$prefix/bin/drumline-info" ] || fail "$2: PATH is $PATH"
    [ "$DRUMLINE_ROOT" = "$prefix" ] || fail "$2: DRUMLINE_ROOT is $DRUMLINE_ROOT"
    [ -r "$DRUMLINE_JOBS/train.sh" ] || fail "$2: DRUMLINE_JOBS is $DRUMLINE_JOBS"
    # An empty entry stands for the system's own pages.
    [[ $MANPATH == "$prefix/share/man:"* ]] || fail "$2: MANPATH is $MANPATH"
    [ "$(pkg-config --modversion drumline)" = "$version" ] || fail "$2: PKG_CONFIG_PATH is $PKG_CONFIG_PATH"
    module unload "drumline/$version" || fail "$2: module unload failed"
    [ "$PATH" = "$before" ] || fail "$2: unloading left PATH as $PATH"
    for name in DRUMLINE_ROOT DRUMLINE_JOBS MANPATH; do
        [ -z "${!name:-}" ] || fail "$2: unloading left $name"
    done
}

unset MODULEPATH LOADEDMODULES MANPATH DRUMLINE_ROOT DRUMLINE_JOBS DRUMLINE_BIN
export PATH=/usr/bin:/bin # nothing twice, which a module may put right
export HOME=$work # where Lmod keeps what it knows
cmake --install "$build" --prefix "$work/prefix" >/dev/null
use_modules
folder=$work/prefix/share/modulefiles
module use "$folder"
check_loaded "$work/prefix" "the first modulefile"

# Without the one in Lua, Lmod takes the one in Tcl.
mv "$folder/drumline/$version.lua" "$work"
check_loaded "$work/prefix" "the modulefile in Tcl"

# Put where it can't find its installation, each says so.
for modulefile in "$work/$version.lua" "$folder/drumline/$version"; do
    mkdir -p "$work/elsewhere/drumline"
    rm -f "$work/elsewhere/drumline"/*
    cp "$modulefile" "$work/elsewhere/drumline"
    module unuse "$folder"
    module use "$work/elsewhere"
    module load "drumline/$version" 2>"$work/log"
    grep -q 'set root in it' "$work/log" || fail "a lost modulefile says: $(cat "$work/log")"
    [ -z "${DRUMLINE_ROOT:-}" ] || fail "a lost modulefile was loaded"
    module unuse "$work/elsewhere"
done
