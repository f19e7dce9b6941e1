#!/usr/bin/python3
"""Odd MIDI files that people have, through drumline-preprocess and drumline-generate.

  check_odd_midi.py BIN_DIR MAKE_CHECKPOINT

The files are made here from bytes. Of each the right outcome is written beside it; hits of the whole ones are also held against
an independent reader (mido). Exits with 77 where h5py or mido are missing.
"""
import os
import struct
import subprocess
import sys
import tempfile

SKIP = 77
try:
    import h5py
    import mido
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(SKIP)

END = b"\xff\x2f\x00"
TEMPO = b"\xff\x51\x03\x07\xa1\x20"


def quantity(number):
    """A variable-length quantity."""
    digits = [number & 0x7F]
    while number >> 7:
        number >>= 7
        digits.insert(0, 0x80 | (number & 0x7F))
    return bytes(digits)


def signature(numerator, exponent):
    return bytes([0xFF, 0x58, 4, numerator, exponent, 24, 8])


def name(text):
    return b"\xff\x03" + quantity(len(text)) + text


def chunk(kind, data, length=None):
    return kind + struct.pack(">I", len(data) if length is None else length) + data


def track(events, end=0):
    """(tick, bytes) pairs as a track's data."""
    data, now = b"", 0
    for tick, event in sorted(events, key=lambda pair: pair[0]):
        data += quantity(tick - now) + event
        now = tick
    return data + quantity(max(end - now, 0)) + END


def smf(tracks, announced=None, division=480):
    announced = len(tracks) if announced is None else announced
    return chunk(b"MThd", struct.pack(">HHH", 1, announced, division)) + b"".join(chunk(b"MTrk", t) for t in tracks)


def note(tick, pitch, velocity=100, channel=10):
    return [(tick, bytes([0x90 | channel - 1, pitch, velocity])), (tick + 30, bytes([0x80 | channel - 1, pitch, 64]))]


def beat(bars=1, kick=36, snare=38, channel=10, beats=4, start=0):
    return [e for q in range(bars * beats) for e in note(start + q * 480, snare if q % 2 else kick, 100, channel)]


FOUR_FOUR = track([(0, signature(4, 2)), (0, TEMPO)])
KIT = smf([FOUR_FOUR, track(beat())])


def kit(*more):
    return smf([FOUR_FOUR, track(beat() + list(more))])


def headed(event):
    return smf([track([(0, event)]), track(beat())])


PLAIN = smf([track([(0, TEMPO)]), track(beat(4))])
BOTH = FOUR_FOUR[:-4] + track(beat())
RMID = b"RMIDdata" + struct.pack("<I", len(KIT)) + KIT
PIANO = smf([FOUR_FOUR, track([(0, name(b"Piano")), (0, b"\xc0\x00")] +
                              [e for i, p in enumerate((48, 52, 55, 59)) for e in note(i * 480, p, 80, 1)])])
CLICK = smf([FOUR_FOUR, track([(0, name(b"Click"))] + [e for q in range(4) for e in note(q * 480, 37)]),
             track([(0, name(b"Superior Drummer"))] + beat(channel=1))])
NINE = smf([FOUR_FOUR, track([e for i, p in enumerate((36, 38, 42, 46, 45, 48, 50, 49, 51)) for e in note(i * 120, p)],
                             1920)])

# name: (bytes, hits or None where it is skipped, words that must be said, flags)
CASES = {
    "control.mid": (KIT, 4, None, []),
    "kick35.mid": (smf([FOUR_FOUR, track(beat(kick=35))]), 4, None, []),
    "bfd.mid": (smf([FOUR_FOUR, track(beat(kick=24, snare=29))]), 2, r"pitch 24 \(C1\) is not in drum map general(.|\n)*--drum_map=\w+ keeps 4 of 4(.|\n)*"
                "with it there is no kick and no snare", []),
    "roland.mid": (kit(*note(240, 58)), 5, None, ["--drum_map=roland"]),
    "piano.mid": (PIANO, None, "nothing identifies its notes as drums", []),
    "piano_all.mid": (PIANO, 4, None, ["--channel=all"]),
    "click.mid": (CLICK, 4, "click.mid: drums are taken from channel 1 (track 'Superior Drummer')", []),
    "click10.mid": (CLICK, 4, None, ["--channel=10"]),
    "click_track.mid": (CLICK, 4, None, ["--track=superior"]),
    "cc168.mid": (kit((0, b"\xb0\x07\xa8")), 4, "cc168.mid: track 2: byte", []),
    "velocity200.mid": (kit((960, b"\x99\x2e\xc8")), 5, "velocity clipped to 127", []),
    "signature2.mid": (headed(b"\xff\x58\x02\x04\x02"), 4, "is not four bytes long: skipped", []),
    "signature0.mid": (headed(signature(0, 2)), 4, "is 0/2^2: skipped", []),
    "tempo0.mid": (headed(b"\xff\x51\x03\0\0\0"), 4, "0 microseconds per quarter note: skipped", []),
    "clock.mid": (kit((480, b"\xf8")), 4, "status 0xf8", []),
    "clock_strict.mid": (kit((480, b"\xf8")), None, "skipped: .*clock_strict.mid: track 2: byte", ["--strict"]),
    "cut.mid": (KIT[:-1], 4, "reaches 1 byte past the end of the file", []),
    "over.mid": (chunk(b"MThd", struct.pack(">HHH", 0, 1, 480)) + chunk(b"MTrk", BOTH, len(BOTH) + 4), 4,
                 "reaches 4 bytes past", []),
    "zero.mid": (chunk(b"MThd", struct.pack(">HHH", 0, 1, 480)) + chunk(b"MTrk", BOTH, 0), 4, "read on", []),
    "three.mid": (smf([FOUR_FOUR, track(beat())], 3), 4, "gives 3 tracks, the file has 2", []),
    "one.mid": (smf([FOUR_FOUR, track(beat())], 1), 4, "gives 1 track, the file has 2", []),
    "trailing.mid": (KIT + b"\0" * 100, 4, "100 bytes from byte", []),
    "riff.rmi": (b"RIFF" + struct.pack("<I", len(RMID)) + RMID, 4, "a RIFF file", []),
    "Take_1-4.mid": (PLAIN, 16, None, []),
    "4_jazz_120_beat_3-4_12.midi": (smf([track([(0, TEMPO)]), track(beat(4, beats=3))]), 12, "1 time signature from", []),
    "cut_time.mid": (smf([track([(0, signature(2, 1))]), track(beat(4), 7680)]), 16, None, ["--is_beat", "--beat=4-4"]),
    "eight_eight.kar": (smf([track([(0, signature(8, 3))]), track(beat(4), 7680)]), 16, None, ["--is_beat"]),
    "nine.smf": (NINE, 9, None, []),
    b"\x83h\x83\x89.MID".decode("utf-8", "surrogateescape"): (KIT, 4, None, []),
}
WHOLE = ("control.mid", "kick35.mid", "nine.smf", "cut_time.mid", "Take_1-4.mid")


