#!/bin/bash
# install.sh BUILD_DIR VERSION: an installation into an empty prefix, moved elsewhere, holds all programs and each runs.
set -euo pipefail
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$1" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/a prefix"
for program in preprocess train generate info bench; do
    answer=$(cd / && "$work/a prefix/bin/drumline-$program" --version)
    case $answer in
        *"$2"*) ;;
        *) printf 'drumline-%s --version says "%s", not %s\n' "$program" "$answer" "$2" >&2; exit 1 ;;
    esac
done
if [ -e "$work/a prefix/bin/drumline-drummers" ]; then
    printf 'drumline-drummers is a tool of the source tree and should not be installed\n' >&2
    exit 1
fi
