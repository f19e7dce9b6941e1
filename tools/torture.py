#!/usr/bin/env python3
"""Disturbs Drumline's programs and checks that nothing is lost.

    tools/torture.py [--seconds=N] [--kind=KIND[,KIND]] [--count=N] [--seed=N] [--by=TOOL[,TOOL]] [--limit=N]
                     [--verbose] [--bin=DIR] [--scratch=DIR]

Preprocessing, training (one process, two ranks, resumed, with an evaluation), exporting and generating are run once
undisturbed, then again and again in a small scratch folder with one disturbance each:

    kill     SIGKILL, SIGTERM, SIGINT or SIGUSR1 to the job, to one rank or to mpirun alone, at a random moment or at a
             system call drawn from those on the job's files
    inject   a system call on the job's files fails, once or from then on: EIO, ENOSPC, EDQUOT, ESTALE, EACCES, EMFILE,
             ENOMEM, EROFS, ENFILE
    disk     the folder is a tmpfs that becomes full, or a file may not grow (RLIMIT_FSIZE)
    stop     a rank is stopped (SIGSTOP) and must be reported (--stall_seconds); only where it is named, as each takes 10 s
    jobs     several jobs on one folder, also in process name spaces of their own (unshare)
    clock    the clock of a job is off by an hour, while another has the run (by a preloaded library of the build's tests)

System calls are disturbed by strace, and by a preloaded library of the build's tests (preload), which needs no ptrace but sees
only what programs and libraries ask of libc. Where both work, each trial picks one at random; --by chooses.

After each disturbance: nothing half-written has a final name, every checkpoint is valid and equals the undisturbed run's of
that step; a failure has a status other than 0 and a message with the reason; the same command run again succeeds,
reaches the same bytes (weights, data set, MIDI files) and leaves nothing temporary behind. A hang or a crash is a failure.

It runs for --seconds (60), kind by kind, or with --count until each kind was run so often. What takes longer than --limit (120 s) is a
hang: give a busy machine more. The seed of each trial is printed where it fails, with --verbose always, and the folder of one that
failed is kept: --kind=KIND --seed=N --count=1 repeats it with the same --by. Exit status 0, 1 (a trial failed), 77
(needs h5py, or a kind that was named can't run here).
"""
import argparse
import collections
import errno
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

import processes
import torture_faults

try:
    from torture_subjects import EVERY, STEPS, SUBJECTS, Resume, expect
