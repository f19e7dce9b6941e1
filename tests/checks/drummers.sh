#!/bin/bash
# drummers.sh DRUMLINE_DRUMMERS: the program writes the same files from the same seed, and what an independent reader
# (mido) finds in them is what info.csv says.
set -euo pipefail
drummers=$1
# The Python for which Debian installs mido, whichever other comes first in PATH.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    printf 'FAILED: %s\n' "$1" >&2
    exit 1
}

"$drummers" --output_dir "a folder/one" --num_performances 40 --seed 7 2>log || { cat log >&2; fail "cannot write"; }
"$drummers" --output_dir two --num_performances 40 --seed 7 --log=error
diff -r "a folder/one" two || fail "the same seed gave other files"
"$drummers" --output_dir three --num_performances 40 --seed 8 --log=error
if diff -rq two three >/dev/null; then fail "another seed gave the same files"; fi

if "$drummers" --output_dir two 2>log; then fail "a folder that holds performances was written into"; fi
grep -q 'two/info.csv is there already' log || fail "the refusal does not name the folder"
touch file
if "$drummers" --output_dir file/below 2>log; then fail "a folder below a file was made"; fi
grep -q file log || fail "the message does not name the path"
status=0
"$drummers" 2>log || status=$?
[ "$status" -eq 2 ] || fail "without --output_dir the exit status is $status, not 2"

"$python" - two <<'PYTHON'
import csv, os, sys
import mido

folder = sys.argv[1]
rows = list(csv.DictReader(open(os.path.join(folder, "info.csv"), newline="")))
assert len(rows) == 40, len(rows)
assert {row["split"] for row in rows} == {"train", "validation", "test"}
on_disk = sum(name.endswith(".mid") for _, _, names in os.walk(folder) for name in names)
assert on_disk == len({row["midi_filename"] for row in rows}) == 40
for row in rows:
    midi = mido.MidiFile(os.path.join(folder, row["midi_filename"]))
    events = [message for track in midi.tracks for message in track]
    tempos = [message.tempo for message in events if message.type == "set_tempo"]
    signatures = [(m.numerator, m.denominator) for m in events if m.type == "time_signature"]
    notes = [message for message in events if message.type == "note_on" and message.velocity > 0]
    assert row["time_signature"] == "4-4" and signatures == [(4, 4)], row
    assert len(tempos) == 1 and round(60e6 / tempos[0]) == int(row["bpm"]), row
    assert len(notes) >= 4 and all(note.channel == 9 for note in notes), row
    assert abs(midi.length - float(row["duration"])) < 1.0, (row, midi.length)
    assert len(row["style"]) > 2 and row["style"].replace("/", "-") in row["midi_filename"], row
PYTHON
