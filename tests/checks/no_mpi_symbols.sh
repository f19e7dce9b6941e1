#!/bin/bash
# no_mpi_symbols.sh PROGRAM...: the programs hold no symbol of MPI and are linked to no library of it.
set -euo pipefail
for program in "$@"; do
    # All of main's symbols are there, or the list was stripped and would prove nothing.
    symbols=$(nm "$program")
    grep -q ' T main$' <<<"$symbols" || { printf '%s has no symbol table\n' "$program" >&2; exit 1; }
    if grep -E '\b(MPI_|ompi_|PMPI_)' <<<"$symbols"; then
        printf '%s holds symbols of MPI\n' "$program" >&2
        exit 1
    fi
    if ldd "$program" | grep -Ei 'libmpi|open-rte|open-pal|libpmix'; then
        printf '%s is linked to MPI\n' "$program" >&2
        exit 1
    fi
done
