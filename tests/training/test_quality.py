"""What --mode=eval measures of a model's drumming: the same on any number of ranks, and the same as an independent program finds in
the MIDI files that drumline-generate makes (tools/quality.py)."""
import concurrent.futures
import csv
import json
import os
import shutil
import subprocess
import sys

import h5py

import harness

GENERATE = os.path.join(harness.BIN, "drumline-generate")
QUALITY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "quality.py")
DRUMS = os.path.join(harness.DATA, "drums")
MIDI = os.path.join(harness.DATA, "midi_drums")
SAMPLES = 60
# Big steps, so that a few of them make a model that plays.
HPARAMS = "enc_rnn_size=[24],dec_rnn_size=[32],z_size=8,batch_size=32,learning_rate=0.02,dropout_keep_prob=1,warmup_steps=0"


def tolerance(name):
    """Floors are means over 20 draws of other random numbers; in a file a hit before the first beat lies on it."""
    return 0.05 if name.endswith("_floor") else 1e-3 if name == "samples_offsets_divergence" else 1e-6


class Quality(harness.TrainingTest):
    def evaluate(self, run, name, ranks=1, **flags):
        """The line of an evaluation, and what it printed."""
        flags = {"run_dir": self.path(name), "examples_path": DRUMS, "checkpoint_file": self.path(run, "train", "best.h5"),
                 **flags}
        command = [harness.TRAIN, "--mode=eval"] + [f"--{key}={value}" for key, value in flags.items()]
        job = self.launch(command, ranks).wait()
        self.assertEqual(job.status, 0, job.output)
        line = self.metrics(name, "eval")[-1]
        del line["time"]
        return line, job.output

    def trained(self, config, bars, steps=60, fit_latents="false", **hparams):
        """A run of a small model, made once."""
        if not os.path.exists(self.path(config)):
            changes = ",".join([HPARAMS, f"bars={bars}"] + [f"{key}={value}" for key, value in hparams.items()])
            self.train(config, config=config, hparams=changes, num_steps=steps, eval_steps=steps, log_steps=steps,
                       fit_latents=fit_latents)
        return config

    def test_ranks(self):
        """The same bits, whatever the number of ranks and threads, and losses as training logs them."""
        run = self.trained("groovae_2bar_humanize", 1)
        lines = [self.evaluate(run, f"ranks{ranks}-{threads}", ranks, threads=threads)[0]
                 for ranks, threads in ((1, 1), (1, 2), (2, 1), (3, 1))]
        for line in lines[1:]:
            self.assertEqual(line, lines[0])
        trained = self.metrics(run, "eval")[-1]
        for name in ("val_loss", "val_hits_loss", "val_kl_bits", "val_hits_f1"):
            self.assertAlmostEqual(lines[0][name], trained[name], delta=1e-4 * max(1, abs(trained[name])))
        self.assertEqual(lines[0]["task"], "humanize")

    def test_samples_on_ranks(self):
        run = self.trained("groovae_4bar", 1, fit_latents="true")
        lines = [self.evaluate(run, f"samples{ranks}", ranks, num_samples=SAMPLES)[0] for ranks in (1, 2, 3)]
        self.assertEqual(lines[1], lines[0])
        self.assertEqual(lines[2], lines[0])

    def windows(self, bars):
        """The test split's windows, side by side: file and bar."""
        with h5py.File(os.path.join(DRUMS, "index.h5")) as index:
            return [(row["path"].decode(), bar) for row in index["performances"][:] if row["split"] == b"test"
                    for bar in range(1, int(row["num_steps"]) // 16 - bars + 2, bars)]

    def generate(self, folder, run, *arguments):
        command = [GENERATE, "--checkpoint_file", self.path(run, "train", "best.h5"), "--output_dir", folder,
                   "--wrap_pick_up", "--log=warning", *arguments]
        job = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(job.returncode, 0, job.stderr)

    def reconstruct(self, number, window, folder, run, *arguments):
        path, bar = window
        own = os.path.join(folder, f"{number:05}")
        self.generate(own, run, "--mode=reconstruct", "--num_outputs=1", f"--input_midi_1={MIDI}/{path}",
                      f"--input_bar_1={bar}", "--temperature=0.000001", "--drum_map=roland", "--seed=1", *arguments)
        os.rename(os.path.join(own, os.listdir(own)[0]), f"{own}.mid")
        os.rmdir(own)

    def reconstructions(self, name, run, bars, *arguments):
        """A folder of what the model makes of each window."""
        folder = self.path(name)
        os.mkdir(folder)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(self.reconstruct, number, window, folder, run, *arguments)
                         for number, window in enumerate(self.windows(bars))]:
                done.result()
        return folder

    def measure(self, bars, split, **folders):
        job = subprocess.run([sys.executable, QUALITY, DRUMS, f"--bars={bars}", f"--split={split}"] +
                             [f"--{name}={folder}" for name, folder in folders.items()], capture_output=True, text=True,
                             check=False)
        self.assertEqual(job.returncode, 0, job.stderr)
        return json.loads(job.stdout)

    def assert_same(self, line, measured, at_least):
        """All that the independent program measured is in the line, with the same value."""
        compared = 0
        for name, value in measured.items():
            if isinstance(value, dict):
                for drum, metrics in value.items():
                    self.assert_same(line[name][drum], metrics, 0)
            elif isinstance(value, str):
                self.assertEqual(line[name], value)
            else:
                self.assertIn(name, line)
                self.assertAlmostEqual(line[name], value, delta=tolerance(name), msg=name)
                compared += 1
        self.assertGreaterEqual(compared, at_least)

    def test_independent(self):
        run = self.trained("groovae_2bar_humanize", 1)
        line, _ = self.evaluate(run, "independent", eval_split="test")
        measured = self.measure(1, "test", decoded=self.reconstructions("free", run, 1),
                                kept=self.reconstructions("kept", run, 1, "--keep_hits"))
        self.assertGreater(line["test_timing_cells"], 50)
        self.assertLess(line["num_beats_windows"], line["num_windows"])
        self.assert_same(line, measured, 60)
        self.assertEqual(line["test_keep_f1"], 1)

    def test_independent_samples(self):
        """From what is fitted, with the noise of the model's residuals and velocities as they are distributed; and from N(0, 1)."""
        run = self.trained("groovae_4bar", 1, fit_latents="true")
        for latent in ("fitted", "prior"):
            line, _ = self.evaluate(run, f"sampled-{latent}", num_samples=SAMPLES, latent=latent)
            self.generate(self.path(f"midi-{latent}"), run, f"--num_outputs={SAMPLES}", "--seed=0", *(
                ["--latent=prior"] if latent == "prior" else []))
            self.assert_same(line, self.measure(1, "validation", samples=self.path(f"midi-{latent}")), 25)

    def test_interpolations(self):
        """Ends have the hits that reconstruct gives, as tools/music_checks.py finds in the MIDI files."""
        run = self.trained("groovae_4bar", 1, fit_latents="true")
        job = subprocess.run([sys.executable, os.path.join(os.path.dirname(QUALITY), "music_checks.py"), self.path(run, "train", "best.h5"),
                              DRUMS, "--pairs=3", "--samples=10"], capture_output=True, text=True, check=False,
                             env={**os.environ, "DRUMLINE_BIN": harness.BIN})
        self.assertEqual(job.returncode, 0, job.stderr)
        measured = json.loads(job.stdout)
        self.assertEqual((measured["interpolations"], measured["interpolations_exact"]), (3, 3))

    def test_added_drums(self):
        """A model that adds a drum is judged by that drum."""
        run = self.trained("groovae_2bar_add_closed_hh", 1)
        line, output = self.evaluate(run, "added")
        self.assertIn("task add:", output)
        for name in ("f1", "cell_accuracy", "timing_cells"):
            for prefix in ("val_", "val_beats_", "val_tf_"):
                self.assertEqual(line[f"{prefix}added_{name}"], line["by_class"]["closed hi-hat"][prefix + name])

    def test_without_beat_types(self):
        """From a table that does not say what is a beat: the same but for what is said of beats."""
        folder, data = self.path("midi"), self.path("unknown")
        shutil.copytree(MIDI, folder)
        with open(os.path.join(folder, "info.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with open(os.path.join(folder, "info.csv"), "w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, [name for name in rows[0] if name != "beat_type"], extrasaction="ignore")
            table.writeheader()
            table.writerows(rows)
        job = self.launch([os.path.join(harness.BIN, "drumline-preprocess"), "--input_dir", folder, "--output_dir", data,
                           "--recursive", "--is_beat=True", "--drum_map=roland"]).wait()
        self.assertEqual(job.status, 0, job.output)
        run = self.trained("groovae_2bar_humanize", 1)
        line, output = self.evaluate(run, "unknown-eval", examples_path=data)
        expected, _ = self.evaluate(run, "known-eval")
        self.assertNotIn("beats", output)
        self.assertEqual(line, without_beats(expected))
        self.assertNotEqual(line, expected)

    def report(self, run):
        """The page of a run."""
        job = self.launch([os.path.join(harness.BIN, "drumline-info"), self.path(run), f"--report={self.path('page.html')}"]).wait()
        self.assertEqual(job.status, 0, job.output)
        with open(self.path("page.html"), encoding="utf-8") as file:
            return file.read()

    def test_report(self):
        """The last evaluation stands in the run's report, whatever else is in the file."""
        shutil.copytree(self.path(self.trained("groovae_4bar", 1, fit_latents="true")), self.path("reported"))
        before = self.report("reported")
        self.assertNotIn("<h2>Quality", before)
        line, _ = self.evaluate("reported", "reported", num_samples=SAMPLES)
        with open(self.path("reported", "eval", "metrics.jsonl"), "a", encoding="utf-8") as file:
            file.write('{"task":1,"split":"test"}\n[]\n{"task":"x","spl')
        page = self.report("reported")
        section = page.partition("<h2>Quality")[2].partition("<h2>")[0]
        self.assertIn(f'{line["num_windows"]} windows of the validation split; task reconstruct', section)
        self.assertIn(f'{line["val_cell_accuracy"]:.4f}', section)
        self.assertIn(f'{line["samples_hits_divergence"]:.4f}', section)
        self.assertEqual(section.count("<figure>"), 6)
        self.assertEqual(page.count("<figure") - 6, before.count("<figure"))
        with open(self.path("reported", "eval", "metrics.jsonl"), "a", encoding="utf-8") as file:
            file.write('\n{"step":3,"task":"<b>","split":"<i>","samples_count":1e300,"distributions":{"drums":{"samples":[1,"a"],'
                       '"train":-1},"steps":{"samples":[-1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1e308],"train":7}}}\n')
        section = self.report("reported").partition("<h2>Quality")[2].partition("<h2>")[0]
        self.assertIn("task &lt;b&gt;", section)
        self.assertNotIn("<figure>", section)

    def test_refusals(self):
        run = self.trained("groovae_2bar_humanize", 1)
        def refuse(part, **flags):
            flags = {"mode": "eval", "examples_path": DRUMS, "run_dir": self.path(run), **flags}
            job = self.launch([harness.TRAIN] + [f"--{name}={value}" for name, value in flags.items()]).wait()
            self.assertNotEqual(job.status, 0)
            self.assertIn(part, job.output)
        refuse("--timing_noise need", timing_noise=1)
        refuse("no fitted latent density", num_samples=5, latent="fitted")
        refuse("--num_samples is for --mode=eval", mode="train", config="groovae_4bar", num_samples=5)


def without_beats(line):
    return {key: without_beats(value) if isinstance(value, dict) else value for key, value in line.items()
            if "beats" not in key}


if __name__ == "__main__":
    harness.main()
