#!/usr/bin/python3
"""Quality of drumming, measured from files alone: a second opinion on drumline-train --mode=eval.

    tools/quality.py DATA --split=validation --bars=2 --decoded=FOLDER --kept=FOLDER --samples=FOLDER

Prints one JSON object with the names of RUN/eval/metrics.jsonl (docs/formats.md). DATA is a data set of drumline-preprocess, read
with h5py. The folders hold MIDI files, read with mido. --decoded and --kept: what a model made of each window of the split, side
by side windows in the order of the data set; the files, sorted by name, are as many. --samples: any number of samples. Nothing here
uses Drumline's code, and its definitions are written down a second time.

MIDI files are loops as --wrap_pick_up of drumline-generate writes them: what is played before the first beat is at the end.
"""
import argparse
import json
import math
import os
import sys

import h5py
import mido
import numpy

CLASSES = ("kick", "snare", "closed hi-hat", "open hi-hat", "low tom", "mid tom", "high tom", "crash", "ride")
PITCHES = {36: 0, 38: 1, 37: 1, 40: 1, 42: 2, 22: 2, 44: 2, 46: 3, 26: 3, 43: 4, 58: 4, 45: 4, 47: 5, 48: 5, 50: 6,
           49: 7, 52: 7, 55: 7, 57: 7, 51: 8, 53: 8, 59: 8} # as files are written: 45 is the low tom
BAR = 16 # steps
OFFSET_BINS, VELOCITY_BINS = 33, 32
PREFIXES = {"train": "train_", "validation": "val_", "test": "test_"}
DRAWS = 20


class Windows:
    """Windows as arrays [count, steps, 9]: hits (bool), velocity, offset; with each one's tempo and performance."""

    def __init__(self, hits, velocity, offset, qpm=None, performance=None, beats=None):
        self.hits, self.velocity, self.offset = hits, velocity, offset
        self.qpm, self.performance, self.beats = qpm, performance, beats

    def __len__(self):
        return len(self.hits)

    def part(self, which):
        return Windows(self.hits[which], self.velocity[which], self.offset[which])


