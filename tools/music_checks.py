#!/usr/bin/python3
"""Judges what drumline-generate writes with a model that samples: styles and interpolations.

    tools/music_checks.py MODEL.h5 DATA [--split=validation] [--samples=200] [--pairs=100]

Prints one JSON object. DATA is a data set of drumline-preprocess. Programs are those of build/release/bin, or of DRUMLINE_BIN.

Styles: those that the model has a density of, that have at least 20 windows in the split, and are no part of another. --samples of each are
generated with --style, and the MIDI files are read and encoded again. A window is taken for the style whose mean latent vector is
nearest; balanced accuracy is the mean share of windows taken for their own style, of the split's windows and of the samples.

Interpolations: between --pairs random pairs of the split's windows, nine outputs each, as drumline-generate makes them by default. One is
smooth if each output differs from the next in fewer hits than its ends differ from one another. Its ends have to have the hits that
--mode=reconstruct gives with the same seed.

The encoder is a second one, of numpy.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import h5py
import mido
import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import quality # pylint: disable=wrong-import-position

BIN = os.environ.get("DRUMLINE_BIN", os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build",
                                                  "release", "bin"))
PITCHES = (36, 38, 42, 46, 45, 48, 50, 49, 51) # as drumline-generate writes the nine drums
TICKS = 120 # a sixteenth
OUTPUTS = 9
STYLE_WINDOWS = 20


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


class Model:
    """The encoder of a model file, and its latent densities."""

    def __init__(self, path):
        with h5py.File(path, "r") as file:
            self.path, self.bars = path, int(file.attrs["bars"])
            if file.attrs.get("hits_as_controls") or file.attrs.get("input_as_controls"):
                sys.exit(f"{path}: plays to an input: it has no samples")
            self.layers = len(file.attrs["enc_rnn_size"])
            self.tensors = {}
            file["model/encoder"].visititems(lambda name, item: self.tensors.update({name: item[()].astype("f4")})
                                             if isinstance(item, h5py.Dataset) else None)
            names = file.attrs["latent_styles"] if "latent_styles" in file.attrs else ""
            names = names.decode() if isinstance(names, bytes) else names
            self.styles = dict(zip(names.split("\n"), file["latents/styles/means"][()])) if names else {}

    def lstm(self, x, name):
        """h [B, T, H] over x [B, T, I]."""
        kernel, bias = (self.tensors[f"{name}/{part}"] for part in ("kernel", "bias"))
        units = len(bias) // 4
        h = c = numpy.zeros((len(x), units), "f4")
        made = numpy.empty((len(x), x.shape[1], units), "f4")
        for t in range(x.shape[1]):
            i, update, forget, output = numpy.split(numpy.concatenate([x[:, t], h], axis=1) @ kernel + bias, 4, axis=1)
            c = sigmoid(forget + 1) * c + sigmoid(i) * numpy.tanh(update)
            h = made[:, t] = sigmoid(output) * numpy.tanh(c)
        return made

    def encode(self, windows):
        """mu [B, Z] of quality.Windows."""
        x = numpy.concatenate([windows.hits, windows.velocity / 127 * windows.hits, windows.offset * windows.hits], axis=2).astype("f4")
        for layer in range(self.layers):
            forward = self.lstm(x, f"forward/layer_{layer}")
            backward = self.lstm(x[:, ::-1], f"backward/layer_{layer}")[:, ::-1]
            x = numpy.concatenate([forward, backward], axis=2)
        last = numpy.concatenate([forward[:, -1], backward[:, 0]], axis=1)
        return last @ self.tensors["mu/kernel"] + self.tensors["mu/bias"]

    def generate(self, folder, *arguments):
        """The windows that drumline-generate writes."""
        command = [os.path.join(BIN, "drumline-generate"), f"--checkpoint_file={self.path}", f"--output_dir={folder}", "--seed=0",
                   "--wrap_pick_up", "--log=warning", *arguments]
        job = subprocess.run(command, capture_output=True, text=True, check=False)
        if job.returncode != 0:
            sys.exit(f"{' '.join(command)}: status {job.returncode}\n{job.stderr}")
        return quality.read_folder(folder, self.bars)


def wide_styles(index, performances):
    """The style of each window: what is before the first "/"."""
    rows = index["performances"][:]
    return numpy.array([rows[number]["style"].decode().partition("/")[0] for number in performances])


def balanced_accuracy(model, names, mu, styles):
    """Of windows with these latent vectors and styles."""
    means = numpy.array([model.styles[name] for name in names])
    nearest = ((mu[:, None] - means[None]) ** 2).sum(axis=2).argmin(axis=1)
    return float(numpy.mean([(nearest[styles == name] == number).mean() for number, name in enumerate(names)]))


def judge_styles(model, windows, styles, samples):
    names = [name for name in model.styles if "/" not in name and (styles == name).sum() >= STYLE_WINDOWS]
    if len(names) < 2:
        return {}
    known = numpy.isin(styles, names)
    result = {"styles": names, "styles_chance": 1 / len(names),
              "styles_split_accuracy": balanced_accuracy(model, names, model.encode(windows.part(known)), styles[known])}
    mu = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            mu.append(model.encode(model.generate(folder, f"--style={name}", f"--num_outputs={samples}")))
    result["styles_samples_accuracy"] = balanced_accuracy(model, names, numpy.concatenate(mu), numpy.repeat(names, samples))
    return result


def write_window(path, windows, number):
    """As a loop, like those of --wrap_pick_up."""
    length, notes = windows.hits.shape[1] * TICKS, []
    for step, drum in zip(*numpy.nonzero(windows.hits[number])):
        tick = round((step - windows.offset[number, step, drum] / 2) * TICKS) % length
        pitch, velocity = PITCHES[drum], int(windows.velocity[number, step, drum])
        notes += [(tick, "note_on", pitch, velocity), (min(tick + TICKS // 2, length), "note_off", pitch, 0)]
    track, now = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=4, denominator=4)]), 0
    for tick, kind, pitch, velocity in sorted(notes):
        track.append(mido.Message(kind, channel=9, note=pitch, velocity=velocity, time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=length - now))
    mido.MidiFile(type=0, ticks_per_beat=4 * TICKS, tracks=[track]).save(path)


def interpolate(model, paths, folder):
    """Whether an interpolation is smooth, and whether its ends are what reconstruct gives."""
    inputs = [f"--input_midi_{number + 1}={path}" for number, path in enumerate(paths)]
    bars = [f"--input_bar_{number + 1}=1" for number in range(2)]
    hits = model.generate(os.path.join(folder, "between"), "--mode=interpolate", f"--num_outputs={OUTPUTS}", *inputs, *bars).hits
    steps = [(a != b).sum() for a, b in zip(hits, hits[1:])]
    ends = [model.generate(os.path.join(folder, f"end{number}"), "--mode=reconstruct", "--num_outputs=1", f"--input_midi_1={path}",
                           "--input_bar_1=1").hits[0] for number, path in enumerate(paths)]
    return max(steps) < (hits[0] != hits[-1]).sum(), all((a == b).all() for a, b in zip(ends, (hits[0], hits[-1])))


def judge_interpolations(model, windows, pairs):
    random = numpy.random.default_rng(0)
    sounding = numpy.flatnonzero(windows.hits.any(axis=(1, 2)))
    smooth = exact = 0
    for _ in range(pairs):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, f"{number}.mid") for number in range(2)]
            for path, number in zip(paths, random.choice(sounding, 2, replace=False)):
                write_window(path, windows, number)
            is_smooth, is_exact = interpolate(model, paths, folder)
            smooth, exact = smooth + is_smooth, exact + is_exact
    return {"interpolations": pairs, "interpolations_smooth": int(smooth), "interpolations_exact": int(exact)}


def judge(path, data, split="validation", samples=200, pairs=100):
    model = Model(path)
    with h5py.File(os.path.join(data, "index.h5"), "r") as index:
        windows = quality.read_windows(index, split, model.bars, model.bars)
        styles = wide_styles(index, windows.performance)
    return {**judge_styles(model, windows, styles, samples), **judge_interpolations(model, windows, pairs)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL.h5")
    parser.add_argument("data", help="data set of drumline-preprocess")
    parser.add_argument("--split", default="validation", choices=sorted(quality.PREFIXES))
    parser.add_argument("--samples", type=int, default=200, help="of each style (%(default)d)")
    parser.add_argument("--pairs", type=int, default=100, help="to interpolate between (%(default)d)")
    options = parser.parse_args()
    print(json.dumps(judge(options.model, options.data, options.split, options.samples, options.pairs)))


if __name__ == "__main__":
    main()
