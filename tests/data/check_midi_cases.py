#!/usr/bin/python3
"""Holds drumline-preprocess and drumline-generate against a folder of odd MIDI files and an independent reader of them.

  check_midi_cases.py BIN_DIR MAKE_CHECKPOINT SOURCE_DIR

The files are made by make_cases.py of a folder midi-cases, which is looked for in $DRUMLINE_MIDI_CASES, then beside the
source tree in ../shared/midi-cases. Every file is read by mido too, and the grids must be the same, in whole ticks; of the
files that mido can't read, what is right stands below. Each is also played: what comes out is a loop of exactly the model's
bars. Exits with 77 where the folder, mido, numpy or h5py are missing.
"""
import os
import re
import subprocess
import sys
import tempfile

SKIP = 77
try:
    import h5py
    import mido
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(SKIP)

CLASSES = {}
for drum, pitches in enumerate((
        "36 35", "38 27 28 31 32 33 34 37 39 40 56 65 66 75 85", "42 22 44 54 68 69 70 71 73 78 80",
        "46 26 67 72 74 79 81", "45 29 41 43 61 64 84", "48 47 60 63 77 86 87", "50 30 62 76 83", "49 52 55 57 58",
        "51 53 59 82")):
    CLASSES.update((int(pitch), drum) for pitch in pitches.split())
BEAT = {(0, 0), (4, 1), (8, 0), (12, 1)}

# Cases that ask for more than what every file does: words that must be said, flags, performances (None: refused).
CASES = {
    "pitch_bfd": (r"pitch 24 \(C1\) is not in drum map(.|\n)*no kick and no snare", [], 1),
    "pitch_taps100": ("nothing identifies its notes as drums", [], None),
    "channel_piano": ("nothing identifies its notes as drums", [], None),
    "channel_click": ("4 notes on channel 10 are skipped as a click", [], 1),
    "event_cc168": ("cc168.mid: track 2: .*byte", [], 1),
    "event_velocity200": ("vel200.mid: track 2: .*byte .*velocity clipped to 127", [], 1),
    "event_timesig2bytes": ("ts2.mid: track 1: .*byte .*skipped", [], 1),
    "event_timesig0": ("ts0.mid: track 1: .*byte .*skipped", [], 1),
    "event_tempo0": ("tempo0.mid: track 1: .*byte .*skipped", [], 1),
    "event_clock": ("f8.mid: track 2: .*byte .*0xf8", [], 1),
    "chunk_last_byte_missing": ("cut.mid: .*past the end of the file", [], 1),
    "chunk_length_over": ("over.mid: .*past", [], 1),
    "chunk_one_too_many": ("gives 3 tracks, the file has 2", [], 1),
    "chunk_more_than_said": ("gives 1 track, the file has 2", [], 1),
    "rmid": ("a RIFF file", [], 1),
    "name_egmd": ("1 time signature from", [], 1),
    "metre_2-2": (None, ["--is_beat", "--beat=4-4"], 1),
    "metre_8-8": (None, ["--is_beat", "--beat=4-4"], 1),
    "copies_egmd": (r"15 files with the onsets of another(.|\n)*different splits: e-gmd-v1.0.0.csv", ["--recursive"], 16),
    "table_below": ("from groove/info.csv|info.csv", ["--recursive"], 1),
    "linked_folder": (None, ["--recursive"], 1),
    "name_tag": (None, [], 2),
}
# Files that mido refuses, or reads to the letter where that loses the drums; what is right, by hand.
BY_HAND = {
    "channel_click/click.mid": BEAT,
    "event_timesig2bytes/ts2.mid": BEAT,
    "chunk_last_byte_missing/cut.mid": BEAT,
    "chunk_length_over/over.mid": BEAT,
    "chunk_one_too_many/ntrks3.mid": BEAT,
    "chunk_more_than_said/ntrks1.mid": BEAT,
    "rmid/rmid.mid": BEAT,
}


