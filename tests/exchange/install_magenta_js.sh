#!/bin/bash
# install_magenta_js.sh PAGE_DIR CLIENT_DIR: npm's packages of PAGE_DIR/package-lock.json into CLIENT_DIR/node_modules, unless they
# are there. Their install scripts are not run. 77 where there is no Node, no npm, or where its registry can't be reached.
set -euo pipefail
page=$1 client=$2
for program in node npm; do
    command -v "$program" >/dev/null || { echo "skipped: $program is not installed"; exit 77; }
done
mkdir -p "$client"
cmp -s "$page/package-lock.json" "$client/installed.json" && exit 0
rm -f "$client/installed.json"
cp "$page/package.json" "$page/package-lock.json" "$client"
cd "$client"
if ! npm ci --ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error >npm.log 2>&1; then
    cat npm.log
    grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|EIDLETIMEOUT' npm.log || exit 1
    echo 'skipped: the registry of npm can not be reached'
    exit 77
fi
# Source maps, and TensorFlow's builds that nobody loads here, are most of it.
find node_modules -name '*.map' -delete
cp package-lock.json installed.json
