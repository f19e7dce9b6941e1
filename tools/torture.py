#!/usr/bin/env python3
"""Disturbs Drumline's programs and checks that nothing is lost.

    tools/torture.py [--seconds=N] [--kind=KIND[,KIND]] [--count=N] [--seed=N] [--bin=DIR] [--scratch=DIR]

Preprocessing, training (one process, two ranks, resumed, with an evaluation), exporting and generating are run once
undisturbed, then again and again in a small scratch folder with one disturbance each:

    kill     SIGKILL, SIGTERM, SIGINT or SIGUSR1 to the job, to one rank or to mpirun alone, at a random moment or at a
             system call drawn from those on the job's files (strace)
    inject   a system call on the job's files fails, once or from then on: EIO, ENOSPC, EDQUOT, ESTALE, EACCES, EMFILE,
             ENOMEM, EROFS, ENFILE; or is interrupted by a signal (strace)
    disk     the folder is a tmpfs that becomes full, or a file may not grow (RLIMIT_FSIZE)
    stop     a rank is stopped (SIGSTOP) and must be reported (--stall_seconds)
    jobs     several jobs on one folder, also in process name spaces of their own (unshare)
    clock    the clock of a job is off by an hour, while another has the run (a library that is preloaded; needs cc)

After each disturbance: nothing half-written has a final name, every checkpoint is valid and equals the undisturbed run's of
that step; a failure has a status other than 0 and a message with the reason; the same command run again succeeds,
reaches the same bytes (weights, data set, MIDI files) and leaves nothing temporary behind. A hang or a crash is a failure.

It runs for --seconds (60), kind by kind, or with --count until each kind was run so often. The seed of each trial is printed where it
fails, and its folder is kept: --kind=KIND --seed=N --count=1 repeats it. Exit status 0, 1 (a trial failed), 77 (needs h5py).
"""
import argparse
import collections
import ctypes
import errno
import glob
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

try:
    import h5py
except ImportError:
    print("torture.py: needs h5py")
    sys.exit(77)

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIMIT = 120  # seconds that nothing here takes: longer is a hang
STALL = 8    # --stall_seconds
STEPS, EVERY = 6, 2
HPARAMS = "enc_rnn_size=[8],dec_rnn_size=[8],z_size=4,batch_size=8,learning_rate=0.01"
KILLS = (signal.SIGKILL,) * 4 + (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)

# What may fail, and how.
ERRORS = {
    "openat": "EACCES EIO EMFILE ENFILE ENOMEM ENOSPC ESTALE EROFS",
    "read": "EIO ESTALE", "pread64": "EIO ESTALE", "getdents64": "EIO ESTALE",
    "write": "ENOSPC EIO EDQUOT", "pwrite64": "ENOSPC EIO EDQUOT",
    "fsync": "EIO ENOSPC EDQUOT", "close": "EIO ENOSPC EDQUOT",
    "newfstatat": "EIO EACCES ESTALE", "lseek": "EIO", "ftruncate": "EIO",
    "rename": "EIO ENOSPC EACCES ESTALE", "link": "EIO ENOSPC EPERM", "unlink": "EIO EACCES", "unlinkat": "EIO EACCES",
    "mkdir": "ENOSPC EACCES EROFS", "rmdir": "EIO", "utimensat": "EIO EACCES", "access": "EIO EROFS",
}


class Failed(Exception):
    """An invariant does not hold."""


def expect(condition, message):
    if not condition:
        raise Failed(message)


# --- processes ---

