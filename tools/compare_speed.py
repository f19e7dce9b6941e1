#!/usr/bin/python3
"""How fast does Drumline train beside the same model in PyTorch, on this machine?

  tools/compare_speed.py [--decoder flat] [--batch 512] [--ranks 2] [--rounds 5] [--steps 6]

The two run in interleaved rounds, so that other load on the machine affects both: each round trains a few steps of each and
takes the median of their windows per second, without the first step. Prints every round, and the median of the rounds'
ratios. Drumline trains on synthetic performances, the peer on random windows; both are of the same size.
"""
import argparse
import os
import re
import statistics
import tempfile

import comparison

CONFIGS = {'flat': 'groovae_4bar_flat', 'hierarchical': 'groovae_4bar'}


def make_data(programs, folder):
    midi, data = os.path.join(folder, 'midi'), os.path.join(folder, 'data')
    comparison.run([programs.path('drumline-drummers'), '--output_dir', midi], os.path.join(folder, 'drummers.log'))
    comparison.run(programs.mpi('drumline-preprocess', '--input_dir', midi, '--output_dir', data, '--recursive'),
                   os.path.join(folder, 'preprocess.log'))
    return data


def drumline_speed(programs, data, run_dir, arguments):
    """Windows per second of one short training."""
    os.makedirs(run_dir)
    comparison.run(programs.mpi('drumline-train', '--config', CONFIGS[arguments.decoder], '--mode=train',
                                '--examples_path', data, '--run_dir', run_dir, '--num_steps', str(arguments.steps),
                                '--log_steps=1', '--hparams=' + ','.join(filter(None, [f'batch_size={arguments.batch},hop_bars=1',
                                                                       arguments.hparams]))),
                   os.path.join(run_dir, 'log'))
    path = os.path.join(run_dir, 'train', 'metrics.jsonl')
    speeds = [comparison.value(line, 'windows_per_second', path) for line in comparison.metrics(path)]
    if len(speeds) < 2:
        comparison.fail(f'{path} has {len(speeds)} steps, too few to compare')
    return statistics.median(speeds[1:])


def peer_speed(arguments):
    name = {'flat': 'flat', 'hierarchical': 'hier'}[arguments.decoder]
    output = comparison.run_peer(arguments.peer, 'throughput', '--decoder', name, '--batch', str(arguments.batch),
                                 '--ranks', str(arguments.ranks), '--steps', str(arguments.steps))
    found = re.search(r'([0-9.]+) windows/s', output)
    if not found:
        comparison.fail(f'{arguments.peer} printed no windows/s: {output.strip()}')
    return float(found.group(1))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--decoder', choices=sorted(CONFIGS), default='flat', help='(default: %(default)s)')
    parser.add_argument('--batch', type=int, default=512, help='windows of all ranks (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=5, help='(default: %(default)s)')
    parser.add_argument('--steps', type=int, default=6, help='of each training, at least 2 (default: %(default)s)')
    parser.add_argument('--hparams', default='', help="more of Drumline's hyperparameters, as in precision=bf16")
    comparison.add_common(parser)
    arguments = parser.parse_args()
    if arguments.steps < 2 or arguments.rounds < 1 or arguments.batch < 1 or arguments.ranks < 1:
        parser.error('--steps must be 2 or more; --rounds, --batch and --ranks 1 or more')
    return arguments


def main():
    arguments = parse()
    programs, ratios = comparison.Programs(arguments.build_dir, arguments.ranks), []
    with tempfile.TemporaryDirectory(prefix='drumline-speed-') as folder:
        data = make_data(programs, folder)
        for number in range(1, arguments.rounds + 1):
            ours = drumline_speed(programs, data, os.path.join(folder, f'run-{number}'), arguments)
            peers = peer_speed(arguments)
            ratios.append(ours / peers)
            print(f'round {number}: Drumline {ours:.1f} windows/s, peer {peers:.1f}, ratio {ratios[-1]:.2f}',
                  flush=True)
    print(f'{arguments.decoder}, batch {arguments.batch}, {arguments.ranks} ranks: Drumline trains '
          f'{statistics.median(ratios):.2f} times as fast as the peer (median of {arguments.rounds} rounds, '
          f'{min(ratios):.2f} to {max(ratios):.2f})')


if __name__ == '__main__':
    main()
