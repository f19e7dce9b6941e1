#!/bin/bash
# layers.sh SOURCE_DIR: who includes whom is as docs/architecture.md says: data, model and dist know base but not one
# another, base knows none of them, and MPI is known to dist and to the programs alone.
set -euo pipefail
cd "$1/src"
wrong=0
for layer in base data model dist; do
    for other in base data model dist; do
        if [ "$other" = "$layer" ] || [ "$other" = base ]; then
            continue
        fi
        if grep -rnE "#include \"(\.\./)*$other/" "$layer" --include='*.[ch]'; then
            printf 'src/%s must not include src/%s\n' "$layer" "$other" >&2
            wrong=1
        fi
    done
done
if grep -rnE '#include [<"]mpi\.h' base data model; then
    printf 'mpi.h belongs to src/dist and to the programs alone\n' >&2
    wrong=1
fi
[ -n "$(find base data model dist -name '*.c' -print -quit)" ] || { printf 'no sources were found\n' >&2; exit 1; }
exit $wrong