def stat_fields(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


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


def is_alive(pid):
    fields = stat_fields(pid)
    return fields is not None and fields[0] != "Z"


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def wait_until(condition, seconds=LIMIT):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


class Job:
    """A running command; `status` and `output` once it has ended."""

    def __init__(self, command, environment, prepare=None):
        self.command = command
        self.log = tempfile.TemporaryFile("w+", errors="replace")
        reader = subprocess.PIPE if prepare else self.log  # a limit on files must not hit what is printed
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=reader, stderr=subprocess.STDOUT,
                                        env=environment, preexec_fn=prepare, errors="replace")
        self.status, self.output = None, ""

    def ranks(self, program):
        """The processes that run the program, in the order of their starts."""
        pids = [self.process.pid] + descendants(self.process.pid)
        return sorted(pid for pid in pids if runs(pid, program))

    def wait(self, limit=LIMIT):
        try:
            piped = self.process.communicate(timeout=limit)[0]
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"did not end in {limit} s: {self.output}") from None
        self.status = self.process.returncode
        self.log.seek(0)
        self.output = piped or self.log.read()
        self.log.close()
        return self

    def kill(self, number=signal.SIGKILL, which="all", program=""):
        """Sends the signal to the whole job, to its launcher alone or to one rank, and waits for its end."""
        pids = [self.process.pid] + descendants(self.process.pid)
        if which == "all" and number == signal.SIGKILL:
            send(self.process.pid, signal.SIGSTOP)  # nothing new is born meanwhile
            pids = [self.process.pid] + descendants(self.process.pid)
            targets = pids
        elif which == "rank":
            targets = [random.choice(self.ranks(program) or [self.process.pid])]
        else:
            targets = [self.process.pid]
        for pid in targets:
            send(pid, number)
        self.wait()
        if not wait_until(lambda: not any(is_alive(pid) for pid in pids)):
            raise Failed(f"processes are left {LIMIT} s after {number.name}")
        for pid in pids:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
        return self


def runs(pid, program):
    try:
        return os.path.realpath(f"/proc/{pid}/exe") == os.path.realpath(program)
    except OSError:
        return False


# --- what is disturbed ---

def bytes_of(array):
    return repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes()


def read_all(path):
    """Every data set of an HDF5 file, checksums checked: name -> bytes."""
    content = {}
    try:
        with h5py.File(path, "r") as file:
            file.visititems(lambda name, item: content.update({name: bytes_of(item[()])})
                            if isinstance(item, h5py.Dataset) else None)
            content["step"] = str(file.attrs.get("step", ""))
    except (OSError, KeyError, RuntimeError) as error:
        raise Failed(f"{path}: not valid: {error}") from None
    return content


class Subject:
    """A command with what it must reach. Folder: where its files are."""
    launcher = False  # two ranks
    name = program = ""

    def __init__(self, bench):
        self.bench = bench
        self.seconds = 1.0
        self.calls = []

    def arguments(self, folder):
        raise NotImplementedError

    def command(self, folder, wrap=(), rank=0):
        own = [os.path.join(self.bench.bin, self.program)] + self.arguments(folder)
        if not self.launcher:
            return list(wrap) + own
        ranks = [own, own]
        ranks[rank] = list(wrap) + own
        return ["mpirun", "-n", "1"] + ranks[0] + [":", "-n", "1"] + ranks[1]

    def prepare(self, folder):
        os.makedirs(folder)

    def check(self, folder):
        """What has a final name is whole."""

    def check_done(self, folder):
        """All is there, and nothing else."""

    def hidden(self, folder):
        return [name for _, folders, files in os.walk(folder) for name in folders + files if name.startswith(".")]


class Preprocess(Subject):
    name, program = "preprocess", "drumline-preprocess"
    over = None

    def arguments(self, folder):
        return [f"--input_dir={self.bench.midi}", f"--output_dir={folder}/data", "--overwrite", "--recursive"]

    def index(self, folder):
        return os.path.join(folder, "data", "index.h5")

    def check(self, folder):
        if os.path.exists(self.index(folder)):
            content = read_all(self.index(folder))
            expect(content in (self.reference, self.over), "the data set is neither the old nor the new one")
        elif self.over:
            staged = glob.glob(os.path.join(folder, "data", ".*", "index.h5"))
            expect(staged, f"no data set is left: {os.listdir(os.path.join(folder, 'data'))}")

    def check_done(self, folder):
        content = read_all(self.index(folder))
        if not hasattr(self, "reference"):
            self.reference = content
        expect(content == self.reference, "another data set")
        names = [name for name in sorted(os.listdir(os.path.join(folder, "data"))) if not name.startswith(".")]
        expect(names == ["index.h5", self.shards], f"the data set has other files: {names}")

    shards = "shard-00000-of-00001.h5"


class Overwrite(Preprocess):
    name = "overwrite"

    def prepare(self, folder):
        shutil.copytree(self.bench.other, os.path.join(folder, "data"))
        self.over = read_all(self.index(folder))


