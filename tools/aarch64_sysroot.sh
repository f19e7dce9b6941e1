#!/bin/bash
# tools/aarch64_sysroot.sh FOLDER: unpacks Debian's arm64 packages of what drumline-generate, drumline-info and the tests
# without MPI need into FOLDER, for cmake/aarch64.cmake to compile against. Needs no rights and changes nothing of this
# system; a folder that is complete is left as it is. Status 77: the packages could not be had.
set -euo pipefail

packages=(
    libc6-dev libgcc-12-dev libhdf5-dev libopenblas-pthread-dev libcmocka-dev libsmf-dev libpopt-dev libjansson-dev
    nettle-dev libxxhash-dev librandom123-dev zlib1g-dev
)
[ $# -eq 1 ] || { printf 'usage: tools/aarch64_sysroot.sh FOLDER\n' >&2; exit 2; }
sysroot=$1
[ ! -e "$sysroot/complete" ] || exit 0
{ command -v apt-get && command -v dpkg-deb; } >/dev/null || { printf 'skipped: no apt-get here\n'; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# apt of its own, which knows of nothing installed: it fetches the packages with all that they depend on.
mkdir -p "$work"/{lists,cache/archives}/partial
: >"$work/status"
cat >"$work/apt.conf" <<TEXT
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Dir::State "$work";
Dir::State::lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
TEXT
export APT_CONFIG=$work/apt.conf
{ apt-get update -q && apt-get install -y -q --download-only "${packages[@]}"; } >"$work/log" 2>&1 || {
    tail -n 5 "$work/log"
    printf 'skipped: no arm64 packages could be had (see above)\n'
    exit 77
}
rm -rf "$sysroot"
mkdir -p "$sysroot"
for package in "$work"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$sysroot"
done
# Links to absolute paths would lead out of the folder.
find "$sysroot" -type l -lname '/*' -printf '%p\t%l\n' | while IFS=$'\t' read -r link target; do
    ln -sfrn "$sysroot$target" "$link"
done
lib=$sysroot/usr/lib/aarch64-linux-gnu
# What installed packages' alternatives would point to.
ln -sf openblas-pthread/libopenblas.so "$lib/libopenblas.so"
ln -sf openblas-pthread/libopenblas.so.0 "$lib/libopenblas.so.0"
touch "$sysroot/complete"
