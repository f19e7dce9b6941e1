"""What the tests of drumline-train share: how it is started, watched, killed and read.

Each test_*.py is a script of unittest cases. CTest runs it with the environment that is read below and with what Open
MPI needs here (tools/mpi_environment). Whatever a test starts is ended by its process number and those of its children,
and nothing else is.
"""
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import processes  # pylint: disable=wrong-import-position
from processes import adopt_orphans, is_alive, signal_to, stat_fields, wait_until  # pylint: disable=wrong-import-position,unused-import

BIN = os.environ["DRUMLINE_BIN"]
DATA = os.environ["DRUMLINE_TRAINING_DATA"]
MPIEXEC = os.environ.get("MPIEXEC", "mpirun")
TRAIN = os.path.join(BIN, "drumline-train")

# Thirteen windows a batch: no number of ranks from 2 to 4 divides them.
HPARAMS = "enc_rnn_size=[16],dec_rnn_size=[12,8],z_size=6,batch_size=13,free_bits=0.5,learning_rate=0.01"
LOSSES = ("loss", "hits_loss", "velocities_loss", "offsets_loss", "kl_bits")
LIMIT = 120  # seconds that no command of these tests takes, even with sanitizers on a busy machine: longer is a hang

# MPICH's mpiexec says less of how ranks ended than Open MPI's.
IS_HYDRA = "hydra" in subprocess.run([MPIEXEC, "--version"], capture_output=True, text=True,
                                     check=False).stdout.lower()


class Job(processes.Job):
    """A job of a test, which ends with the script if not before."""

    def __init__(self, command, environment):
        super().__init__(command, environment, LIMIT)
        atexit.register(self.kill)

    def finish(self, piped=None):
        atexit.unregister(self.kill)
        return super().finish(piped)

    def ranks(self, program=TRAIN):
        return super().ranks(program)