class Train(Subject):
    name, program = "train", "drumline-train"
    starts_at = None

    def arguments(self, folder):
        return ["--config=groovae_2bar_humanize", f"--run_dir={folder}/run", f"--examples_path={self.bench.data}",
                f"--hparams={HPARAMS}", f"--num_steps={STEPS}", f"--save_checkpoint_steps={EVERY}", "--log_steps=1",
                f"--eval_steps={EVERY}", "--checkpoints_to_keep=10"]

    def prepare(self, folder):
        os.makedirs(os.path.join(folder, "run", "train"))

    def check(self, folder):
        train = os.path.join(folder, "run", "train")
        for path in glob.glob(os.path.join(train, "*.h5")):
            name = os.path.basename(path)
            content = read_all(path)
            step = content["step"]
            expect(step in self.weights, f"{name}: of step {step}")
            own = {key: value for key, value in content.items() if key.startswith(("model", "optimizer"))}
            wanted = {key: self.weights[step][key] for key in own}
            expect(own == wanted and len(own) > 10, f"{name}: not the weights of step {step} of an undisturbed run")
        expect(not glob.glob(os.path.join(train, "*.damaged")), "a checkpoint is called damaged")
        if self.starts_at:
            expect(glob.glob(os.path.join(train, f"checkpoint-{self.starts_at:08d}.h5")), "a checkpoint is lost")

    def check_done(self, folder):
        train = os.path.join(folder, "run", "train")
        names = {f"checkpoint-{step:08d}.h5" for step in range(EVERY, STEPS + 1, EVERY)} | {"best.h5", "metrics.jsonl"}
        may_stay = {"lock"} if self.bench.faulty else set()
        found = {name for name in set(os.listdir(train)) - may_stay if name in names or not re.fullmatch(r"\..*|checkpoint-\d+\.h5", name)}
        expect(found == names, f"RUN/train has other files: {sorted(os.listdir(train))}")
        if not hasattr(self, "weights"):
            every = os.path.join(self.bench.folder, f"{self.name}-every-step")
            self.bench.must([word.replace(f"={EVERY}", "=1").replace(folder, every) if "checkpoint_steps" in word or folder in word
                             else word for word in self.command(folder)])
            self.weights = {str(step): read_all(f"{every}/run/train/checkpoint-{step:08d}.h5") for step in range(1, STEPS + 1)}
            self.losses = self.read_losses(train)
        self.check(folder)
        losses = self.read_losses(train)
        if self.bench.faulty:  # the line of metrics that could not be written is missing
            losses = {**self.losses, **losses}
        expect(losses == self.losses, f"other losses: {losses}, not {self.losses}")

    @staticmethod
    def read_losses(train):
        losses = {}
        with open(os.path.join(train, "metrics.jsonl"), encoding="utf-8") as file:
            for line in file:
                values = json.loads(line)
                if "event" not in values and "loss" in values:
                    losses[values["step"]] = values["loss"]
        return losses


class Resume(Train):
    name, starts_at = "resume", STEPS - EVERY

    def prepare(self, folder):
        shutil.copytree(self.bench.partial, os.path.join(folder, "run"))


class TwoRanks(Train):
    name, launcher = "train_2_ranks", True


class Evaluate(Resume):
    name = "evaluate"

    def arguments(self, folder):
        return ["--mode=eval", f"--run_dir={folder}/run", f"--examples_path={self.bench.data}"]

    def check_done(self, folder):
        self.check(folder)
        with open(os.path.join(folder, "run", "eval", "metrics.jsonl"), encoding="utf-8") as file:
            values = json.loads(file.read().splitlines()[-1])
        loss = values["val_loss"]
        self.loss = getattr(self, "loss", loss)
        expect(loss == self.loss, f"val_loss {loss}, not {self.loss}")


class Export(Resume):
    name = "export"

    def arguments(self, folder):
        return ["--mode=export", f"--run_dir={folder}/run", f"--output_file={folder}/model.h5", "--overwrite"]

    def check(self, folder):
        super().check(folder)
        if os.path.exists(f"{folder}/model.h5"):
            content = read_all(f"{folder}/model.h5")
            expect(content == getattr(self, "reference", content), "another model file")

    def check_done(self, folder):
        self.reference = getattr(self, "reference", None) or read_all(f"{folder}/model.h5")
        self.check(folder)
        names = [name for name in sorted(os.listdir(folder)) if not name.startswith(".")]
        expect(names == ["model.h5", "run"], f"other files: {names}")


