#!/bin/bash
# tools/fetch_groove.sh [FOLDER]: brings the Groove MIDI Dataset (Gillick et al., 2019; CC BY 4.0; 3 MB) into FOLDER,
# data/groove if none is given. The archive's SHA-256 is checked before it is unpacked, and FOLDER appears whole or not
# at all. In the environment: DRUMLINE_GROOVE_URL, DRUMLINE_GROOVE_SHA256 for a mirror.
set -euo pipefail

url=${DRUMLINE_GROOVE_URL:-https://storage.googleapis.com/magentadata/datasets/groove/groove-v1.0.0-midionly.zip}
sha256=${DRUMLINE_GROOVE_SHA256:-651cbc524ffb891be1a3e46d89dc82a1cecb09a57c748c7b45b844c4841dcc1e}

die() {
    printf 'fetch_groove.sh: %s\n' "$@" >&2
    exit 1
}

download() {
    local answer=0
    if command -v curl >/dev/null; then
        curl -fL --retry 3 --connect-timeout 20 -sS -o "$2" "$1" || answer=$?
    elif [[ $1 == file://* ]]; then
        cp "${1#file://}" "$2" || answer=$?
    elif command -v wget >/dev/null; then
        wget -q --tries=3 --timeout=20 -O "$2" "$1" || answer=$?
    else
        die "neither curl nor wget is installed; install one (apt-get install curl unzip)"
    fi
    [ "$answer" -eq 0 ] || die "$1 could not be fetched (see above). Is there a network, is the URL right?" \
        "DRUMLINE_GROOVE_URL names another one; file:///PATH/TO/groove.zip takes an archive that you have"
}

unpack() {
    if command -v unzip >/dev/null; then
        unzip -q "$1" -d "$2"
    elif command -v bsdtar >/dev/null; then
        bsdtar -xf "$1" -C "$2"
    elif command -v python3 >/dev/null; then
        python3 -m zipfile -e "$1" "$2"
    elif command -v cmake >/dev/null; then
        (cd "$2" && cmake -E tar xf "$1")
    else
        die "nothing here unpacks a zip archive; install one that does (apt-get install unzip)"
    fi
}

case ${1:-} in
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    -*) printf 'fetch_groove.sh: unknown option "%s"; give it a folder, or nothing\n' "$1" >&2; exit 2 ;;
esac
[ $# -le 1 ] || { printf 'fetch_groove.sh: one folder, not %d\n' $# >&2; exit 2; }
folder=${1:-$(cd "$(dirname "$0")/.." && pwd)/data/groove}
folder=${folder%/}
if [ -e "$folder" ] || [ -L "$folder" ]; then
    die "$folder is there already, so nothing was fetched. Remove it first, or name another folder"
fi
parent=$(dirname -- "$folder")
mkdir -p -- "$parent" || die "$parent can't be made (see above)"
# On the same file system as FOLDER, so that the last step is one rename.
work=$(cd -- "$parent" && mktemp -d "$PWD/.fetch_groove.XXXXXX") || die "nothing can be written in $parent"
trap 'rm -rf "$work"' EXIT

printf 'Fetching %s\n' "$url"
download "$url" "$work/groove.zip"
found=$(sha256sum "$work/groove.zip" | cut -d ' ' -f 1)
[ "$found" = "$sha256" ] ||
    die "what came from $url is not the expected archive, and was thrown away" "SHA-256 is $found, should be $sha256"
mkdir "$work/unpacked"
unpack "$work/groove.zip" "$work/unpacked" || die "the archive can't be unpacked (see above)"
index=$(find "$work/unpacked" -maxdepth 2 -name info.csv -print -quit)
[ -n "$index" ] || die "the archive holds no info.csv, so it is not the Groove data set"
# -T: should FOLDER have appeared meanwhile, fail rather than move into it.
mv -nT -- "$(dirname "$index")" "$folder"
if [ -e "$index" ]; then
    die "$folder appeared meanwhile, so nothing was put there"
fi
printf '%s holds %d MIDI files.\n' "$folder" "$(find "$folder" -name '*.mid' | wc -l)"
printf 'Try: tools/quickstart.sh %q\n' "$folder"
