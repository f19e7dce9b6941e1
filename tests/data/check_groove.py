#!/usr/bin/python3
"""Holds drumline-preprocess against the groove data set, read by an independent reader of MIDI.

  check_groove.py PREPROCESS PERFORMANCES SOURCE_DIR

The data set is looked for in $DRUMLINE_GROOVE_DIR, then beside the source tree in ../shared/groove. Exits with 77 where
it is not there, or mido, numpy or h5py are not. The counts of windows must be those that are known of groove v1.0.0 in
4/4; then the grid of every file, whatever its time signature, is compared cell by cell, in whole numbers of ticks.
"""
import os
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

DRUMS = ["36", "38 37 40", "42 22 44", "46 26", "43 58", "47 45", "50 48", "49 52 55 57", "51 53 59"]
CLASS_OF_PITCH = {int(pitch): drum for drum, pitches in enumerate(DRUMS) for pitch in pitches.split()}
NUM_DRUMS = len(DRUMS)
# 4 bars without overlap, 4 bars every bar, 2 bars without overlap, 2 bars every bar: train, validation.
WINDOWS = "4078 504\n15694 1939\n8411 1049\n16537 2055\n"


def read_onsets(path):
    """(ticks to a quarter, [(tick, drum, velocity)] by tick, first tempo, set of time signatures)."""
    file = mido.MidiFile(path)
    onsets, tempo, meters = [], None, set()
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "set_tempo" and tempo is None:
                tempo = message.tempo
            elif message.type == "time_signature":
                meters.add((message.numerator, message.denominator))
            elif message.type == "note_on" and message.velocity > 0 and message.note in CLASS_OF_PITCH:
                onsets.append((tick, CLASS_OF_PITCH[message.note], message.velocity))
    return file.ticks_per_beat, sorted(onsets, key=lambda onset: onset[0]), tempo or 500000, meters


def place(onsets, ticks_per_quarter):
    """{(step, drum): (velocity, offset)}: the loudest of each cell, of equals the earliest."""
    cells = {}
    for tick, drum, velocity in onsets:
        step = (8 * tick + ticks_per_quarter) // (2 * ticks_per_quarter)
        offset = (2 * step * ticks_per_quarter - 8 * tick) / ticks_per_quarter
        if velocity > cells.get((step, drum), (0, 0))[0]:
            cells[step, drum] = velocity, offset
    return cells


def compare(row, hits, velocity, offset, path):
    ticks_per_quarter, onsets, tempo, meters = read_onsets(path)
    meter = (int(row["numerator"]), int(row["denominator"]))
    assert meters == {meter}, f"{path}: {meter}, not {meters}"
    bar = 16 * meter[0] // meter[1]
    cells = place(onsets, ticks_per_quarter)
    last_step = max(step for step, _ in cells)
    steps = (last_step // bar + 1) * bar
    assert row["num_steps"] == steps, f"{path}: {row['num_steps']} steps, not {steps}"
    assert abs(row["qpm"] - 60e6 / tempo) < 1e-3, f"{path}: {row['qpm']} quarter notes a minute"
    expected = [numpy.zeros((steps, NUM_DRUMS), kind) for kind in (numpy.uint8, numpy.uint8, numpy.float32)]
    for cell, (loudness, early) in cells.items():
        expected[0][cell], expected[1][cell], expected[2][cell] = 1, loudness, early
    for name, found, wanted in zip(("hits", "velocity", "offset"), (hits, velocity, offset), expected):
        assert numpy.array_equal(found, wanted), f"{path}: {name} differ"


def check_grids(data, groove):
    with h5py.File(os.path.join(data, "index.h5")) as index:
        rows = index["performances"][:]
        cells = [index[name][:] for name in ("hits", "velocity", "offset")]
    for row in rows:
        part = slice(row["first_step"], row["first_step"] + row["num_steps"])
        compare(row, *(cell[part] for cell in cells), os.path.join(groove, row["path"].decode()))
    return rows


def check_beats(data, everything):
    """Those in 4/4 are the same as in the whole."""
    with h5py.File(os.path.join(data, "index.h5")) as index:
        rows = index["performances"][:]
        hits = index["hits"][:]
    assert len(rows) == 1009, len(rows)
    assert hits.shape == (313616, NUM_DRUMS), hits.shape
    assert hits.sum() == 362270, hits.sum()
    common = {row["path"] for row in everything if (row["numerator"], row["denominator"]) == (4, 4)}
    assert {row["path"] for row in rows} == common
    with h5py.File(os.path.join(data, "index.h5")) as index:
        assert index.attrs["content_sha256"].startswith(b"f148731dce8c"), index.attrs["content_sha256"]


def main():
    preprocess, performances, source = sys.argv[1:]
    groove = os.environ.get("DRUMLINE_GROOVE_DIR") or os.path.join(source, "..", "shared", "groove")
    if not os.path.exists(os.path.join(groove, "info.csv")):
        print(f"skipped: {groove} holds no groove data set; set DRUMLINE_GROOVE_DIR")
        return SKIP
    with tempfile.TemporaryDirectory() as data:
        subprocess.run([preprocess, "--input_dir", groove, "--output_dir", data, "--recursive", "--is_beat=True",
                        "--beat=4-4"], check=True)
        windows = subprocess.run([performances, "windows", data], check=True, capture_output=True, text=True).stdout
        assert windows == WINDOWS, windows
        everything = os.path.join(data, "all")
        subprocess.run([preprocess, "--input_dir", groove, "--output_dir", everything, "--recursive"], check=True)
        rows = check_grids(everything, groove)
        assert len({row["path"] for row in rows}) == 1021, len(rows)
        check_beats(data, rows)
    print("1,021 grids are the same, and so are the counts of windows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
