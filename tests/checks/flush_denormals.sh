#!/bin/bash
# flush_denormals.sh PROGRAM...: the programs were made with programs/common/flush_denormals.c, and its call stands where it is made
# before any library's initialisation.
set -euo pipefail
for program in "$@"; do
    symbols=$(objdump --syms "$program")
    if ! grep -Eq '[[:space:]]\.preinit_array[[:space:]].*[[:space:]]before_libraries$' <<<"$symbols"; then
        printf '%s computes with denormal numbers\n' "$program" >&2
        exit 1
    fi
done