def read_windows(index, split, bars, hop):
    """The windows of a split that begin every `hop` bars."""
    hits, velocity, offset = (index[name][:] for name in ("hits", "velocity", "offset"))
    starts, qpm, performances, beats = [], [], [], []
    for number, row in enumerate(index["performances"][:]):
        if row["split"].decode() != split or row["numerator"] != row["denominator"]: # a bar of 16 steps
            continue
        for bar in range(0, int(row["num_steps"]) // BAR - bars + 1, hop):
            starts.append(int(row["first_step"]) + BAR * bar)
            qpm.append(float(row["qpm"]))
            performances.append(number)
            beats.append("beat_type" in row.dtype.names and row["beat_type"] == b"beat")
    steps = numpy.array(starts, dtype=int)[:, None] + numpy.arange(BAR * bars)
    return Windows(hits[steps] > 0, velocity[steps].astype(int), offset[steps].astype(float), numpy.array(qpm),
                   numpy.array(performances), numpy.array(beats, dtype=bool))


def read_midi(path, bars):
    """One window's hits, velocity and offset."""
    file = mido.MidiFile(path)
    grid = numpy.zeros((3, BAR * bars, len(CLASSES)))
    step_ticks = file.ticks_per_beat / 4
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type != "note_on" or message.velocity == 0 or message.note not in PITCHES:
                continue
            step, drum = math.floor(tick / step_ticks + 0.5), PITCHES[message.note]
            offset, step = 2 * (step - tick / step_ticks), step % (BAR * bars)
            if message.velocity > grid[1, step, drum]:
                grid[:, step, drum] = 1, message.velocity, offset
    return grid


def read_folder(folder, bars):
    paths = sorted(name for name in os.listdir(folder) if name.endswith((".mid", ".midi")))
    grids = numpy.array([read_midi(os.path.join(folder, name), bars) for name in paths])
    if len(grids) == 0:
        sys.exit(f"{folder}: holds no MIDI files")
    return Windows(grids[:, 0] > 0, grids[:, 1].astype(int), grids[:, 2])


def offset_bins(offset):
    return numpy.clip(numpy.floor((offset + 1) / 2 * OFFSET_BINS).astype(int), 0, OFFSET_BINS - 1)


def velocity_bins(velocity):
    return numpy.clip((velocity - 1) * VELOCITY_BINS // 126, 0, VELOCITY_BINS - 1)


def kl_nats(data, model, bins):
    """KL(data, model) of values that are numbers of bins, each bin with one more."""
    p, q = (numpy.bincount(values, minlength=bins) + 1 for values in (data, model))
    p, q = p / p.sum(), q / q.sum()
    return float((p * numpy.log(p / q)).sum())


def mean_kl(target, made, which, classes, values, bins):
    """Mean over classes, weighted by the target's hits."""
    total = weights = 0
    for drum in classes:
        chosen = [values(side)[which][..., drum][side.hits[which][..., drum]] for side in (target, made)]
        total += len(chosen[0]) * kl_nats(*chosen, bins)
        weights += len(chosen[0])
    return total / weights if weights else math.nan


def ratio(a, b):
    return a / b if b else math.nan


def compare(target, made, which, classes):
    """Metrics over the windows of a mask and some classes."""
    classes = list(classes)
    a, b = target.hits[which][..., classes], made.hits[which][..., classes]
    both = a & b
    wanted = target.offset[which][..., classes]
    difference = (made.offset[which][..., classes] - wanted)[both] / 2
    wanted = wanted[both] / 2
    step_ms = numpy.broadcast_to((60000 / 4 / target.qpm[which])[:, None, None], a.shape)[both]
    velocity = numpy.abs(target.velocity[which][..., classes] - made.velocity[which][..., classes])[both]
    count = int(both.sum())
    return {
        "precision": ratio(count, b.sum()),
        "recall": ratio(count, a.sum()),
        "f1": ratio(2 * count, a.sum() + b.sum()) if a.sum() + b.sum() else 0.0,
        "cell_accuracy": ratio((a == b).sum(), a.size),
        "silence_accuracy": ratio((~a).sum(), a.size),
        "velocity_mae": ratio(velocity.sum(), count),
        "timing_mae_ms": ratio((numpy.abs(difference) * step_ms).sum(), count),
        "quantized_mae_ms": ratio((numpy.abs(wanted) * step_ms).sum(), count),
        "timing_mae_ratio": ratio((numpy.abs(difference) * step_ms).sum(), (numpy.abs(wanted) * step_ms).sum()),
        "timing_mse": ratio((difference ** 2).sum(), count),
        "quantized_mse": ratio((wanted ** 2).sum(), count),
        "timing_mse_ratio": ratio((difference ** 2).sum(), (wanted ** 2).sum()),
        "timing_cells": count,
        "timing_kl": mean_kl(target, made, which, classes, lambda side: offset_bins(side.offset), OFFSET_BINS),
        "velocity_kl": mean_kl(target, made, which, classes, lambda side: velocity_bins(side.velocity), VELOCITY_BINS),
    }


def put(result, prefix, metrics):
    result.update({prefix + name: float(value) for name, value in metrics.items() if math.isfinite(value)})


def compare_all(result, prefix, target, made):
    if len(made) != len(target):
        sys.exit(f"{len(made)} MIDI files for {len(target)} windows")
    subsets = {"": numpy.ones(len(target), dtype=bool)}
    if target.beats.any():
        subsets["beats_"] = target.beats
    for subset, which in subsets.items():
        put(result, f"{prefix}{subset}", compare(target, made, which, range(len(CLASSES))))
        for drum, name in enumerate(CLASSES):
            put(result["by_class"].setdefault(name, {}), f"{prefix}{subset}", compare(target, made, which, [drum]))


def distributions(windows):
    """Histograms, by name."""
    hits = windows.hits
    bars = hits.reshape(len(hits), -1, BAR, len(CLASSES))
    count = numpy.bincount
    return {
        "drums": count(hits.any(axis=1).sum(axis=1), minlength=10),
        "hits": count(numpy.minimum(bars.sum(axis=(2, 3)), 63).ravel(), minlength=64),
        "classes": hits.sum(axis=(0, 1)),
        "steps": bars.sum(axis=(0, 1, 3)),
        "velocities": count(velocity_bins(windows.velocity)[hits], minlength=VELOCITY_BINS),
        "offsets": count(offset_bins(windows.offset)[hits], minlength=OFFSET_BINS),
    }


def jensen_shannon_bits(a, b):
    p, q = a / a.sum(), b / b.sum()
    middle = (p + q) / 2
    def kl(x):
        return (x[x > 0] * numpy.log2(x[x > 0] / middle[x > 0])).sum()
    return float((kl(p) + kl(q)) / 2)


def divergences(a, b):
    a, b = distributions(a), distributions(b)
    return {name: jensen_shannon_bits(a[name], b[name]) for name in a}


def floor_of(train, size):
    """Mean divergence of draws of whole performances from the others."""
    random = numpy.random.default_rng(0)
    draws = []
    for _ in range(DRAWS):
        order, taken, count = random.permutation(numpy.unique(train.performance)), [], 0
        for performance in order:
            if count >= size:
                break
            taken.append(performance)
            count += (train.performance == performance).sum()
        position = {performance: place for place, performance in enumerate(order)}
        drawn = numpy.flatnonzero(numpy.isin(train.performance, taken))
        drawn = drawn[numpy.argsort([position[p] for p in train.performance[drawn]], kind="stable")][:size]
        draws.append(divergences(train.part(drawn), train.part(~numpy.isin(train.performance, taken))))
    return {name: float(numpy.mean([draw[name] for draw in draws])) for name in draws[0]}


def copied_share(windows, everywhere, bars):
    """Share of windows that differ from one of the train split's, at any bar, in less than two cells a bar."""
    flat = everywhere.hits.reshape(len(everywhere), -1)
    return float(numpy.mean([((flat != one.ravel()).sum(axis=1) < 2 * bars).any() for one in windows.hits]))


def judge_samples(result, samples, index, split, target, bars):
    train, everywhere = read_windows(index, "train", bars, bars), read_windows(index, "train", bars, 1)
    prefix = PREFIXES[split]
    put(result, "samples_", {f"{name}_divergence": value for name, value in divergences(samples, train).items()})
    floor = floor_of(train, min(len(samples), len(train) // 2))
    put(result, "samples_", {f"{name}_floor": value for name, value in floor.items()})
    result["samples_count"] = len(samples)
    for name, windows in (("samples_", samples), ("data_", train), (prefix, target)):
        result[f"{name}four_drums_share"] = float((windows.hits.any(axis=1).sum(axis=1) >= 4).mean())
    result["samples_silent_share"] = float((~samples.hits.any(axis=(1, 2))).mean())
    result["samples_copied_share"] = copied_share(samples, everywhere, bars)
    if split != "train":
        put(result, prefix, {f"{name}_divergence": value for name, value in divergences(target, train).items()})
        share = result[f"{prefix}copied_share"] = copied_share(target, everywhere, bars)
        result[f"{prefix}copied_standard_error"] = math.sqrt(share * (1 - share) / len(target))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="data set of drumline-preprocess")
    parser.add_argument("--split", default="validation", choices=sorted(PREFIXES))
    parser.add_argument("--bars", type=int, required=True, help="of a window")
    parser.add_argument("--decoded", metavar="FOLDER", help="MIDI that a model made of each window")
    parser.add_argument("--kept", metavar="FOLDER", help="the same with the windows' hits kept")
    parser.add_argument("--samples", metavar="FOLDER", help="MIDI of samples")
    options = parser.parse_args()
    with h5py.File(os.path.join(options.data, "index.h5"), "r") as index:
        target = read_windows(index, options.split, options.bars, options.bars)
        result = {"split": options.split, "num_windows": len(target), "by_class": {}}
        if target.beats.any():
            result["num_beats_windows"] = int(target.beats.sum())
        prefix = PREFIXES[options.split]
        if options.decoded:
            compare_all(result, prefix, target, read_folder(options.decoded, options.bars))
        if options.kept:
            compare_all(result, f"{prefix}keep_", target, read_folder(options.kept, options.bars))
        if options.samples:
            judge_samples(result, read_folder(options.samples, options.bars), index, options.split, target, options.bars)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
