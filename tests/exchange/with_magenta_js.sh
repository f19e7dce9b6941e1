#!/bin/bash
# with_magenta_js.sh CLIENT_DIR SCRIPT [ARGUMENT]...: runs a script of Node's that needs the packages of CLIENT_DIR; 77 where
# install_magenta_js.sh could not install them.
set -euo pipefail
[ -e "$1/installed.json" ] || { echo 'skipped: Magenta.js is not installed'; exit 77; }
shift
exec node "$@"