class Generate(Subject):
    name, program = "generate", "drumline-generate"
    COUNT = 3

    def arguments(self, folder):
        return [f"--run_dir={self.bench.run}", "--mode=sample", f"--num_outputs={self.COUNT}", "--seed=7", f"--output_dir={folder}/new"]

    def sets(self, folder):
        sets = collections.defaultdict(dict)
        for path in glob.glob(os.path.join(folder, "new", "*.mid")):
            found = re.fullmatch(r"(.*)-(\d+)-of-\d+\.mid", os.path.basename(path))
            expect(found, f"{path}: not the name of an output")
            with open(path, "rb") as file:
                sets[found[1]][int(found[2])] = file.read()
        return sets

    def check(self, folder):
        for name, files in self.sets(folder).items():
            for number, content in files.items():
                expect(content == self.reference[number], f"{name}: file {number} is another, or cut")

    def check_done(self, folder):
        sets = self.sets(folder)
        whole = [files for files in sets.values() if len(files) == self.COUNT]
        expect(whole, f"no whole set: {os.listdir(os.path.join(folder, 'new'))}")
        self.reference = getattr(self, "reference", whole[0])
        self.check(folder)


SUBJECTS = (Preprocess, Overwrite, Train, Resume, TwoRanks, Evaluate, Export, Generate)


# --- the bench: reference runs, and one trial after another ---