except ImportError as lack:
    print(f"torture.py: {lack}")
    sys.exit(77)

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STALL = 8  # --stall_seconds
KILLS = (signal.SIGKILL,) * 4 + (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


# --- the bench: reference runs, and one trial after another ---

class Bench:
    def __init__(self, folder, options, faults):
        self.bin, self.folder, self.limit, self.verbose = os.path.abspath(options.bin), folder, options.limit, options.verbose
        self.faults, self.clock_library = faults, library_of(options, "preload_clock")
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
        return processes.Job(command, {**self.environment, **environment}, self.limit, prepare)

    def must(self, command):
        job = self.start(command).wait()
        expect(job.status == 0, f"status {job.status} of {' '.join(command)}:\n{job.output}")
        return job

    def open(self):
        """Makes what is compared with, and learns which system calls each command makes on its files."""
        processes.adopt_orphans()
        drummers = os.path.join(self.bin, "drumline-drummers")
        preprocess = os.path.join(self.bin, "drumline-preprocess")
        for midi, data, seed in ((self.midi, self.data, 1), (self.midi + "2", self.other, 2)):
            self.must([drummers, "--output_dir", midi, "--num_performances=8", f"--seed={seed}", "--log=error"])
            self.must([preprocess, "--recursive", "--input_dir", midi, "--output_dir", data])
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

    def refer(self, subject):
        folder = os.path.join(self.folder, "reference", subject.name)
        if isinstance(subject, Resume):
            subject.weights, subject.losses = (getattr(self.subjects["train"], name) for name in ("weights", "losses"))
        subject.prepare(folder)
        subject.seconds = self.must(subject.command(folder)).seconds
        subject.check_done(folder)
        for way in self.faults:
            again, log = f"{folder}-{way.name}", os.path.join(self.folder, "trace")
            subject.prepare(again)
            self.must(subject.command(again, way.watch(log, again)))
            subject.calls[way.name] = way.calls(log, again)
            os.unlink(log)

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
        except AssertionError as error:
            print(f"FAILED: --kind={kind} --seed={seed} --count=1: {self.what}: {error}\n{self.shown}  kept: {folder}", flush=True)
            self.counts["failures"] += 1
            return True
        shutil.rmtree(folder, ignore_errors=True)
        self.counts[kind] += counted
        if self.verbose:
            print(f"--kind={kind} --seed={seed}: {self.what}{'' if counted else ' (came too late)'}", flush=True)
        return counted

    def disturb_call(self, chance, folder, subject, fault_of, rank=0):
        """Runs the command with one of its calls disturbed. fault_of: the call's name -> what Fault takes. Gives the fault, the job,
        whether the call was made, and whether it was also made on something else than the folder's files."""
        way = chance.choice(self.faults)
        call, number, path = chance.choice(subject.calls[way.name])
        fault = torture_faults.Fault(call, number, **fault_of(call))
        self.what = f"{subject.name}: {fault} ({path}, by {way.name})"
        log = folder + ".trace"
        job = self.start(subject.command(folder, way.disturb(log, folder, fault), rank))
        try:
            job.wait()
        except AssertionError:  # a hang, unless somebody else's
            if not (subject.launcher and way.is_elsewhere(log, folder)):
                raise
        was_made, is_elsewhere = way.was_disturbed(log), way.is_elsewhere(log, folder)
        os.unlink(log)
        return fault, job, was_made, is_elsewhere

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
        if self.faults and not subject.launcher and chance.random() < 0.5:
            came = self.disturb_call(chance, folder, subject, lambda _: {"signal": number.name})[2]
        else:
            delay = chance.uniform(0, 1.1 * subject.seconds)
            which = chance.choice(("all", "rank", "launcher")) if subject.launcher else "all"
            self.what = f"{number.name} to {subject.name} ({which}) after {delay:.3f} s"
            job = self.start(subject.command(folder))
            try:
                job.process.wait(delay)
            except subprocess.TimeoutExpired:
                pass
            came = end(job, number, which, os.path.join(self.bin, subject.program))
        self.notes[number.name] += came
        subject.check(folder)
        self.finish(subject, folder)
        return int(came)

    def inject(self, chance, folder):
        subject = self.choose(chance)
        subject.prepare(folder)
        stays = chance.random() < 0.4
        fault, job, was_made, is_elsewhere = self.disturb_call(
            chance, folder, subject, lambda call: {"error": chance.choice(torture_faults.ERRORS[call].split()), "stays": stays},
            chance.randrange(2))
        muted = fault.call == "write" and stays  # standard error fails too
        if is_elsewhere and subject.launcher:  # in Open MPI, say, which is not held to anything
            self.notes["elsewhere"] += 1
            subject.check(folder)
        else:
            self.check_ended(subject, folder, job, [os.strerror(getattr(errno, fault.error)), "error while loading"], muted)
        self.finish(subject, folder)
        return int(was_made)

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
        command = [f"{word} --stall_seconds={STALL}".split() if word == "--log_steps=1" else [word] for word in subject.command(folder)]
        victim = chance.randrange(2)
        delay = chance.uniform(0, subject.seconds / 2)
        self.what = f"rank {victim} stopped {delay:.3f} s after the run was taken"
        job = self.start(sum(command, []))
        lock = os.path.join(folder, "run", "train", "lock")  # before, ranks don't watch one another yet
        processes.wait_until(lambda: os.path.exists(lock) or job.process.poll() is not None, self.limit, lock)
        time.sleep(delay)
        pids = job.ranks(os.path.join(self.bin, subject.program))
        if len(pids) < 2:
            job.kill()
            return 0
        processes.signal_to(pids[victim], signal.SIGSTOP)
        try:
            # A rank that is stopped on its way out, after the run was given back, is the launcher's to wait for.
            processes.wait_until(lambda: job.process.poll() is not None or not os.path.exists(lock), self.limit, "a report")
            is_over = job.process.poll() is None
        finally:
            for pid in pids:
                processes.signal_to(pid, signal.SIGCONT)
                processes.signal_to(pid, signal.SIGKILL)
            job.kill()
        if job.status != 0 and not is_over:
            expect("no progress for" in job.output, f"status {job.status}, and no report:\n{job.output}")
        self.notes["done nevertheless" if job.status == 0 or is_over else "reported"] += 1
        subject.check(folder)
        self.finish(subject, folder)
        return 1

    def jobs(self, chance, folder):
        subject = self.choose(chance, [name for name in self.subjects if not self.subjects[name].launcher and name != "evaluate"])
        subject.prepare(folder)
        space = ["unshare", "-rpf", "--mount-proc"] if self.spaces and chance.random() < 0.5 else []
        number = chance.randrange(2, 5)
        self.what = f"{number} of {subject.name}{' in PID namespaces of their own' if space else ''}"
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


def end(job, number, which, program):
    """Sends the signal to the whole job, to its launcher alone or to one rank, and waits for its end. Whether there was something
    to send it to."""
    is_over = job.process.poll() is not None
    if is_over or (which == "all" and number == signal.SIGKILL):
        job.kill()
        return not is_over
    pids = job.processes()
    processes.signal_to(random.choice(job.ranks(program) or pids[:1]) if which == "rank" else pids[0], number)
    job.wait_for_all(pids)
    return True


def library_of(options, name):
    return os.path.join(os.path.dirname(os.path.abspath(options.bin)), "tests", f"lib{name}.so")


def faults_of(options):
    """What disturbs system calls here, of what is asked for."""
    every = (torture_faults.Strace(), torture_faults.Preload(library_of(options, "preload_faults")))
    asked = options.by.split(",") if options.by else [way.name for way in every]
    found = [way for way in every if way.name in asked and way.is_there()]
    if not found:
        print("torture.py: no kills at system calls and no --kind=inject: strace can't be used here, and there is no "
              f"{every[1].library}", flush=True)
    return found


KINDS = {"kill": 6, "inject": 12, "disk": 3, "jobs": 2, "clock": 1, "stop": 0}  # weights; 0: only where it is named


def kinds_of(options, faults):
    """What is run: the kinds that are named, else those that have a weight and can run here. Ends where a named one can't."""
    clock = library_of(options, "preload_clock")
    lacks = {} if faults else {"inject": "nothing disturbs system calls"}
    lacks.update({} if os.path.exists(clock) else {"clock": f"there is no {clock}"})
    kinds = options.kind.split(",") if options.kind else [kind for kind, weight in KINDS.items() if weight and kind not in lacks]
    for kind in kinds:
        if kind in lacks:
            print(f"torture.py: --kind={kind} can't run here: {lacks[kind]}")
            sys.exit(77)
    return kinds


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
        kind = chance.choices(kinds, [KINDS[name] or 1 for name in kinds])[0]
        seed += 1
        bench.trial(kind, seed)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip(), epilog=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kind")
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--by")
    parser.add_argument("--limit", type=int, default=120)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--bin", default=os.path.join(SOURCE, "build", "release", "bin"))
    parser.add_argument("--scratch")
    options = parser.parse_args()
    unknown = set(options.kind.split(",") if options.kind else ()) - set(KINDS)
    if unknown:
        parser.error(f"--kind: {unknown.pop()} is none of {', '.join(KINDS)}")
    if options.by and set(options.by.split(",")) - {"strace", "preload"}:
        parser.error(f"--by: {options.by} is neither strace nor preload")
    faults = faults_of(options)
    kinds = kinds_of(options, faults)
    parent = options.scratch or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    folder = tempfile.mkdtemp(prefix="drumline-torture-", dir=parent)
    bench = Bench(folder, options, faults)
    started = time.monotonic()
    try:
        bench.open()
        run_trials(bench, kinds, options, started)
    except AssertionError as error:
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
