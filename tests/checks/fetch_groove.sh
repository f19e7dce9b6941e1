#!/bin/bash
# fetch_groove.sh SOURCE_DIR: tools/fetch_groove.sh on small archives behind file:// URLs, valid and not.
set -euo pipefail

fetch=$1/tools/fetch_groove.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset DRUMLINE_GROOVE_URL DRUMLINE_GROOVE_SHA256

fail() {
    printf 'FAILED: %s\n' "$1" >&2
    [ ! -e output ] || cat output >&2
    exit 1
}

# refused TEXT FOLDER: the fetch must fail, say TEXT and leave neither FOLDER nor anything half-made behind.
refused() {
    if "$fetch" "$2" >output 2>&1; then fail "a fetch that should end with \"$1\" succeeded"; fi
    grep -q -- "$1" output || fail "the message does not say \"$1\""
    if [ -n "$(find . -name '.fetch_groove.*')" ]; then fail "temporary files were left behind"; fi
}

mkdir -p content/groove/drummer1 other
printf 'drummer,midi_filename\ndrummer1,drummer1/1.mid\n' >content/groove/info.csv
printf 'MThd' >content/groove/drummer1/1.mid
printf 'nothing of drums\n' >other/readme
(cd content && python3 -m zipfile -c ../good.zip groove)
(cd other && python3 -m zipfile -c ../other.zip readme)
head -c 100 good.zip >cut.zip
sum() { sha256sum "$1" | cut -d ' ' -f 1; }

export DRUMLINE_GROOVE_URL=file://$work/good.zip
DRUMLINE_GROOVE_SHA256=$(sum good.zip)
export DRUMLINE_GROOVE_SHA256
"$fetch" "a folder/with spaces/" >output 2>&1 || fail "a valid archive was refused"
cmp content/groove/info.csv "a folder/with spaces/info.csv" || fail "info.csv differs"
cmp content/groove/drummer1/1.mid "a folder/with spaces/drummer1/1.mid" || fail "a MIDI file differs"
grep -q 'holds 1 MIDI file' output || fail "the number of files is not printed"

refused "there already" "a folder/with spaces"
[ -e "a folder/with spaces/info.csv" ] || fail "the folder that was there is gone"

DRUMLINE_GROOVE_SHA256=${DRUMLINE_GROOVE_SHA256/?/x}
refused "not the expected archive" wrong_sum
[ ! -e wrong_sum ] || fail "an archive of a wrong sum was unpacked"

DRUMLINE_GROOVE_URL=file://$work/cut.zip DRUMLINE_GROOVE_SHA256=$(sum cut.zip)
refused "can't be unpacked" cut
DRUMLINE_GROOVE_URL=file://$work/other.zip DRUMLINE_GROOVE_SHA256=$(sum other.zip)
refused "no info.csv" other_archive
DRUMLINE_GROOVE_URL=file://$work/missing.zip
refused "could not be fetched" missing
unset DRUMLINE_GROOVE_SHA256
DRUMLINE_GROOVE_URL=file://$work/good.zip
refused "not the expected archive" default_sum