CLOCK_C = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static time_t shift(void) { const char *text = getenv("TORTURE_CLOCK"); return text ? atol(text) : 0; }
int clock_gettime(clockid_t id, struct timespec *to) {
    long status = syscall(SYS_clock_gettime, id, to);
    if (status == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) to->tv_sec += shift();
    return (int)status;
}
time_t time(time_t *to) { struct timespec now; clock_gettime(CLOCK_REALTIME, &now); if (to) *to = now.tv_sec; return now.tv_sec; }
int gettimeofday(struct timeval *restrict to, void *restrict zone) {
    struct timespec now; (void)zone; clock_gettime(CLOCK_REALTIME, &now);
    to->tv_sec = now.tv_sec; to->tv_usec = now.tv_nsec / 1000; return 0;
}
"""


class Bench:
    def __init__(self, folder, bin_folder):
        self.bin, self.folder = os.path.abspath(bin_folder), folder
        self.midi, self.data, self.other = (os.path.join(folder, name) for name in ("midi", "data", "other"))
        self.run = os.path.join(folder, "reference", "train", "run")
        self.partial = os.path.join(folder, "partial")
        self.environment = self.make_environment()
        self.faulty = False  # system calls fail
        self.counts, self.notes = collections.Counter(), collections.Counter()

    def make_environment(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
        with open(os.path.join(SOURCE, "tools", "mpi_environment"), encoding="utf-8") as file:
            environment.update(line.strip().split("=", 1) for line in file if re.match(r"[A-Za-z_]+=", line))
        session = os.path.join(self.folder, "mpi")
        os.makedirs(session)
        environment.update(TMPDIR=session, OMPI_MCA_orte_tmpdir_base=session,
                           OMPI_MCA_btl_vader_backing_directory=session, OPENBLAS_NUM_THREADS="1", TZ="UTC")
        return environment

    def start(self, command, prepare=None, **environment):
        return Job(command, {**self.environment, **environment}, prepare)

    def must(self, command):
        job = self.start(command).wait()
        expect(job.status == 0, f"status {job.status} of {' '.join(command)}:\n{job.output}")
        return job

    def open(self):
        """Makes what is compared with, and learns which system calls each command makes on its files."""
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans are ours to wait for
        drummers = os.path.join(self.bin, "drumline-drummers")
        preprocess = os.path.join(self.bin, "drumline-preprocess")
        for midi, data, seed in ((self.midi, self.data, 1), (self.midi + "2", self.other, 2)):
            self.must([drummers, "--output_dir", midi, "--num_performances=8", f"--seed={seed}", "--log=error"])
            self.must([preprocess, "--recursive", "--input_dir", midi, "--output_dir", data])
        self.traces = subprocess.run(["strace", "-o", "/dev/null", "-e", "inject=getppid:error=EIO", "true"],
                                     capture_output=True, check=False).returncode == 0 if shutil.which("strace") else False
        self.mounts = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True,
                                     check=False).returncode == 0 if shutil.which("unshare") else False
        self.spaces = self.mounts and subprocess.run(["unshare", "-rpf", "--mount-proc", "true"], capture_output=True,
                                                     check=False).returncode == 0
        self.subjects = {}
        for kind in SUBJECTS:
            subject = kind(self)
            self.subjects[subject.name] = subject
            self.refer(subject)
            if subject.name == "train":
                shutil.copytree(self.run, self.partial)
                os.unlink(os.path.join(self.partial, "train", f"checkpoint-{STEPS:08d}.h5"))
        self.clock_library = self.make_clock()

    def refer(self, subject):
        folder = os.path.join(self.folder, "reference", subject.name)
        if isinstance(subject, Resume):
            subject.weights, subject.losses = (getattr(self.subjects["train"], name) for name in ("weights", "losses"))
        subject.prepare(folder)
        trace = os.path.join(self.folder, "trace")
        started = time.monotonic()
        self.must(subject.command(folder))
        subject.seconds = time.monotonic() - started
        subject.check_done(folder)
        if self.traces:
            again = folder + "-traced"
            subject.prepare(again)
            self.must(subject.command(again, self.strace(trace, ",".join(ERRORS))))
            subject.calls = read_calls(trace, again)

    @staticmethod
    def strace(log, calls, *inject):
        return ["strace", "-f", "--seccomp-bpf", "-y", "-qq", "-o", log, "-e", f"trace={calls}", "-e", "signal=none"] + [
            word for rule in inject for word in ("-e", rule)]

    def make_clock(self):
        source, library = os.path.join(self.folder, "clock.c"), os.path.join(self.folder, "clock.so")
        with open(source, "w", encoding="ascii") as file:
            file.write(CLOCK_C)
        made = shutil.which("cc") and subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=False,
                                                     capture_output=True).returncode == 0
        return library if made else None

    # --- one trial ---

    def trial(self, kind, seed):
        """True where something was disturbed."""
        chance = random.Random(f"{kind} {seed}")
        random.seed(seed)
        folder = os.path.join(self.folder, f"{kind}-{seed}")
        self.what, self.shown = kind, ""
        self.faulty = kind in ("inject", "disk")
        try:
            counted = getattr(self, kind)(chance, folder)
        except Failed as error:
            print(f"FAILED: --kind={kind} --seed={seed} --count=1: {self.what}: {error}\n{self.shown}  kept: {folder}", flush=True)
            self.counts["failures"] += 1
            return True
        shutil.rmtree(folder, ignore_errors=True)
        self.counts[kind] += counted
        return counted

    def choose(self, chance, names=None, weights=None):
        names = names or list(self.subjects)
        return self.subjects[chance.choices(names, weights or [1 if self.subjects[name].launcher else 4 for name in names])[0]]

    def finish(self, subject, folder):
        """The same command, undisturbed, gets there."""
        job = self.start(subject.command(folder)).wait()
        expect(not os.path.exists(os.path.join(folder, "run", "train", "lock")), "a lock is left")
        expect(job.status == 0, f"the same command again: status {job.status}:\n{job.output}")
        subject.check_done(folder)
        expect(not subject.hidden(folder), f"temporary files stay: {subject.hidden(folder)}")

    def check_ended(self, subject, folder, job, reasons, muted=False):
        """After a fault that was no signal: done, or a message with one of the reasons."""
        self.shown = job.output
        crashed = job.status < 0 or job.status in (132, 134, 135, 136, 139)
        expect(not crashed, f"ended by a signal ({job.status})")
        if job.status == 0:
            subject.check_done(folder)
        else:
            expect(muted or "error" in job.output, f"status {job.status} without a message")
            expect(muted or any(reason in job.output for reason in reasons), "the message has no reason")
        self.notes["done nevertheless" if job.status == 0 else "reported"] += 1
        subject.check(folder)

    def kill(self, chance, folder):
        subject = self.choose(chance)
        subject.prepare(folder)
        number = chance.choice(KILLS)
        if self.traces and subject.calls and not subject.launcher and chance.random() < 0.5:
            call, when, path = chance.choice(subject.calls)
            self.what = f"{number.name} to {subject.name} at {call} {when} ({path})"
            self.start(subject.command(folder, self.strace("/dev/null", call,
                                                           f"inject={call}:signal={number.name[3:]}:when={when}"))).wait()
        else:
            delay = chance.uniform(0, 1.1 * subject.seconds)
            which = chance.choice(("all", "rank", "launcher")) if subject.launcher else "all"
            self.what = f"{number.name} to {subject.name} ({which}) after {delay:.3f} s"
            job = self.start(subject.command(folder))
            try:
                job.process.wait(delay)
            except subprocess.TimeoutExpired:
                pass
            job.kill(number, which, os.path.join(self.bin, subject.program))
        self.notes[number.name] += 1
        subject.check(folder)
        self.finish(subject, folder)
        return 1

    def inject(self, chance, folder):
        if not self.traces:
            return 0
        subject = self.choose(chance)
        call, when, path = chance.choice(subject.calls)
        name = chance.choice(ERRORS[call].split())
        once = chance.random() < 0.6
        self.what = f"{name} of {call} {when}{'' if once else '+'} ({path}) in {subject.name}"
        subject.prepare(folder)
        log = folder + ".trace"
        wrap = self.strace(log, call, f"inject={call}:error={name}:when={when}{'' if once else '+'}")
        job = self.start(subject.command(folder, wrap, chance.randrange(2))).wait()
        injected = [line for line in open(log, errors="replace") if "(INJECTED)" in line]
        os.unlink(log)
        reason = os.strerror(getattr(errno, name))
        muted = call == "write" and not once  # standard error fails too
        self.check_ended(subject, folder, job, [reason, "error while loading"], muted)
        self.finish(subject, folder)
        return 1 if injected else 0

    def disk(self, chance, folder):
        # A limit on files hits mpirun's own too.
        subject = self.choose(chance, [name for name in self.subjects if not self.subjects[name].launcher])
        subject.prepare(folder)
        if self.mounts and chance.random() < 0.6:
            size = folder_kib(folder) + 4 * chance.randrange(1, 60)
            self.what = f"{subject.name} on a disk of {size} KiB"
            script = ('size=$1 at=$2; shift 2; cp -a "$at" "$at.before"; mount -t tmpfs -o size=${size}k none "$at" || exit 99;'
                      'cp -a "$at.before/." "$at/" && rm -r "$at.before"; "$@"; status=$?; cp -a "$at/." "$at.after/"; exit $status')
            job = self.start(["unshare", "-rm", "sh", "-c", script, "sh", str(size), folder] + subject.command(folder)).wait()
            expect(job.status != 99, "no tmpfs")
            shutil.rmtree(folder)
            os.rename(folder + ".after", folder)
            reasons = [os.strerror(errno.ENOSPC)]
        else:
            size = chance.randrange(0, 120_000)
            self.what = f"{subject.name} with files of at most {size} bytes"
            job = self.start(subject.command(folder), lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))).wait()
            reasons = [os.strerror(errno.EFBIG)]
        self.check_ended(subject, folder, job, reasons)
        self.finish(subject, folder)
        return 1

    def stop(self, chance, folder):
        subject = self.subjects["train_2_ranks"]
        subject.prepare(folder)
        command = subject.command(folder)
        command = [f"--stall_seconds={STALL}" if word == "--log_steps=1" else word for word in command]
        victim = chance.randrange(2)
        delay = chance.uniform(0, subject.seconds)
        self.what = f"rank {victim} stopped after {delay:.3f} s"
        job = self.start(command)
        time.sleep(delay)
        pids = job.ranks(os.path.join(self.bin, subject.program))
        if len(pids) < 2:
            job.kill()
            return 0
        send(pids[victim], signal.SIGSTOP)
        end = time.monotonic() + LIMIT
        while job.process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        expect(job.process.poll() is not None, f"nothing is reported in {LIMIT} s")
        for pid in pids:
            send(pid, signal.SIGCONT)
            send(pid, signal.SIGKILL)
        job.kill()
        if job.status != 0:
            expect("no progress for" in job.output, f"status {job.status}, and no report:\n{job.output}")
        subject.check(folder)
        self.finish(subject, folder)
        return 1

    def jobs(self, chance, folder):
        subject = self.choose(chance, [name for name in self.subjects if not self.subjects[name].launcher and name != "evaluate"])
        subject.prepare(folder)
        space = ["unshare", "-rpf", "--mount-proc"] if self.spaces and chance.random() < 0.5 else []
        number = chance.randrange(2, 5)
        self.what = f"{number} of {subject.name}{' in process spaces of their own' if space else ''}"
        jobs = [self.start(space + subject.command(folder)) for _ in range(number)]
        for job in jobs:
            job.wait()
        done = sum(job.status == 0 for job in jobs)
        for job in jobs:
            refused = re.search(r"in use|taking the|already holds|another job", job.output)
            expect(job.status == 0 or (job.status == 1 and refused), f"status {job.status}, neither done nor refused:\n{job.output}")
        expect(done >= 1, "none was done")
        if subject.name == "generate":
            whole = [files for files in subject.sets(folder).values() if len(files) == subject.COUNT]
            expect(done == number == len(whole), f"{done} of {number} were done, {len(whole)} sets are whole")
        self.notes["jobs done"] += done
        self.notes["jobs refused"] += number - done
        subject.check_done(folder)
        self.finish(subject, folder)
        return 1

    def clocks(self, seconds):
        return {"LD_PRELOAD": self.clock_library, "TORTURE_CLOCK": str(seconds)}

    def clock(self, chance, folder):
        if not self.clock_library:
            return 0
        subject = self.choose(chance, ["train", "resume", "preprocess", "overwrite", "generate"])
        hours = chance.choice((-3600, 3600, 90000))
        subject.prepare(folder)
        self.what = f"the clock of {subject.name} is off by {hours} s"
        space = ["unshare", "-rpf", "--mount-proc"] if self.spaces and chance.random() < 0.5 else []
        first = self.start(space + subject.command(folder), **self.clocks(0))
        time.sleep(chance.uniform(0, subject.seconds))
        second = self.start(subject.command(folder), **self.clocks(hours)).wait()
        first.wait()
        for job in (first, second):
            refused = re.search(r"in use|taking the|already holds|another job", job.output)
            expect(job.status == 0 or (job.status == 1 and refused), f"status {job.status}, neither done nor refused:\n{job.output}")
        expect(first.status == 0 or second.status == 0, "none was done")
        expect(first.status == 0 or subject.program != "drumline-generate", f"a generator lost its files:\n{first.output}")
        subject.check(folder)
        self.finish(subject, folder)
        return 1


def folder_kib(folder):
    """On a tmpfs, whose files and folders have pages of 4 KiB."""
    return sum((os.path.getsize(os.path.join(at, name)) + 4095) // 4096 * 4 for at, _, files in os.walk(folder) for name in files)


def read_calls(trace, folder):
    """(call, its number among those of its name in its thread, path) of the calls on the folder's files."""
    numbers, calls = collections.Counter(), []
    with open(trace, errors="replace") as file:
        for line in file:
            found = re.match(r"(\d+) +(\w+)\((.*)", line)
            if not found:
                continue
            numbers[found[1], found[2]] += 1
            path = re.search(re.escape(folder) + r'([^>"]*)', found[3])
            if path:
                calls.append((found[2], numbers[found[1], found[2]], path[1]))
    return calls


