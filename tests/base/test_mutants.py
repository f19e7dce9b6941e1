#!/usr/bin/env python3
"""test_mutants.py READ_FILES DATA_DIR CHECKPOINT [COUNT [SEED]]: changes bytes of a shard, an index and a checkpoint and seals them
again, COUNT times, and reads each: no crash, no hang and no gigabyte of the program that reads, and what is accepted is what h5py
reads of the same bytes, in a process of its own.

READ_FILES is the program made of tests/base/read_files.c; DATA_DIR holds a data set of one shard."""
import collections
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

try:
    import h5py
    import numpy
    import xxhash
except ImportError:
    sys.exit(77)

CHECKPOINT = sys.argv[3]
BATCH = 25
SEAL_SIZE = 512
MEBIBYTES = 1024
SECONDS = 120  # for one file, before it counts as a hang: more than the helper is given
SIGNATURES = re.compile(rb"TREE|HEAP|SNOD|GCOL|OHDR|FRHP|BTHD|\x89HDF")
VALUES = (0, 1, 2, 4, 7, 8, 0x0f, 0x10, 0x20, 0x40, 0x7f, 0x80, 0xfe, 0xff)


def seal(content):
    digest = xxhash.xxh3_64_intdigest(content)
    return f"drumline-seal 1 xxh3={digest:016x} size={len(content):020d}\n".encode().ljust(SEAL_SIZE, b"\0") + content


def mutate(content, rng, places):
    """A few bytes changed, most of them in what HDF5 keeps about its objects, which is behind one of the `places`."""
    mutant = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        place = rng.randrange(len(mutant)) if rng.random() < 0.2 else rng.choice(places) + int(rng.expovariate(1 / 120))
        place = min(place, len(mutant) - 8)
        kind = rng.random()
        if kind < 0.4:
            mutant[place] ^= 1 << rng.randrange(8)
        elif kind < 0.8:
            mutant[place] = rng.choice(VALUES)
        elif kind < 0.9:
            size = rng.choice((2, 4, 8))
            value = rng.choice((0, 1, 0x7fffffff, 0xffffffff, len(mutant), rng.randrange(len(mutant)), (1 << 64) - 1))
            mutant[place:place + size] = struct.pack("<Q", value)[:size]
        else:
            source, size = rng.randrange(len(mutant) - 64), rng.randrange(1, 64)
            size = min(size, len(mutant) - place)
            mutant[place:place + size] = mutant[source:source + size]
    return bytes(mutant)


def digest(name, data):
    return xxhash.xxh3_64_intdigest(name.encode() + b"\0" + data)


def text(value):
    return (value.encode() if isinstance(value, str) else bytes(value)).split(b"\0")[0]


def sum_of_table(file):
    rows, total = file["performances"][()], 0
    for i, row in enumerate(rows):
        for name in ("path", "style", "drummer"):
            total += digest(f"{name} {i}", text(row[name]))
        for name in ("first_step", "num_steps", "numerator", "denominator"):
            total += digest(f"{name} {i}", str(int(row[name])).encode())
        total += digest("qpm", numpy.float32(row["qpm"]).tobytes())
    return total


def sum_of_attributes(file, *names):
    return sum(digest(f"attribute {name} 0", str(int(file.attrs[name])).encode()) for name in names)


def names_of_weights(path):
    names = []
    with h5py.File(path, "r") as file:
        file["model"].visititems(lambda name, thing: names.append(name) if isinstance(thing, h5py.Dataset) else None)
    return names


def sum_of_weights(file):
    """By name, as the program does: a walk through the group meets damage that concerns nobody else."""
    return sum(digest(name, file["model/" + name][()].astype("<f4").tobytes()) for name in names_of_weights(CHECKPOINT))


def sum_of(path):
    """The file, open, as closing it can crash, and what READ_FILES prints for it, by h5py."""
    name = os.path.basename(path)
    file = h5py.File(path, "r")
    if name.startswith("shard"):
        total = sum_of_table(file) + sum(digest(cells, file[cells][()].astype(kind).tobytes()) for cells, kind in
                                         (("hits", "u1"), ("velocity", "u1"), ("offset", "<f4")))
    elif name.startswith("index"):
        total = sum_of_table(file) + digest("content_sha256 0", text(file.attrs["content_sha256"]))
        total += sum_of_attributes(file, "num_steps", "num_shards", "num_files", "num_hits")
    else:
        total = sum_of_weights(file) + sum_of_attributes(file, "step", "epoch", "seed")
    return file, f"{total % (1 << 64):016x}"


