#!/usr/bin/python3
"""How long does a training take from its start to its first step?

  tools/measure_start.py DATA [--ranks 1] [--config groovae_4bar_flat] [--hparams batch_size=512] [--rounds 5]

The clock begins before the program (with --ranks above 1: mpirun) is started, and ends when drumline-train tells what it
will train: what is left then is one line of metrics.jsonl. DATA is a data set, or a folder of MIDI files with an info.csv.
Each round is a new run of one step. The first round also reads DATA from the disk, and is left out. Prints every round,
their median, least and most.
"""
import argparse
import os
import statistics
import subprocess
import tempfile
import time

import comparison

TOLD = ' parameters, '  # in the line that stands before the first step


def seconds_to_first_step(command):
    started = time.perf_counter()
    found, said = None, []
    with subprocess.Popen(command, env=comparison.environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          text=True, errors='replace', bufsize=1) as program:
        for line in program.stderr:
            if found is None and TOLD in line:
                found = time.perf_counter() - started
            said.append(line)
    if program.returncode != 0:
        comparison.fail(f'{command[0]} ended with status {program.returncode}: ' + ''.join(said[-5:]).strip())
    if found is None:
        comparison.fail(f'{command[0]} never said "{TOLD.strip()}"')
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data', help='a data set, or a folder of MIDI files')
    parser.add_argument('--build_dir', default=os.path.join(comparison.ROOT, 'build', 'release'),
                        help='where bin/ with the programs lies (default: build/release)')
    parser.add_argument('--ranks', type=int, default=1, help='1: without mpirun (default)')
    parser.add_argument('--config', default='groovae_4bar_flat', help='(default: %(default)s)')
    parser.add_argument('--hparams', default='batch_size=512', help='(default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=5, help='rounds that count (default: %(default)s)')
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.ranks < 1:
        parser.error('--rounds and --ranks are at least 1')
    programs = comparison.Programs(arguments.build_dir, arguments.ranks)
    with tempfile.TemporaryDirectory() as folder:
        data = comparison.data_set(arguments.data, programs, folder)
        flags = ['--config', arguments.config, '--examples_path', data, '--hparams', arguments.hparams, '--num_steps=1']
        seconds = []
        for number in range(arguments.rounds + 1):
            own = [*flags, '--run_dir', os.path.join(folder, f'run-{number}')]
            alone = [programs.path('drumline-train'), *own]
            seconds.append(seconds_to_first_step(alone if arguments.ranks == 1 else programs.mpi('drumline-train', *own)))
            print(f'round {number}: {seconds[-1]:.3f} s' + (' (left out)' if number == 0 else ''), flush=True)
    counted = seconds[1:]
    print(f'from the start to the first step, {arguments.ranks} rank{"s" if arguments.ranks > 1 else ""}: median '
          f'{statistics.median(counted):.3f} s ({min(counted):.3f} to {max(counted):.3f})')


if __name__ == '__main__':
    main()
