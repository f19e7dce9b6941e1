#!/usr/bin/python3
"""Does Drumline learn as well as the same model in PyTorch? On the Groove data set, for both decoders.

  tools/compare_learning.py DATA [--seeds 0,1,2] [--decoders flat,hierarchical] [--steps 400]
                            [--hparams precision=bf16]

DATA is the unpacked Groove MIDI data set (tools/fetch_groove.sh), or a data set that drumline-preprocess made of it.
Each decoder is trained once per seed (batch_size=128,hop_bars=4, and --hparams) and evaluated on the validation split; the table shows
the mean over seeds, the peer's metrics and their ratio. The exit status is 1 if one of the three losses is more than 5 %
above the peer's. The peer's metrics are those that torch_groovae.py learn printed; --run_peer measures them again, as
means over the same seeds.

Each training takes minutes. Runs lie in --work_dir; rerun the same command to resume.
"""
import argparse
import json
import os
import statistics

import comparison

PEER_FIGURES = {
    'flat': dict(hits_loss=134.4, velocities_loss=20.6, offsets_loss=12.5, kl_bits=45.6, hits_f1=0.542),
    'hierarchical': dict(hits_loss=130.9, velocities_loss=19.7, offsets_loss=11.6, kl_bits=43.6, hits_f1=0.532),
}
PEER_STEPS = 400
CONFIGS = {'flat': 'groovae_4bar_flat', 'hierarchical': 'groovae_4bar'}
HPARAMS = 'batch_size=128,hop_bars=4'


def learn(decoder, seed, data, programs, arguments):
    name, hparams = f'{decoder}-{arguments.steps}-steps-seed-{seed}', HPARAMS
    if arguments.hparams:
        name, hparams = f'{name}-{arguments.hparams}', f'{HPARAMS},{arguments.hparams}'
    return comparison.learned(os.path.join(arguments.work_dir, name), data, programs, CONFIGS[decoder], arguments.steps,
                              seed, hparams)


def peer_figures(decoder, seeds, arguments):
    if not arguments.run_peer:
        return PEER_FIGURES[decoder]
    name = {'flat': 'flat', 'hierarchical': 'hier'}[decoder]
    last = []
    for seed in seeds:
        output = comparison.run_peer(arguments.peer, 'learn', arguments.run_peer, '--decoder', name, '--steps',
                                     str(arguments.steps), '--seed', str(seed))
        lines = [json.loads(line) for line in output.splitlines() if line.startswith('{')]
        if not lines or lines[-1]['step'] != arguments.steps:
            comparison.fail(f'{arguments.peer} printed nothing for step {arguments.steps}: give a multiple of 50')
        last.append(lines[-1])
    return {figure: statistics.mean(line[figure] for line in last) for figure in comparison.FIGURES}


def print_table(rows, seeds):
    """Prints the table and returns how many losses are too high."""
    print(f'\n{"decoder":<14}{"metric":<18}{"Drumline":>10}{"of seeds":>20}{"peer":>10}{"ratio":>8}')
    worse = 0
    for decoder, figure, values, peer, limit in rows:
        mean, spread = statistics.mean(values), f'{min(values):.3f} .. {max(values):.3f}'
        too_high = figure in comparison.LOSSES and not mean <= limit * peer
        worse += too_high
        print(f'{decoder:<14}{figure:<18}{mean:>10.3f}{spread:>20}{peer:>10.3f}{mean / peer:>8.3f}'
              f'{"  too high" if too_high else ""}')
    print(f'Means over {len(seeds)} seed{"s" if len(seeds) > 1 else ""}.')
    return worse


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data', metavar='DATA', help='Groove MIDI data set, or a data set made of it')
    parser.add_argument('--seeds', default='0,1,2', help='comma-separated (default: %(default)s)')
    parser.add_argument('--decoders', default='flat,hierarchical', help='(default: %(default)s)')
    parser.add_argument('--steps', type=int, default=PEER_STEPS, help='(default: %(default)s)')
    parser.add_argument('--hparams', default='', help='added to the others, as in precision=bf16; runs of their own')
    parser.add_argument('--tolerance', type=float, default=0.05, help='(default: %(default)s)')
    parser.add_argument('--work_dir', default='runs/compare-learning', help='where runs lie (default: %(default)s)')
    parser.add_argument('--run_peer', metavar='GROOVE_DIR', help='train the peer too, on this Groove MIDI data set')
    comparison.add_common(parser)
    arguments = parser.parse_args()
    if arguments.steps != PEER_STEPS and not arguments.run_peer:
        parser.error(f'the peer\'s metrics are those after {PEER_STEPS} steps; measure others with --run_peer')
    arguments.decoders = arguments.decoders.split(',')
    if not set(arguments.decoders) <= set(CONFIGS):
        parser.error('--decoders: flat, hierarchical or both')
    if '/' in arguments.hparams:
        parser.error('--hparams: no value of theirs has a "/"')
    if not all(seed.isdigit() for seed in arguments.seeds.split(',')):
        parser.error('--seeds: numbers with commas between them, as in 0,1,2')
    return arguments


def main():
    arguments = parse()
    programs = comparison.Programs(arguments.build_dir, arguments.ranks)
    seeds = [int(seed) for seed in arguments.seeds.split(',')]
    data, rows = comparison.data_set(arguments.data, programs, arguments.work_dir), []
    for decoder in arguments.decoders:
        runs = [learn(decoder, seed, data, programs, arguments) for seed in seeds]
        peer = peer_figures(decoder, seeds, arguments)
        rows += [(decoder, figure, [run[figure] for run in runs], peer[figure], 1 + arguments.tolerance)
                 for figure in comparison.FIGURES]
    raise SystemExit(1 if print_table(rows, seeds) else 0)


if __name__ == '__main__':
    main()
