#!/bin/bash
# tools/lint.sh [cppcheck] [clang-tidy] [FILE.c...]: has cppcheck and clang-tidy look for faults in the project's C, both unless one
# is named, in all files unless some are. What they must not report, and why: tools/lint/cppcheck_suppressions, .clang-tidy and
# tests/.clang-tidy. cppcheck takes 15 seconds of one core, clang-tidy six minutes, so CI does not wait for them. JOBS in the
# environment: how many files at once, by default one a core.
# The exit status is 0 where neither has anything to say. "tools/test.sh lint" installs them first.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}
build=build/lint

# shellcheck disable=SC2317 # called by the name of the check, as the next one
check_cppcheck() {
    local files=("$@")
    [ $# -gt 0 ] || files=(src tests tools)
    mkdir -p "$build/cppcheck"
    # -D__clang_analyzer__: base/error.h then says what a failing function returns.
    cppcheck -q -j "$jobs" --enable=warning,performance,portability,style --std=c11 --library=posix,tools/lint/jansson.cfg --inline-suppr \
        --suppressions-list=tools/lint/cppcheck_suppressions --error-exitcode=1 --cppcheck-build-dir="$build/cppcheck" \
        --template='{file}:{line}: {severity}: {message} [{id}]' \
        -I src -I . -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -D__clang_analyzer__ \
        "${files[@]}"
}

# The commands of a build with assertions, which tell the analyzer what holds. Nothing is built.
# shellcheck disable=SC2317
check_clang_tidy() {
    local files=("$@") version
    version=$(clang-tidy --version)
    if [[ ! $version =~ version\ 14\. ]]; then
        printf 'lint.sh: .clang-tidy is for clang-tidy 14, whose checks it names, and this is %s\n' "${version//$'\n'/,}" >&2
        return 1
    fi
    [ $# -gt 0 ] || mapfile -d '' files < <(tests/checks/files.sh '*.c')
    cmake --preset debug -B "$build" >"$build.log" || { cat "$build.log"; return 1; }
    # On standard error it only counts what it does not show.
    printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$jobs" clang-tidy --quiet -p "$build" 2>"$build.log" ||
        { grep -v ' generated\.$' "$build.log" >&2; return 1; }
}

checks=() files=()
for argument in "$@"; do
    case $argument in
        cppcheck | clang-tidy) checks+=("$argument") ;;
        *.c) files+=("$argument") ;;
        -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
        *) printf 'lint.sh: unknown argument "%s"; it must be cppcheck, clang-tidy or a file in C\n' "$argument" >&2; exit 2 ;;
    esac
done
[ ${#checks[@]} -gt 0 ] || checks=(cppcheck clang-tidy)
mkdir -p build
status=0
for check in "${checks[@]}"; do
    "check_${check/-/_}" "${files[@]}" || { status=1; printf 'lint.sh: %s has something to say, see above\n' "$check" >&2; }
done
exit "$status"
