"""What the tests of drumline-train share: how it is started, watched, killed and read.

Each test_*.py is a script of unittest cases. CTest runs it with the environment that is read below and with what Open
MPI needs here (tools/mpi_environment). Whatever a test starts is ended by its process number and those of its children,
and nothing else is.
"""
import atexit
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy

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

PR_SET_CHILD_SUBREAPER = 36

def adopt_orphans():
    """Makes the ranks of a killed mpirun this process's children, so that it can wait for their end."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stat_fields(pid):
    """The fields of /proc/PID/stat behind the name, or None where the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def is_alive(pid):
    fields = stat_fields(pid)
    return fields is not None and fields[0] != "Z"


def descendants(pid):
    parents = {}
    for name in os.listdir("/proc"):
        fields = stat_fields(name) if name.isdigit() else None
        if fields:
            parents.setdefault(int(fields[1]), []).append(int(name))
    found, todo = [], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


def signal_to(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.002)


class Job:
    """A running command. `output` has what it printed, once it has ended."""

    def __init__(self, command, environment):
        self.log = tempfile.TemporaryFile("w+", errors="replace")
        self.command = command
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env=environment)
        self.status = None
        self.output = ""
        atexit.register(self.kill)

    def wait(self, limit=LIMIT):
        try:
            self.status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{' '.join(self.command)} did not end in {limit} s:\n{self.output}") from None
        return self.finish()

    def finish(self):
        atexit.unregister(self.kill)
        if not self.log.closed:
            self.seconds = time.monotonic() - self.started
            self.log.seek(0)
            self.output = self.log.read()
            self.log.close()
        return self

    def ranks(self):
        """The process numbers of the training's ranks, in the order of their starts."""
        own = [self.process.pid] + descendants(self.process.pid)
        return sorted(pid for pid in own if is_rank(pid))

    def kill(self):
        """SIGKILL to the command and all below it. It is stopped first, so that nothing new is born meanwhile."""
        if self.process.poll() is not None:
            return self.finish()
        signal_to(self.process.pid, signal.SIGSTOP)
        pids = [self.process.pid] + descendants(self.process.pid)
        for pid in pids:
            signal_to(pid, signal.SIGKILL)
        self.status = self.process.wait()
        wait_until(lambda: not any(is_alive(pid) for pid in pids), LIMIT, "killed processes to be gone")
        for pid in pids[1:]:
            try:
                os.waitpid(pid, 0) # a first thread may be dead before the others are
            except ChildProcessError:
                pass
        return self.finish()


def is_rank(pid):
    try:
        return os.path.realpath(f"/proc/{pid}/exe") == os.path.realpath(TRAIN)
    except OSError:
        return False


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
        """RUN/train holds checkpoints, perhaps best.h5, metrics and `others`, and nothing temporary or locked."""
        if os.path.exists(self.path(run, "train", "best.h5")):
            others += ("best.h5",)
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
        attributes = {name: value.tolist() if isinstance(value, (numpy.ndarray, numpy.generic)) else value
                      for name, value in file.attrs.items()}
    return tensors, attributes


def main():
    """Runs the calling script's tests. No test at all is a failure, and status 77 tells CTest that all were skipped."""
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    sys.exit(77 if len(result.skipped) == result.testsRun else 0)