def run(command, status=0):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == status, f"{command}: {done.returncode}\n{done.stderr}"
    return done.stderr


def hits_of(data):
    with h5py.File(os.path.join(data, "index.h5")) as index:
        return {(int(step), int(drum)) for step, drum in zip(*index["hits"][:].nonzero())}, index["performances"][:]


def hits_by_mido(path):
    """Steps with any onset."""
    file, steps = mido.MidiFile(path), set()
    for events in file.tracks:
        tick = 0
        for message in events:
            tick += message.time
            if message.type == "note_on" and message.velocity > 0:
                steps.add((8 * tick + file.ticks_per_beat) // (2 * file.ticks_per_beat))
    return steps


def check_case(bin_dir, folder, number, case, expected):
    data, hits, words, flags = expected
    source, output = os.path.join(folder, f"in{number}"), os.path.join(folder, f"out{number}")
    os.mkdir(source)
    with open(os.fsencode(os.path.join(source, case)), "wb") as file:
        file.write(data)
    said = run([os.path.join(bin_dir, "drumline-preprocess"), "--input_dir", source, "--output_dir", output, *flags],
               0 if hits else 1)
    if words:
        import re
        assert words in said or re.search(words, said), f"{case}: does not say '{words}':\n{said}"
    else:
        assert "warning" not in said, f"{case}: {said}"
    if not hits:
        return
    found, rows = hits_of(output)
    assert len(found) == hits, f"{case}: {len(found)} hits, not {hits}"
    assert len(rows) == 1, f"{case}: {len(rows)} performances"
    if case == "nine.smf":
        assert found == {(i, i) for i in range(9)}, f"{case}: {found}"
    if case in WHOLE:
        assert {step for step, _ in found} == hits_by_mido(os.path.join(source, case)), f"{case}: mido reads others"
    if case.startswith("4_jazz"):
        assert (rows[0]["numerator"], rows[0]["denominator"]) == (3, 4), case
    if not case.isascii():
        assert rows[0]["path"] == rb"\x83h\x83\x89.MID", rows[0]["path"]


INPUTS = {
    "silent_end.mid": (smf([FOUR_FOUR, track(beat(3))]), "has 3 bars: padded with silence"),
    "pick_up.mid": (smf([FOUR_FOUR, track(beat(4) + note(7640, 49, 110), 7680)]), "just before bar 5"),
    "one_bar.mid": (smf([FOUR_FOUR, track(beat(), 1920)]), "has 1 bar: repeated"),
    "count_in.mid": (smf([track([(0, signature(2, 2)), (960, signature(4, 2))]),
                          track(note(0, 37) + note(480, 37) + beat(4, start=960))]), "the part in 4/4 from beat 3"),
}


def check_inputs(bin_dir, make_checkpoint, folder):
    """Played; what comes out is a loop of exactly four bars."""
    checkpoint = os.path.join(folder, "checkpoint.h5")
    run([make_checkpoint, "groovae_4bar", "enc_rnn_size=[8],dec_rnn_size=[8,8],z_size=4", "1", checkpoint])
    for case, (data, words) in INPUTS.items():
        path, output = os.path.join(folder, case), os.path.join(folder, "played_" + case)
        with open(path, "wb") as file:
            file.write(data)
        said = run([os.path.join(bin_dir, "drumline-generate"), "--checkpoint_file", checkpoint, "--mode=reconstruct",
                    "--num_outputs=2", "--temperature=2", "--seed=1", "--input_midi_1", path, "--output_dir", output])
        assert words in said, f"{case}: does not say '{words}':\n{said}"
        for made in os.listdir(output):
            file = mido.MidiFile(os.path.join(output, made))
            ticks = sum(message.time for message in file.tracks[0])
            assert ticks == 4 * 4 * file.ticks_per_beat, f"{case}: {made} is {ticks} ticks long"
            channels = {message.channel for message in file.tracks[0] if message.type == "note_on"}
            assert channels <= {9}, f"{case}: channels {channels}"


def main():
    bin_dir, make_checkpoint = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        for number, (case, expected) in enumerate(CASES.items()):
            check_case(bin_dir, folder, number, case, expected)
        check_inputs(bin_dir, make_checkpoint, folder)
    print(f"{len(CASES)} files and {len(INPUTS)} inputs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