def isolated_sum_of(path):
    """The same in a process of its own; why not, where that fails."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
            resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
            file, found = sum_of(path)
            os.write(theirs, found.encode())
        except Exception as error:  # pylint: disable=broad-except
            os.write(theirs, f"{type(error).__name__}: {error}".encode()[:4000])
        os._exit(0)  # `file` stays open
    os.close(theirs)
    answer = b""
    while part := os.read(ours, 4096):
        answer += part
    os.close(ours)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return answer.decode() if answer else f"status {status}"


class Mutants:
    def __init__(self, program, data, checkpoint, folder, seed):
        self.program, self.folder, self.rng = program, folder, random.Random(seed)
        self.counts, self.wrong, self.memory = collections.Counter(), [], 0
        self.sources, self.intact = [], {}  # intact: what is read of each that was not changed
        for source in (os.path.join(data, "shard-00000-of-00001.h5"), os.path.join(data, "index.h5"), checkpoint):
            with open(source, "rb") as file:
                content = file.read()[SEAL_SIZE:]
            self.sources.append((os.path.basename(source), content, [m.start() for m in SIGNATURES.finditer(content)]))

    def write_batch(self, count, intact):
        paths = []
        for i in range(count):
            name, content, places = self.sources[i % len(self.sources)]
            folder = os.path.join(self.folder, str(i))
            os.makedirs(folder, exist_ok=True)
            paths.append(os.path.join(folder, name))
            with open(paths[-1], "wb") as file:
                file.write(seal(content if intact else mutate(content, self.rng, places)))
        return paths

    def complain(self, path, what):
        kept = os.path.join(tempfile.gettempdir(), f"drumline-mutant-{os.getpid()}-{len(self.wrong)}-{os.path.basename(path)}")
        shutil.copy(path, kept)
        self.wrong.append(f"{kept}: {what}")
        print(self.wrong[-1], file=sys.stderr, flush=True)

    def sum_by_h5py(self, path, expected):
        """In one of three processes at most, as HDF5 reads behind the end of its memory at times, where each has something else."""
        for attempt in range(3):
            found = isolated_sum_of(path)
            if found == expected:
                if attempt > 0:
                    self.counts["read by h5py at times"] += 1
                break
        return found

    def read_batch(self, paths, intact=False):
        began = time.monotonic()
        try:
            done = subprocess.run([self.program, *paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True,
                                  errors="replace", timeout=SECONDS * len(paths))
        except subprocess.TimeoutExpired:
            return self.complain(paths[0], f"one of {len(paths)} files hangs")
        lines = [line.split("\t", 2) for line in done.stdout.rstrip("\n").split("\n")]
        if done.returncode != 0 or len(lines) != len(paths) + 1:
            at = paths[min(len(lines), len(paths) - 1)]
            return self.complain(at, f"the program ended with status {done.returncode}: {done.stderr[:500]}")
        self.memory = max(self.memory, int(lines.pop()[1]))
        for path, (_, verdict, rest) in zip(paths, lines):
            self.counts[verdict] += 1
            if intact:
                self.intact[os.path.basename(path)] = rest
            if verdict == "accepted":
                found = self.sum_by_h5py(path, rest)
                if found.startswith("status") and rest == self.intact.get(os.path.basename(path)):
                    self.counts["h5py crashed"] += 1  # and we have what was there before
                elif found != rest:
                    self.complain(path, f"was read as {rest}, but h5py says {found}")
            elif not rest.startswith(os.path.dirname(path)):
                self.complain(path, f"is refused without its name: {rest}")
            else:
                for sign in ("crashed", "CPU time", "killed", "did nothing", "ended with status", "no answer", "makes no sense"):
                    if sign in rest:
                        self.counts[f"HDF5 {sign}"] += 1
        self.counts["seconds"] += round(time.monotonic() - began)
        return None

    def run(self, count):
        for path in (paths := self.write_batch(len(self.sources), True)):
            assert os.path.exists(path)
        self.read_batch(paths, True)
        if self.counts["accepted"] != len(paths):
            self.wrong.append("files that were not changed are refused")
        left = count
        while left > 0:
            self.read_batch(self.write_batch(min(BATCH, left), False))
            left -= BATCH
        if self.memory > MEBIBYTES:
            self.wrong.append(f"the program took {self.memory} MiB")
        print(f"{count} mutants: " + ", ".join(f"{number} {what}" for what, number in sorted(self.counts.items())) +
              f"; at most {self.memory} MiB", flush=True)
        return 1 if self.wrong else 0


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 300
    seed = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(Mutants(sys.argv[1], sys.argv[2], sys.argv[3], folder, seed).run(count))


if __name__ == "__main__":
    main()