def cells_by_mido(path):
    """{(step, drum): (velocity, offset)} of a file: the loudest of each cell, of equals the earliest. Time signatures count
    steps again from where the last one begins."""
    file = mido.MidiFile(path, clip=True)
    onsets, changes = [], {0}
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "time_signature" and tick > 0:
                changes.add(tick)
            if message.type == "note_on" and message.velocity > 0 and message.channel == 9:
                onsets.append((tick, message.note, message.velocity))
    cells, parts = {}, sorted(changes)
    for tick, pitch, velocity in sorted(onsets):
        if pitch not in CLASSES:
            continue
        ppq = file.ticks_per_beat
        first = max(change for change in parts if 8 * tick + ppq >= 8 * change)
        step = (8 * (tick - first) + ppq) // (2 * ppq)
        offset = float(numpy.float32((2 * step * ppq - 8 * (tick - first)) / ppq))
        key = first, step, CLASSES[pitch]
        if velocity > cells.get(key, (0, 0))[0]:
            cells[key] = velocity, offset
    return cells, parts


def rows_of(data):
    with h5py.File(os.path.join(data, "index.h5")) as index:
        hits, velocity, offset = (index[name][:] for name in ("hits", "velocity", "offset"))
        rows = index["performances"][:]
    found = {}
    for row in rows:
        cells = {}
        for step in range(int(row["num_steps"])):
            at = int(row["first_step"]) + step
            for drum in range(9):
                if hits[at, drum]:
                    cells[step, drum] = int(velocity[at, drum]), float(offset[at, drum])
        found.setdefault(row["path"].decode(), []).append((row, cells))
    return found


def compare(case, path, full_path, rows):
    """True where mido had a say."""
    name = f"{case}/{path}"
    if name in BY_HAND:
        assert len(rows) == 1 and set(rows[0][1]) == BY_HAND[name], f"{name}: {rows}"
        return False
    cells, parts = cells_by_mido(full_path)
    parts = [part for part in parts if any(first == part for first, _, _ in cells)]
    assert len(parts) == len(rows), f"{name}: {len(rows)} performances, mido has {len(parts)}"
    for part, (_, found) in zip(parts, rows):
        expected = {(step, drum): cell for (first, step, drum), cell in cells.items() if first == part}
        assert found == expected, f"{name}: {found}, not {expected}"
    return True


def check_rows(case, found):
    signatures = {(int(row["numerator"]), int(row["denominator"])) for rows in found.values() for row, _ in rows}
    splits = {row["split"] for rows in found.values() for row, _ in rows}
    if case == "name_egmd":
        assert signatures == {(3, 4)}, signatures
    if case == "name_tag":
        assert signatures == {(4, 4)}, signatures
    if case == "table_below":
        assert splits == {b"test"}, splits
    if case == "copies_egmd":
        by_playing = {path.split("/")[1][0]: set() for path in found}
        for path, rows in found.items():
            by_playing[path.split("/")[1][0]] |= {row["split"] for row, _ in rows}
        assert by_playing == {"1": {b"train"}, "2": {b"test"}}, by_playing
    if case == "written_pitches":
        ((_, cells),) = found["toms.mid"]
        assert set(cells) == {(i, i) for i in range(9)}, cells
    if case == "linked_folder":
        assert set(found) == {"pack/control.mid"}, found


def check_case(preprocess, folder, case, data):
    words, flags, count = CASES.get(case, (None, [], 1))
    source = os.path.join(folder, case, "input" if case == "linked_folder" else "")
    done = subprocess.run([preprocess, "--input_dir", source, "--output_dir", data, *flags], capture_output=True,
                          text=True, check=False)
    assert done.returncode == (0 if count else 1), f"{case}: {done.stderr}"
    assert not words or re.search(words, done.stderr), f"{case}: does not say '{words}': {done.stderr}"
    if not count:
        assert not os.path.exists(data), f"{case}: leaves a folder"
        return 0, 0
    found = rows_of(data)
    check_rows(case, found)
    by_mido = sum(compare(case, path, os.path.join(source, path), rows) for path, rows in found.items())
    files = sum(name.lower().endswith((".mid", ".midi")) for _, _, names in os.walk(source, followlinks=True)
                for name in names)
    assert len(found) == files, f"{case}: {len(found)} of {files} files"
    assert sum(len(rows) for rows in found.values()) >= count, f"{case}: {found.keys()}"
    return by_mido, files - by_mido


