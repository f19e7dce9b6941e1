#!/usr/bin/python3
"""How long does a training take from its start to its first step, and how much memory has the node needed by then?

  tools/measure_start.py DATA [--ranks 1] [--config groovae_4bar_flat] [--hparams batch_size=512] [--rounds 5]
                         [--memory] [--opens] [--baseline_build_dir DIR]

The clock begins before the program (with --ranks above 1: mpirun) is started, and ends when drumline-train says what it
will train: what is left then is one line of metrics.jsonl. DATA is a data set, or a folder of MIDI files with an info.csv.
Each round is a new run of one step. The first round also reads DATA from the disk, and is not counted. Prints every round,
their median, least and most.

--memory samples, every 20 ms until the first step, the memory of all ranks together (the sum of PSS of /proc/PID/smaps_rollup,
in which what ranks share counts once) and adds the most. It takes some of the time that is measured. --opens runs once more
under strace and counts how often a rank opened a file of DATA. --baseline_build_dir measures another build in the same rounds,
and adds the ratios of the two, round by round.
"""
import argparse
import glob
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time

import comparison

SAID = ' parameters, '  # in the line that stands before the first step
PROGRAM = 'drumline-train'


def parents():
    """{process: its parent} of all processes."""
    found = {}
    for path in glob.glob('/proc/[0-9]*/stat'):
        try:
            with open(path, encoding='utf-8', errors='replace') as file:
                text = file.read()
        except OSError:
            continue
        found[int(path.split('/')[2])] = int(text.rpartition(')')[2].split()[1])
    return found


def ranks_below(root):
    """The processes of the program that stem from `root`, or are it."""
    of = parents()
    ranks = []
    for process in of:
        ancestor = process
        while ancestor not in (root, 0, 1):
            ancestor = of.get(ancestor, 0)
        try:
            with open(f'/proc/{process}/comm', encoding='utf-8') as file:
                if ancestor == root and file.read().strip() == PROGRAM[:15]:
                    ranks.append(process)
        except OSError:
            pass
    return ranks


def pss_bytes(process):
    try:
        with open(f'/proc/{process}/smaps_rollup', encoding='utf-8') as file:
            return sum(1024 * int(line.split()[1]) for line in file if line.startswith('Pss:'))
    except OSError:
        return 0


class MemorySampler(threading.Thread):
    """The most memory of the ranks below a process, until it is stopped."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root, self.most, self.stopped = root, 0, threading.Event()
        self.start()

    def run(self):
        while not self.stopped.wait(0.02):
            self.most = max(self.most, sum(pss_bytes(process) for process in ranks_below(self.root)))

    def stop(self):
        self.stopped.set()
        self.join()
        return self.most


def measure(command, with_memory):
    """Seconds to the first step, and bytes of memory by then (0 without with_memory)."""
    started = time.perf_counter()
    found, said, memory = None, [], 0
    with subprocess.Popen(command, env=comparison.environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          text=True, errors='replace', bufsize=1) as program:
        sampler = MemorySampler(program.pid) if with_memory else None
        for line in program.stderr:
            if found is None and SAID in line:
                found = time.perf_counter() - started
                memory = sampler.stop() if sampler else 0
            said.append(line)
    if program.returncode != 0:
        comparison.fail(f'{command[0]} ended with status {program.returncode}: ' + ''.join(said[-5:]).strip())
    if found is None:
        comparison.fail(f'{command[0]} never said "{SAID.strip()}"')
    return found, memory


def count_opens(command, data, folder):
    """How often each rank opened a file of the data set: one number a rank, sorted."""
    if not shutil.which('strace'):
        comparison.fail('--opens needs strace')
    trace = os.path.join(folder, 'trace')
    measure(['strace', '-ff', '-e', 'trace=openat', '-o', trace, *command], False)
    counts = []
    for path in glob.glob(trace + '.*'):
        with open(path, encoding='utf-8', errors='replace') as file:
            counts.append(sum(f'"{data}/' in line and ' = -1 ' not in line for line in file))
    return sorted(count for count in counts if count)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data', help='a data set, or a folder of MIDI files')
    parser.add_argument('--build_dir', default=os.path.join(comparison.ROOT, 'build', 'release'),
                        help='where bin/ with the programs lies (default: build/release)')
    parser.add_argument('--baseline_build_dir', help='that of another build, to compare with')
    parser.add_argument('--ranks', type=int, default=1, help='1: without mpirun (default)')
    parser.add_argument('--config', default='groovae_4bar_flat', help='(default: %(default)s)')
    parser.add_argument('--hparams', default='batch_size=512', help='(default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=5, help='rounds that count (default: %(default)s)')
    parser.add_argument('--memory', action='store_true', help='print the memory of all ranks together, too')
    parser.add_argument('--opens', action='store_true', help='count how often ranks open files of DATA, too')
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.ranks < 1:
        parser.error('--rounds and --ranks are at least 1')
    return arguments


def spread(values, unit):
    return f'median {statistics.median(values):.3f}{unit} ({min(values):.3f} to {max(values):.3f})'


def report(name, results, arguments):
    ranks = f'{arguments.ranks} rank{"s" if arguments.ranks > 1 else ""}'
    if arguments.memory:
        most = statistics.median(memory for _, memory in results)
        print(f'{name}memory of all ranks until the first step, {ranks}: median {most / 2 ** 20:.0f} MiB')
    print(f'{name}from the start to the first step, {ranks}: {spread([seconds for seconds, _ in results], " s")}')


def main():
    arguments = parse()
    builds = {'': comparison.Programs(arguments.build_dir, arguments.ranks)}
    if arguments.baseline_build_dir:
        builds['baseline: '] = comparison.Programs(arguments.baseline_build_dir, arguments.ranks)
    with tempfile.TemporaryDirectory() as folder:
        data = comparison.data_set(arguments.data, builds[''], folder)
        flags = ['--config', arguments.config, '--examples_path', data, '--hparams', arguments.hparams, '--num_steps=1']

        def command(programs):
            own = [*flags, '--run_dir', tempfile.mkdtemp(dir=folder)]
            return [programs.path(PROGRAM), *own] if arguments.ranks == 1 else programs.mpi(PROGRAM, *own)

        results = {name: [] for name in builds}
        for number in range(arguments.rounds + 1):
            for name in sorted(builds, reverse=number % 2 == 1):
                result = measure(command(builds[name]), arguments.memory)
                memory = f', {result[1] / 2 ** 20:.0f} MiB' if arguments.memory else ''
                print(f'{name}round {number}: {result[0]:.3f} s{memory}' + (' (not counted)' if number == 0 else ''), flush=True)
                if number > 0:
                    results[name].append(result)
        if arguments.opens:
            opens = count_opens(command(builds['']), data, folder)
            print(f'files of the data set opened: {sum(opens)} ({", ".join(map(str, opens))} by each rank)')
    for name, of_build in results.items():
        report(name, of_build, arguments)
    if arguments.baseline_build_dir:
        pairs = list(zip(*([seconds for seconds, _ in of_build] for of_build in results.values()), strict=True))
        print(f'ratio to the baseline: {spread([own / baseline for own, baseline in pairs], "")}; '
              f'difference: {spread([own - baseline for own, baseline in pairs], " s")}')


if __name__ == '__main__':
    main()