KINDS = {"kill": 6, "inject": 12, "disk": 3, "jobs": 2, "clock": 1, "stop": 0}


def run_trials(bench, kinds, options, started):
    """Kind by kind: each --count times, or all in the ratio of KINDS until the time is over."""
    if options.count:
        for kind in kinds:
            for seed in range(options.seed, options.seed + options.count):
                bench.trial(kind, seed)
        return
    chance = random.Random(options.seed)
    seed = options.seed * 1_000_000
    while time.monotonic() - started < options.seconds:
        kind = chance.choices(kinds, [KINDS[name] or len(kinds) == 1 for name in kinds])[0]
        seed += 1
        bench.trial(kind, seed)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip(), epilog=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kind", default=",".join(KINDS))
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bin", default=os.path.join(SOURCE, "build", "release", "bin"))
    parser.add_argument("--scratch")
    options = parser.parse_args()
    kinds = options.kind.split(",")
    unknown = set(kinds) - set(KINDS)
    if unknown:
        parser.error(f"--kind: {unknown.pop()} is none of {', '.join(KINDS)}")
    parent = options.scratch or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    folder = tempfile.mkdtemp(prefix="drumline-torture-", dir=parent)
    bench = Bench(folder, options.bin)
    started = time.monotonic()
    try:
        bench.open()
        run_trials(bench, kinds, options, started)
    except Failed as error:
        print(f"torture.py: {error}")
        bench.counts["failures"] += 1
    except KeyboardInterrupt:
        bench.counts["failures"] += 1
    names = ", ".join(f"{bench.counts[kind]} {kind}" for kind in kinds)
    notes = ", ".join(f"{count} {name}" for name, count in sorted(bench.notes.items()))
    print(f"{names} in {time.monotonic() - started:.0f} s ({notes}): {bench.counts['failures']} failed")
    if not bench.counts["failures"]:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if bench.counts["failures"] else 0)


if __name__ == "__main__":
    main()
