#!/usr/bin/python3
"""Evaluates the models of a folder on a data set, and writes what was measured into the folder's README.md.

    tools/models_card.py DATA [--models=models] [--baselines=FOLDER] [--split=validation] [--print]

DATA is a data set of drumline-preprocess (tools/train_models.sh makes one in WORK_DIR/data). Every NAME.h5 of the folder is evaluated
by drumline-train --mode=eval, and the tables between the two "measured" comments of README.md are written again. Models of the
same names in --baselines, say of another recipe, are evaluated by the same code and stand below. --print: only print the tables.
Programs are those of build/release/bin, or of DRUMLINE_BIN.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import music_checks # pylint: disable=wrong-import-position

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BEGIN, END = "<!-- measured: written by tools/models_card.py -->", "<!-- end of measured -->"
PREFIXES = {"train": "train_", "validation": "val_", "test": "test_"}
SAMPLES = 1000
DISTRIBUTIONS = {"drums": "drums a window", "hits": "hits a bar", "classes": "drums", "steps": "steps",
                 "velocities": "velocities", "offsets": "offsets"}


class Model:
    """A model file and what --mode=eval found of it."""

    def __init__(self, path, program, options):
        self.path, self.name = path, os.path.basename(path)[:-len(".h5")]
        self.prefix = PREFIXES[options.split]
        described = subprocess.run([os.path.join(os.path.dirname(program), "drumline-info"), "--json", path], capture_output=True,
                                   text=True, check=True).stdout
        self.bars = json.loads(described)["hparams"]["bars"]
        self.line = self.evaluate(program, options)
        try:
            self.noisy = self.evaluate(program, options, "--velocity_noise=1", "--timing_noise=1")
        except subprocess.CalledProcessError:
            self.noisy = None # the file does not say how much there should be
        plays_by_itself = "samples_count" in self.line and self.line["task"] == "reconstruct"
        self.music = music_checks.judge(path, options.data, options.split) if plays_by_itself else {}

    def evaluate(self, program, options, *arguments):
        command = [program, "--mode=eval", f"--checkpoint_file={self.path}", f"--examples_path={options.data}",
                   f"--eval_split={options.split}"] + list(arguments)
        for samples in ([f"--num_samples={SAMPLES}"], []): # a model that plays to an input has no samples
            with tempfile.TemporaryDirectory() as folder:
                job = subprocess.run(command + samples + [f"--run_dir={folder}"], capture_output=True, text=True, check=False)
                if job.returncode == 0:
                    with open(os.path.join(folder, "eval", "metrics.jsonl"), encoding="utf-8") as file:
                        return json.loads(file.readlines()[-1])
                if samples and "plays to an input" in job.stderr:
                    continue
            raise subprocess.CalledProcessError(job.returncode, command, job.stdout, job.stderr)
        raise AssertionError

    def number(self, name, digits, line=None):
        """A metric as text, of the split's beats where they are known: in the way of decoding and of the drums that the model is
        judged by."""
        line = line or self.line
        way = {"humanize": "keep_", "hits_control": "keep_", "add": "added_"}.get(line["task"], "")
        beats = "beats_" if "num_beats_windows" in line else ""
        added, way = ("added_", "") if way == "added_" else ("", way)
        value = line.get(f"{self.prefix}{way}{beats}{added}{name}")
        return "-" if value is None else f"{value:.{digits}f}"

    def loss(self, name, digits):
        return f"{self.line[self.prefix + name]:.{digits}f}"


def table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def losses(models):
    return table(("model", "best step", "file", "loss", "hits", "velocities", "offsets", "KL, bits", "hits F1"), [
        (f"`{m.name}`", f"{m.line['step']:,}", f"{os.path.getsize(m.path) / 1e6:.1f} MB", m.loss("comparable_loss", 2),
         m.loss("hits_loss", 2), m.loss("velocities_loss", 2), m.loss("offsets_loss", 2), m.loss("kl_bits", 1),
         m.loss("tf_f1", 3)) for m in models])


def qualities(models):
    rows = []
    for model in models:
        for words, line in (("", model.line), (", noise 1", model.noisy)):
            if line:
                n = lambda name, digits, line=line: model.number(name, digits, line)
                rows.append((f"`{model.name}`{words}", line["task"], n("f1", 3), n("cell_accuracy", 4), n("silence_accuracy", 4),
                             n("velocity_mae", 1), f"{n('timing_mae_ms', 2)} ({n('quantized_mae_ms', 2)})",
                             n("timing_mae_ratio", 3), n("timing_mse_ratio", 3), n("timing_kl", 2), n("velocity_kl", 2)))
    return table(("model", "task", "F1", "accuracy", "of silence", "velocity MAE", "timing MAE, ms (quantized)", "ratio",
                  "MSE ratio", "timing KL", "velocity KL"), rows)


def samples(models, split):
    models = [model for model in models if "samples_count" in model.line]
    if not models:
        return []
    prefix = PREFIXES[split]
    names = list(DISTRIBUTIONS)
    headings = ("model",) + tuple(DISTRIBUTIONS.values()) + ("four drums", "silent", "copies")
    rows = []
    def add(words, line, divergence, four, silent, copies):
        cells = [f"{line[divergence.format(name)]:.4f}" if divergence.format(name) in line else "-" for name in names]
        cells += [f"{line[key]:.3f}" if key in line else "-" for key in (four, silent, copies)]
        rows.append((words, *cells))
    for model in models:
        add(f"`{model.name}`", model.line, "samples_{}_divergence", "samples_four_drums_share", "samples_silent_share",
            "samples_copied_share")
    bars = {}
    for model in models:
        bars.setdefault(model.line["num_windows"], model)
    for model in bars.values():
        line = model.line
        words = "" if len(bars) == 1 else f", {line['num_windows']} windows"
        add(f"floor{words}", line, "samples_{}_floor", "data_four_drums_share", "", "")
        add(f"{split}{words}", line, prefix + "{}_divergence", f"{prefix}four_drums_share", "", f"{prefix}copied_share")
    return table(headings, rows)


def musics(models, split):
    rows = []
    for m in models:
        if m.music:
            n = lambda name, m=m: f"{m.music[name]:.3f}" if name in m.music else "-"
            rows.append((f"`{m.name}`", str(len(m.music.get("styles", []))), n("styles_split_accuracy"), n("styles_samples_accuracy"),
                         n("styles_chance"), *(f"{m.music[name]} of {m.music['interpolations']}" for name in
                                               ("interpolations_smooth", "interpolations_exact"))))
    return rows and table(("model", "styles", f"accuracy on {split}", "of samples", "by chance", "smooth interpolations",
                           "with exact ends"), rows)


def page(models, baselines, split):
    windows = sorted({(m.line["num_windows"], m.line.get("num_beats_windows", 0), m.bars) for m in models})
    lines = [f"On the {split} split, by `tools/models_card.py`: non-overlapping windows ("
             + "; ".join(f"{bars} bar{'' if bars == 1 else 's'}: {count:,}" + (f", of which {beats:,} are beats" if beats else "")
                         for count, beats, bars in windows) + ").",
             "[formats.md](../docs/formats.md#metrics) defines every metric.", "",
             "Losses, teacher-forced, with beta 0.2 and 48 free bits for all; hits F1 teacher-forced from the mean of z; best step: that of the lowest",
             "`val_loss`, whose weights are shipped:", ""]
    lines += losses(models)
    lines += ["Music, of beats only, free-running from the mean of z, with a threshold of 0.5 for hits; models that are given all hits keep them,",
              "and a model that adds a drum is evaluated on that drum only:", ""]
    lines += qualities(models)
    lines += [f"{SAMPLES:,} samples at default settings: Jensen-Shannon divergences in bits from the train split, beside those of as many train",
              "windows from the rest (floor); shares with at least four drums, silent, and nearly the same as a training window (copies):", ""]
    lines += samples(models, split)
    if any(m.music for m in models):
        lines += ["Styles, classified by the nearest mean of latent vectors: balanced accuracy of windows, and of samples with `--style` whose MIDI was read",
                  "and encoded again. Interpolations between random windows in nine outputs: smooth if no step is as large as the difference of the ends;",
                  "exact if the ends have the hits of `--mode=reconstruct`. By `tools/music_checks.py`:", ""]
        lines += musics(models, split)
    if baselines:
        lines += ["The published recipe (Magenta's hparams, trained by Drumline), by the same code:", ""]
        lines += losses(baselines) + qualities(baselines)
    return "\n".join(lines).rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="data set of drumline-preprocess")
    parser.add_argument("--models", default=os.path.join(TOP, "models"), metavar="FOLDER")
    parser.add_argument("--baselines", metavar="FOLDER")
    parser.add_argument("--split", default="validation", choices=sorted(PREFIXES))
    parser.add_argument("--print", action="store_true", help="leave README.md as it is")
    options = parser.parse_args()
    program = os.path.join(os.environ.get("DRUMLINE_BIN", os.path.join(TOP, "build", "release", "bin")), "drumline-train")

    def evaluate(folder):
        models = []
        for name in sorted(os.listdir(folder)) if folder else []:
            if name.endswith(".h5"):
                print(f"{name} ...", file=sys.stderr)
                models.append(Model(os.path.join(folder, name), program, options))
        return models
    try:
        text = page(evaluate(options.models), evaluate(options.baselines), options.split)
    except subprocess.CalledProcessError as failure:
        sys.exit(f"{' '.join(failure.cmd)}: status {failure.returncode}\n{failure.stderr}")
    readme = os.path.join(options.models, "README.md")
    if options.print:
        print(text)
        return
    with open(readme, encoding="utf-8") as file:
        before, begin, rest = file.read().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{readme}: lacks the lines {BEGIN} and {END}")
    with open(readme, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


if __name__ == "__main__":
    main()