class TrainingTest(unittest.TestCase):
    """A test with a scratch folder of its own, in which run folders are named."""

    @classmethod
    def setUpClass(cls):
        adopt_orphans()
        cls.scratch = tempfile.mkdtemp(prefix="drumline-training-")
        cls.environment = dict(os.environ)
        # What a killed job of Open MPI leaves behind goes with the scratch folder.
        session = os.path.join(cls.scratch, "mpi")
        os.mkdir(session)
        for name in ("orte_tmpdir_base", "btl_vader_backing_directory"):
            cls.environment[f"OMPI_MCA_{name}"] = session
        cls.environment["TMPDIR"] = session
        for name in list(cls.environment):
            if name.startswith("SLURM_"):
                del cls.environment[name]

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.scratch, *names)

    def arguments(self, run, config="groovae_4bar", hparams="", **flags):
        """The command line of one rank. A flag of None is left away."""
        every = {"config": config, "run_dir": self.path(run), "examples_path": os.path.join(DATA, "drums"),
                 "hparams": ",".join(filter(None, (HPARAMS, hparams))), "num_steps": 40, "log_steps": 1}
        every.update(flags)
        return [TRAIN] + [f"--{name}={value}" for name, value in every.items() if value is not None]

    def launch(self, command, ranks=1, launcher=True):
        """Starts a command, on several ranks through mpirun."""
        prefix = [MPIEXEC, "-n", str(ranks)] if launcher and ranks > 1 else []
        job = Job(prefix + command, self.environment)
        self.addCleanup(job.kill)
        return job

    def start(self, run, ranks=1, **flags):
        return self.launch(self.arguments(run, **flags), ranks)

    def run_to(self, status, run, ranks=1, **flags):
        job = self.start(run, ranks, **flags).wait()
        self.assertEqual(job.status, status, job.output)
        return job

    def train(self, run, ranks=1, **flags):
        return self.run_to(0, run, ranks, **flags)

    def assert_refused(self, job, *parts, status=1):
        """The job ended with that status and one message that holds all parts. mpirun chooses the
        status of several ranks, so that `status` may be None: any but 0."""
        if status is None:
            self.assertNotEqual(job.status, 0, job.output)
        else:
            self.assertEqual(job.status, status, job.output)
        errors = [line for line in job.output.splitlines() if "error: " in line]
        self.assertEqual(len(errors), 1, job.output)
        for part in parts:
            self.assertIn(part, errors[0])
        return errors[0]

    def refuse(self, run, *parts, status=1, ranks=1, **flags):
        return self.assert_refused(self.start(run, ranks, **flags).wait(), *parts, status=status)

    def metrics(self, run, folder="train"):
        """The lines of metrics.jsonl, all of which must be JSON objects."""
        try:
            with open(self.path(run, folder, "metrics.jsonl"), encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            return []
        self.assertTrue(text.endswith("\n"))
        return [json.loads(line) for line in text.splitlines()]

    def losses(self, run, folder="train"):
        """step -> the losses of its last line: a resumed run makes some steps again."""
        return {line["step"]: [metric(line, name) for name in LOSSES] for line in self.metrics(run, folder)
                if "event" not in line}

    def events(self, run):
        return [line for line in self.metrics(run) if "event" in line]

    def last_step(self, run):
        """The step of the last whole line; safe while the run is going."""
        try:
            with open(self.path(run, "train", "metrics.jsonl"), "rb") as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return -1
        return json.loads(lines[-2])["step"] if len(lines) > 1 else -1

    def wait_for_step(self, job, run, step):
        wait_until(lambda: self.last_step(run) >= step or job.process.poll() is not None, LIMIT,
                   f"step {step} of {run}")

    def assert_same_losses(self, losses, expected, steps, tolerance=1e-4):
        for step in steps:
            for name, value, reference in zip(LOSSES, losses[step], expected[step]):
                error = abs(value - reference) / max(abs(reference), 1e-3)
                if not error <= tolerance:
                    self.fail(f"step {step}: {name} is {value}, not {reference}")

    def checkpoint(self, run, step):
        return self.path(run, "train", f"checkpoint-{step:08d}.h5")

    def checkpoints(self, run):
        """The steps of the checkpoints that are there."""
        try:
            names = os.listdir(self.path(run, "train"))
        except FileNotFoundError:
            return []
        return sorted(int(name[11:-3]) for name in names if name.startswith("checkpoint-") and name.endswith(".h5"))

    def wait_for_checkpoint(self, job, run, step):
        """Of that step or a later one: it is written beside the steps that follow."""
        wait_until(lambda: max(self.checkpoints(run), default=0) >= step or job.process.poll() is not None, LIMIT,
                   f"checkpoint {step} of {run}")

    def assert_tidy(self, run, *others):
        """RUN/train holds checkpoints, metrics, `others` and what not every run has, and nothing temporary or locked."""
        others += tuple(name for name in ("best.h5", "rank_times.json") if os.path.exists(self.path(run, "train", name)))
        names = {f"checkpoint-{step:08d}.h5" for step in self.checkpoints(run)} | {"metrics.jsonl"} | set(others)
        self.assertEqual(set(os.listdir(self.path(run, "train"))), names)

    def assert_bit_identical(self, path, expected):
        """Weights, moments and where the training stands."""
        tensors, attributes = read_checkpoint(path)
        expected_tensors, expected_attributes = read_checkpoint(expected)
        self.assertEqual(tensors.keys(), expected_tensors.keys())
        self.assertGreater(len(tensors), 30)
        for name, value in tensors.items():
            self.assertEqual(value.tobytes(), expected_tensors[name].tobytes(), name)
        for name in ("config", "seed", "step", "epoch", "position", "updates", "skipped", "content_sha256"):
            self.assertEqual(attributes[name], expected_attributes[name], name)


def metric(line, name):
    """A metric of a line of training, of an evaluation ("val_loss"), or of the first version ("total_loss")."""
    prefix = {"validation": "val_", "test": "test_", "train": "train_"}.get(line.get("split"), "")
    for key in (prefix + name, name, {"loss": "total_loss"}.get(name)):
        if key in line:
            return line[key]
    raise KeyError(f"{name} in {line}")


def read_checkpoint(path):
    """name -> array, and name -> attribute."""
    tensors = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: tensors.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
        attributes = {name: value.decode() if isinstance(value, bytes) else
                      value.tolist() if isinstance(value, (numpy.ndarray, numpy.generic)) else value
                      for name, value in file.attrs.items()}
    return tensors, attributes


def main():
    """Runs the calling script's tests. No test at all is a failure, and status 77 tells CTest that all were skipped."""
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    sys.exit(77 if len(result.skipped) == result.testsRun else 0)