# Files that are played, and what must be said of them beside what all say; with a model of taps where the name says so.
PLAYED = {
    "input_last_bar_silent/silent_end.mid": "has 3 bars: padded with silence",
    "input_pickup/pickup.mid": "hits just before bar 5 are played with the downbeat of bar 1",
    "input_one_bar_loop/one_bar.mid": "has 1 bar: repeated to fill the window of 4",
    "input_count_in/countin.mid": "using the part in 4/4 from beat 3",
    "pitch_taps100/taps100.mid": None,
    "pitch_kick35/kick35.mid": None,
    "pitch_bfd/bfd.mid": r"pitch 24 \(C1\) is not in drum map general",
    "channel_click/click.mid": "4 notes on channel 10 are skipped as a click",
    "channel_piano/piano.mid": "nothing identifies its notes as drums: using all 4",
    "chunk_one_too_many/ntrks3.mid": "gives 3 tracks, the file has 2",
    "rmid/rmid.mid": "a RIFF file",
    "metre_2-2/cut22.mid": None,
    "metre_8-8/cut88.mid": None,
}


def make_model(make_checkpoint, config, path):
    subprocess.run([make_checkpoint, config, "enc_rnn_size=[8],dec_rnn_size=[8,8],z_size=4", "1", path], check=True,
                   stdout=subprocess.DEVNULL)
    return path


def check_played(generate, models, folder, name, output):
    words, taps = PLAYED[name], name.startswith("pitch_taps")
    done = subprocess.run([generate, "--checkpoint_file", models[taps], "--mode=reconstruct", "--num_outputs=1", "--seed=1",
                           "--temperature=2", "--input_midi_1", os.path.join(folder, name), "--output_dir", output],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{name}: {done.stderr}"
    assert not words or re.search(words, done.stderr), f"{name}: does not say '{words}': {done.stderr}"
    (made,) = os.listdir(output)
    file = mido.MidiFile(os.path.join(output, made))
    bars = 2 if taps else 4
    assert sum(message.time for message in file.tracks[0]) == bars * 4 * file.ticks_per_beat, f"{name}: not {bars} bars"


def check_all(bin_dir, models, folder, scratch):
    preprocess, generate = (os.path.join(bin_dir, name) for name in ("drumline-preprocess", "drumline-generate"))
    totals = [0, 0]
    for case in sorted(os.listdir(folder)):
        counts = check_case(preprocess, folder, case, os.path.join(scratch, "data", case))
        totals = [a + b for a, b in zip(totals, counts)]
    done = subprocess.run([preprocess, "--input_dir", folder, "--output_dir", os.path.join(scratch, "all"), "--recursive"],
                          capture_output=True, text=True, check=True)
    assert "1 of 46 files lose more than a tenth of their drum notes to drum map general" in done.stderr, done.stderr
    for number, name in enumerate(PLAYED):
        check_played(generate, models, folder, name, os.path.join(scratch, f"played{number}"))
    print(f"{totals[0]} files as mido reads them, {totals[1]} as they should be; {len(PLAYED)} played")


def main():
    bin_dir, make_checkpoint, source = sys.argv[1:]
    cases = os.environ.get("DRUMLINE_MIDI_CASES") or os.path.join(source, "..", "shared", "midi-cases")
    if not os.path.exists(os.path.join(cases, "make_cases.py")):
        print(f"skipped: {cases} holds no make_cases.py; set DRUMLINE_MIDI_CASES")
        return SKIP
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.path.join(scratch, "cases")
        subprocess.run([sys.executable, os.path.join(cases, "make_cases.py"), folder], check=True)
        models = [make_model(make_checkpoint, config, os.path.join(scratch, config + ".h5"))
                  for config in ("groovae_4bar", "groovae_2bar_tap_fixed_velocity")]
        check_all(bin_dir, models, folder, scratch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
