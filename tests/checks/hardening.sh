#!/bin/bash
# hardening.sh BUILD_TYPE FOLDER...: programs in the folders look for libraries in fixed folders alone, never in the current
# one, and are hardened: full RELRO, a position-independent program, a stack that can't be run, and in release builds stack
# protector and FORTIFY.
set -euo pipefail
command -v readelf >/dev/null || exit 77
type=$1
shift
wrong=0
num_programs=0

complain() {
    printf '%s: %s\n' "$1" "$2" >&2
    wrong=1
}

# "path1:path2": each must be absolute or begin with $ORIGIN.
check_run_path() {
    local program=$1 path=$2 part
    case "$path" in
        "") return ;;
        :* | *: | *::*) complain "$program" "its run path \"$path\" has an empty entry, which is the current folder" ;;
    esac
    while IFS= read -r part; do
        # shellcheck disable=SC2016 # the loader's own variable
        case "$part" in
            "" | /* | '$ORIGIN' | '$ORIGIN/'*) ;;
            *) complain "$program" "its run path has \"$part\", which depends on the current folder" ;;
        esac
    done < <(tr : '\n' <<<"$path")
}

check_hardening() {
    local program=$1 dynamic=$2 headers symbols
    case "$program" in
        */bin/* | */libexec/*) ;;
        *) return ;; # a test, which is never installed
    esac
    headers=$(readelf -lhW "$program")
    grep -q 'GNU_RELRO' <<<"$headers" || complain "$program" "no RELRO"
    grep -qE 'BIND_NOW|FLAGS_1.*NOW' <<<"$dynamic" || complain "$program" "symbols are bound late, so RELRO is not full"
    grep -qE 'Type:.*DYN' <<<"$headers" || complain "$program" "is not position-independent"
    ! grep -qE 'GNU_STACK.*RWE' <<<"$headers" || complain "$program" "has a stack that can be run"
    symbols=$(readelf -sW --dyn-syms "$program")
    grep -q '__stack_chk_fail' <<<"$symbols" || complain "$program" "no stack protector"
    [ "$type" != Release ] || grep -qE '__(v?snprintf|memcpy|v?fprintf|printf)_chk' <<<"$symbols" ||
        complain "$program" "FORTIFY is off"
}

for folder in "$@"; do
    while IFS= read -r program; do
        [ "$(head -c 4 "$program" | tail -c 3)" = ELF ] || continue
        dynamic=$(readelf -dW "$program")
        check_run_path "$program" "$(sed -nE 's/.*\((RUNPATH|RPATH)\).*\[(.*)\]/\2/p' <<<"$dynamic")"
        check_hardening "$program" "$dynamic"
        num_programs=$((num_programs + 1))
    done < <(find "$folder" -type f -perm -u+x ! -name '*.so*' ! -path '*/CMakeFiles/*' ! -path '*/without_mpi/*')
done
[ "$num_programs" -gt 0 ] || complain "$*" "no programs were found"
exit $wrong
