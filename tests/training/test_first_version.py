"""Files that version 0.1.0 wrote are read, and a run that it began is continued to the weights that it would have reached
itself. tests/fixtures/first_version/README.md says what they are."""
import ctypes
import json
import os
import re
import shutil
import subprocess

import h5py
import numpy

import harness

FIRST = os.path.join(os.environ["DRUMLINE_FIXTURES"], "first_version")
EXACT = os.environ["DRUMLINE_EXACT"] == "1"
LAST_STEP = 16


def openblas_core():
    """The processor as OpenBLAS sees it, or None where the programs use another BLAS."""
    try:
        library = ctypes.CDLL("libopenblas.so.0")
        library.openblas_get_corename.restype = ctypes.c_char_p
        return library.openblas_get_corename().decode()
    except (OSError, AttributeError):
        return None


def attributes(path):
    with h5py.File(path, "r") as file:
        return {name: value.decode() if isinstance(value, bytes) else value for name, value in file.attrs.items()}


class FirstVersion(harness.TrainingTest):
    def run_program(self, name, *arguments):
        job = self.launch([os.path.join(harness.BIN, name), *arguments]).wait()
        self.assertEqual(job.status, 0, job.output)
        return job.output

    def copy_run(self, name):
        shutil.copytree(os.path.join(FIRST, "run"), self.path(name))

    def data(self):
        return os.path.join(FIRST, "data")

    def test_info(self):
        checkpoint = os.path.join(FIRST, "run", "train", "checkpoint-00000004.h5")
        text = self.run_program("drumline-info", self.data(), os.path.join(FIRST, "run"), checkpoint)
        for part in (attributes(os.path.join(FIRST, "data", "index.h5"))["content_sha256"][:12], "groovae_4bar",
                     "step 8", "469.35", "val_hits_loss 328.5"):  # losses under their new names
            self.assertIn(part, text)
        described = subprocess.run([os.path.join(harness.BIN, "drumline-info"), "--json", self.data(),
                                    os.path.join(FIRST, "run"), checkpoint], stdout=subprocess.PIPE, check=True)
        kinds = re.findall(r'"kind": *"([a-z_]+)"', described.stdout.decode())
        self.assertIn(kinds[0], ("dataset", "data_set"))
        self.assertIn("run", kinds)
        self.assertEqual(kinds[-1], "checkpoint")

    def test_generate(self):
        for number, source in enumerate((["--run_dir", os.path.join(FIRST, "run")],
                                         ["--checkpoint_file",
                                          os.path.join(FIRST, "run", "train", "checkpoint-00000004.h5")])):
            folder = self.path(f"generated-{number}")
            self.run_program("drumline-generate", *source, "--num_outputs=3", "--output_dir", folder)
            self.assertEqual(len([name for name in os.listdir(folder) if name.endswith(".mid")]), 3)

    def test_evaluation(self):
        """The losses of the newest checkpoint are those that the first version found after step 8."""
        self.copy_run("evaluated")
        before = self.metrics("evaluated", "eval")
        job = self.launch([harness.TRAIN, "--mode=eval", "--run_dir", self.path("evaluated"), "--examples_path",
                           self.data()]).wait()
        self.assertEqual(job.status, 0, job.output)
        after = self.metrics("evaluated", "eval")
        self.assertEqual(after[:len(before)], before)
        self.assertEqual(len(after), len(before) + 1)
        losses = self.losses("evaluated", "eval")
        expected = {line["step"]: [line[name] for name in ("total_loss", "hits_loss", "velocities_loss",
                                                           "offsets_loss", "kl_bits")] for line in before}
        self.assert_same_losses(losses, expected, [8], tolerance=1e-5)

    def test_data_set(self):
        """The same performances still make the same data set."""
        self.run_program("drumline-drummers", "--output_dir", self.path("midi"), "--num_performances=12", "--seed=7")
        self.run_program("drumline-preprocess", "--input_dir", self.path("midi"), "--output_dir", self.path("data"),
                         "--recursive", "--is_beat=True", "--beat=4-4")
        self.assertEqual(attributes(self.path("data", "index.h5"))["content_sha256"],
                         attributes(os.path.join(FIRST, "data", "index.h5"))["content_sha256"])

    def continue_run(self, name, ranks, **flags):
        self.copy_run(name)
        job = self.launch([harness.TRAIN, "--config=groovae_4bar", "--run_dir", self.path(name), "--examples_path",
                           self.data(), f"--num_steps={LAST_STEP}", *(f"--{key}={value}"
                                                                      for key, value in flags.items())], ranks).wait()
        self.assertEqual(job.status, 0, job.output)
        kernels = re.search(r"(\S+ kernels)", job.output)
        self.assertIsNotNone(kernels, job.output)
        with open(os.path.join(FIRST, "continued", "processor.txt"), encoding="utf-8") as file:
            same_processor = file.read().split("\n")[:2] == [kernels.group(1), openblas_core()]
        self.compare(self.checkpoint(name, LAST_STEP), os.path.join(FIRST, "continued", f"{name}.h5"),
                     EXACT and same_processor)
        # It did not evaluate by itself, and its runs do not begin to.
        self.assertEqual(attributes(self.checkpoint(name, LAST_STEP))["eval_steps"], 0)
        self.assertFalse(os.path.exists(self.path(name, "train", "best.h5")))
        # What the first version wrote of the run stays, and the run continues below it.
        with open(os.path.join(FIRST, "run", "train", "metrics.jsonl"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual(self.metrics(name)[:len(lines)], lines)
        self.assertEqual(self.metrics(name)[-1]["step"], LAST_STEP)
        self.assertIn(f"step {LAST_STEP}", self.run_program("drumline-info", self.path(name)))

    def compare(self, path, expected, exactly):
        print(f"compared {'bit for bit' if exactly else 'with tolerance'}", flush=True)
        count = 0
        with h5py.File(path, "r") as file, h5py.File(expected, "r") as kept:
            names = []
            kept.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
            for name in names:
                value, reference = file["model"][name][()], kept[name][()]
                count += value.size
                self.assertEqual(value.shape, reference.shape, name)
                if exactly:
                    self.assertEqual(value.tobytes(), reference.tobytes(), name)
                else:
                    # Eight steps of at most 0.01 each: a wrong step, rate or batch is far outside.
                    error = numpy.abs(value - reference)
                    self.assertTrue(numpy.all(error <= 2e-4), f"{name}: {error.max()}")
        self.assertGreater(count, 5000)

    def test_continued_on_one_rank(self):
        self.continue_run("one_rank", 1)

    def test_continued_on_two_ranks(self):
        self.continue_run("two_ranks", 2)

    def test_continued_with_lamb(self):
        self.continue_run("lamb", 1, hparams="optimizer=lamb")


if __name__ == "__main__":
    harness.main()
