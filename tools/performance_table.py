#!/usr/bin/python3
"""Measures the speeds in docs/performance.md, and prints its table.

  tools/performance_table.py data/groove [--rounds 5] [--only flat,ranks,...] [--peer torch_groovae.py]

Metrics and their baselines are measured in interleaved rounds; the median of the rounds is shown. Takes about an
hour on two cores, and means something only where nothing else runs. Rows, for --only:

  flat, hierarchical   training beside the peer, and beside sgemm's peak in the same run
  bf16                 the flat decoder with precision=bf16 beside the peer
  ranks                all ranks, with the same windows per rank, interleaved with one step by step
  few                  16 windows a rank beside 256, windows per second of a core
  memory               resident memory of a rank at 256 windows
  network              what shows of the sum of gradients between two hosts at 1 Gbit/s (root alone)
  preprocess           the given folder of MIDI on one rank, and on all, interleaved
  generate             one sample from the start of the program to the end, and 1,000
  start                a training, from the start of the program to its first step
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import compare_speed
import comparison

FLAT = 'groovae_4bar_flat'
ROWS = ('flat', 'hierarchical', 'bf16', 'ranks', 'few', 'memory', 'network', 'preprocess', 'generate', 'start')


class Table:
    """The rows so far: each what was measured, its value, what it is held against, the ratio and the command."""

    def __init__(self):
        self.rows = []

    def add(self, what, value, reference, ratio, command):
        self.rows.append((what, value, reference, ratio, f'`{command}`'))
        print('|', ' | '.join(self.rows[-1]), '|', flush=True)

    def print(self):
        print('\n| what | Drumline | beside | ratio | command |\n|---|---|---|---|---|')
        for row in self.rows:
            print('|', ' | '.join(row), '|')


def spread(values, digits=2):
    return f'{statistics.median(values):.{digits}f} (median of {len(values)}, {min(values):.{digits}f} to ' \
           f'{max(values):.{digits}f})'


def seconds_of(command):
    started = time.monotonic()
    comparison.run(command, capture=True)
    return time.monotonic() - started


class Measurement:
    def __init__(self, arguments, folder):
        self.arguments, self.folder, self.table = arguments, folder, Table()
        self.all_ranks = comparison.Programs(arguments.build_dir, arguments.ranks)
        self.one_rank = comparison.Programs(arguments.build_dir, 1)
        self.count = 0

    def new_folder(self):
        self.count += 1
        return os.path.join(self.folder, f'part-{self.count}')

    def bench(self, programs, mode, *options, launcher=None):
        """The metrics of one drumline-bench, by name and unit."""
        command = programs.mpi('drumline-bench', mode, '--json', *options)
        if launcher:
            command = launcher + command[1:]
        report = json.loads(comparison.run(command, capture=True))
        return {(row['name'], row['unit']): row for row in report['metrics']}

    def train(self, programs, windows_a_rank, *options):
        batch = windows_a_rank * programs.ranks
        return self.bench(programs, 'train', '--config', FLAT, '--hparams', f'batch_size={batch}', *options)

    def beside_peer(self, row, decoder, hparams):
        arguments = self.arguments
        settings = argparse.Namespace(decoder=decoder, batch=512, ranks=arguments.ranks, steps=4, peer=arguments.peer,
                                      hparams=hparams)
        config = compare_speed.CONFIGS[decoder]
        data = compare_speed.make_data(self.all_ranks, self.folder) if not os.path.exists(
            os.path.join(self.folder, 'data')) else os.path.join(self.folder, 'data')
        ours, peers, of_peak = [], [], []
        for _ in range(arguments.rounds):
            ours.append(compare_speed.drumline_speed(self.all_ranks, data, self.new_folder(), settings))
            peers.append(compare_speed.peer_speed(settings))
            extra = ','.join(filter(None, ['batch_size=512', hparams]))
            metrics = self.bench(self.all_ranks, 'train', '--config', config, '--steps', '3', '--hparams', extra)
            of_peak.append(metrics['step', 'GFLOP/s']['ratio'])
        ratios = [a / b for a, b in zip(ours, peers)]
        name = f'training `{config}`' + (f', {hparams}' if hparams else '') + f', {arguments.ranks} ranks, batch 512'
        self.table.add(name, f'{statistics.median(ours):.1f} windows/s', f'PyTorch {statistics.median(peers):.1f}',
                       spread(ratios), f'tools/performance_table.py --only {row}')
        self.table.add('the same', f'GFLOP/s, {row}', "the library's peak in the same run", spread(of_peak),
                       f'mpirun -n {arguments.ranks} drumline-bench train --config {config} --hparams {extra}')

    def flat(self):
        self.beside_peer('flat', 'flat', '')

    def hierarchical(self):
        self.beside_peer('hierarchical', 'hierarchical', '')

    def bf16(self):
        self.beside_peer('bf16', 'flat', 'precision=bf16')

    def over_one(self, what, metrics):
        """The speedups of all ranks over one that drumline-bench measured in interleaved rounds; it skips work that takes long."""
        name = f'{what}_of_{self.arguments.ranks}_ranks_over_one', 'x'
        return [part[name]['value'] for part in metrics if name in part]

    def ranks(self):
        ranks = self.arguments.ranks
        if ranks == 1:
            print('ranks: skipped, it needs two or more (--ranks)')
            return
        batch = 256 * ranks
        options = ['--config', FLAT, '--hparams', f'batch_size={batch}', '--steps', '9']
        metrics = [self.bench(self.all_ranks, 'scaling', *options) for _ in range(self.arguments.rounds)]
        rate = 1e3 * batch / statistics.median(part[f'measured_{ranks}_ranks', 'ms']['value'] for part in metrics)
        command = f'mpirun -n {ranks} drumline-bench scaling {" ".join(options)}'
        self.table.add(f'{ranks} ranks, 256 windows each', f'{rate:.1f} windows/s', 'one rank, every other step',
                       spread(self.over_one('speed', metrics)), command)
        self.table.add('sgemm alone for as long', '', 'one rank, every other time',
                       spread(self.over_one('sgemm', metrics)), command)

    def few(self):
        ratios = []
        for _ in range(self.arguments.rounds):
            few = self.train(self.all_ranks, 16, '--steps', '9')['windows_per_second', '1/s']['value']
            many = self.train(self.all_ranks, 256, '--steps', '3')['windows_per_second', '1/s']['value']
            ratios.append(few / many)
        self.table.add('16 windows a rank', 'windows/s', '256 windows a rank', spread(ratios),
                       'tools/performance_table.py --only few')

    def memory(self):
        metrics = self.train(self.all_ranks, 256, '--steps', '1')
        self.table.add('resident memory of a rank, 256 windows each',
                       f'{metrics["resident_memory_per_rank", "MB"]["value"]:.0f} MB', '', '',
                       'mpirun -n 2 drumline-bench train --hparams batch_size=512')

    def network(self):
        if os.geteuid() != 0:
            print('network: skipped, it needs root to make hosts')
            return
        launcher = [os.path.join(comparison.ROOT, 'tools', 'emulated_hosts.sh'), '--rate', '1gbit']
        two = comparison.Programs(self.arguments.build_dir, 2)
        shares, exposed, alone = [], [], []
        for _ in range(self.arguments.rounds):
            metrics = self.bench(two, 'train', '--config', FLAT, '--hparams', 'batch_size=512', '--steps', '3',
                                 launcher=launcher)
            metric = metrics['exposed_allreduce', 'ms']
            shares.append(metric['ratio'])
            exposed.append(metric['value'])
            alone.append(metric['baseline_value'])
        self.table.add('gradient allreduce between two hosts at 1 Gbit/s that is exposed in the step',
                       f'{statistics.median(exposed):.0f} ms', f'the allreduce alone, {statistics.median(alone):.0f} ms',
                       spread(shares), 'tools/performance_table.py --only network')

    def preprocess(self):
        def once(programs):
            out = self.new_folder()
            command = [programs.path('drumline-preprocess')] if programs.ranks == 1 else programs.mpi(
                'drumline-preprocess')
            return seconds_of(command + ['--input_dir', self.arguments.midi, '--recursive', '--is_beat=True',
                                         '--beat=4-4', '--output_dir', out])
        once(self.one_rank)
        ones = [once(self.one_rank) for _ in range(self.arguments.rounds)]
        self.table.add('preprocessing, 1 rank, start to end', f'{spread(ones, 3)} s', '', '',
                       'time drumline-preprocess --input_dir data/groove --recursive --is_beat=True --beat=4-4')
        if self.arguments.ranks > 1:
            metrics = [self.bench(self.all_ranks, 'preprocess', '--input_dir', self.arguments.midi)
                       for _ in range(self.arguments.rounds)]
            seconds = [part['seconds', 's']['value'] for part in metrics]
            over_one = self.over_one('speed', metrics)
            self.table.add(f'preprocessing, {self.arguments.ranks} ranks, without the start of MPI',
                           f'{statistics.median(seconds):.3f} s', 'one rank, every other time',
                           spread(over_one) if over_one else 'took too long',
                           f'mpirun -n {self.arguments.ranks} drumline-bench preprocess --input_dir data/groove')

    def generate(self):
        """What was written, here and for other rows, stays until the end: ext4 without a journal passes over each file deleted within the last half
        minute whenever it makes a new one, so that deleting the files of a round would slow down the next."""
        run = self.new_folder()
        data = compare_speed.make_data(self.all_ranks, self.new_folder_made())
        comparison.run(self.one_rank.mpi('drumline-train', '--config', FLAT, '--examples_path', data, '--run_dir', run,
                                         '--num_steps', '1', '--hparams=batch_size=2'), capture=True)
        for outputs in (1, 1000):
            seconds = []
            for _ in range(self.arguments.rounds + 1):
                out = self.new_folder()
                seconds.append(seconds_of([self.one_rank.path('drumline-generate'), '--run_dir', run, '--num_outputs',
                                           str(outputs), '--output_dir', out]))
            del seconds[0]
            command = f'time drumline-generate --run_dir run --num_outputs {outputs}'
            if outputs == 1:
                self.table.add('one sample, cold start to written MIDI', f'{spread(seconds, 3)} s', '', '', command)
            else:
                self.table.add('1,000 samples, writing included', f'{spread([outputs / s for s in seconds], 0)} '
                               'windows/s', '', '', command)

    def new_folder_made(self):
        folder = self.new_folder()
        os.makedirs(folder)
        return folder

    def start(self):
        """With one step of two windows, a training is its start, and a step too short to count."""
        data = comparison.data_set(self.arguments.midi, self.one_rank, self.new_folder_made())
        for programs in (self.one_rank, self.all_ranks):
            seconds = [self.until_first_step(programs, data) for _ in range(self.arguments.rounds + 1)][1:]
            self.table.add(f'training, start of the program to the first step, {programs.ranks} '
                           f'rank{"s" if programs.ranks > 1 else ""}', f'{spread(seconds, 3)} s', '', '',
                           'tools/performance_table.py --only start')

    def until_first_step(self, programs, data):
        """Until the log says what is trained, which is the last thing before the first step."""
        command = programs.mpi('drumline-train') if programs.ranks > 1 else [programs.path('drumline-train')]
        command += ['--config', FLAT, '--examples_path', data, '--run_dir', self.new_folder(), '--num_steps', '1',
                    '--hparams=batch_size=128,hop_bars=4']
        started = time.monotonic()
        with subprocess.Popen(command, env=comparison.environment(), text=True, stderr=subprocess.PIPE) as process:
            seconds = None
            for line in process.stderr:
                if seconds is None and 'training windows of' in line:
                    seconds = time.monotonic() - started
        if process.returncode != 0 or seconds is None:
            comparison.fail(f'{command[0]} ended with status {process.returncode}, or reported no first step')
        return seconds


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('midi', help='the folder of the Groove MIDI data set')
    parser.add_argument('--rounds', type=int, default=5, help='(default: %(default)s)')
    parser.add_argument('--only', default=','.join(ROWS), help='rows, with commas between (default: all)')
    comparison.add_common(parser)
    arguments = parser.parse_args()
    arguments.only = arguments.only.split(',')
    unknown = [row for row in arguments.only if row not in ROWS]
    if unknown or arguments.rounds < 1 or arguments.ranks < 1:
        parser.error(f'no row is called {unknown[0]}' if unknown else '--rounds and --ranks must be 1 or more')
    return arguments


def main():
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix='drumline-performance-') as folder:
        measurement = Measurement(arguments, folder)
        for row in arguments.only:
            getattr(measurement, row)()
    measurement.table.print()


if __name__ == '__main__':
    main()
