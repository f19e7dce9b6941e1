#!/usr/bin/python3
"""What does a batch 8 times as large cost in learning, and what do warm-up, scaled rates and LAMB give back?

  tools/compare_batches.py DATA [--batch 32] [--times 8] [--windows 64000] [--seeds 0,1,2]

DATA is the unpacked Groove MIDI data set (tools/fetch_groove.sh), or a data set that drumline-preprocess made of it.
Every row of the table is a training on as many windows, so that the large batch makes that many times fewer steps:

  small        the small batch at --learning_rate
  tuned        the small batch at the best of --adam_rates
  plain        the large batch at --learning_rate
  sqrt         the large batch with learning_rate_scaling=sqrt and warm-up over a tenth of the steps
  linear       the large batch with learning_rate_scaling=linear and the same warm-up
  warm         the large batch at the best of --adam_rates, with the same warm-up
  lamb         the large batch with optimizer=lamb at the best of --lamb_rates and the same warm-up
  accumulated  the best of these on the large batch again, in micro_batches=16

Then the best training on the large batch continues, a quarter of the windows at a time, until it reaches the losses of
`small` and of `tuned`, at most to four times the windows: what the large batch costs.

Rates are chosen on the first seed alone, by hits + velocities + offsets on the validation split. They do not decay
(decay_rate=1), as decay counts steps. Runs lie in --work_dir; rerun the same command to resume.
"""
import argparse
import os
import statistics

import comparison

# A small model on windows of two bars, which learns in minutes.
CONFIG, MODEL = 'groovae_4bar_flat', 'bars=2,enc_rnn_size=[32],dec_rnn_size=[32],z_size=32,decay_rate=1'
MICRO_BATCHES = 16


class Comparison:
    def __init__(self, data, programs, arguments):
        self.data, self.programs, self.arguments = data, programs, arguments
        self.large = arguments.batch * arguments.times
        self.small_steps, self.large_steps = arguments.windows // arguments.batch, arguments.windows // self.large

    def hparams(self, method, rate):
        hparams = [MODEL, f'learning_rate={rate:g}']
        if method == 'small':
            return ','.join(hparams + [f'batch_size={self.arguments.batch}'])
        hparams.append(f'batch_size={self.large}')
        if method != 'plain':
            hparams.append(f'warmup_steps={self.large_steps // 10}')
        if method in ('sqrt', 'linear'):
            hparams += [f'learning_rate_scaling={method}', f'reference_batch_size={self.arguments.batch}']
        if method == 'lamb':
            hparams.append('optimizer=lamb')
        return ','.join(hparams)

    def figures(self, method, rate, seed, accumulated=False, quarters=4):
        """Of a training on so many quarters of the windows."""
        hparams = self.hparams(method, rate) + (f',micro_batches={MICRO_BATCHES}' if accumulated else '')
        name = f'{method}{"-accumulated" if accumulated else ""}-rate-{rate:g}-seed-{seed}'
        steps = self.small_steps if method == 'small' else self.large_steps
        return comparison.learned(os.path.join(self.arguments.work_dir, name), self.data, self.programs, CONFIG,
                                  steps * quarters // 4, seed, hparams)

    def best(self, method, rates):
        """The rate with the lowest loss on the first seed."""
        losses = {rate: loss(self.figures(method, rate, self.arguments.seeds[0])) for rate in rates}
        for rate, found in losses.items():
            print(f'{method}: learning_rate={rate:g} leads to {found:.3f}', flush=True)
        return min(losses, key=losses.get)

    def print_cost(self, method, rate, targets):
        """How many windows the first seed needs to reach the losses of others."""
        for quarters in range(4, 17):
            found = loss(self.figures(method, rate, self.arguments.seeds[0], quarters=quarters))
            reached = [name for name, target in targets.items() if found <= target]
            print(f'{method}: {found:.2f} after {quarters / 4:g} times the windows', *reached, flush=True)
            if len(reached) == len(targets):
                return


def loss(figures):
    return sum(figures[name] for name in comparison.LOSSES)


def print_table(rows, small, large):
    """rows: name, method, rate and the figures of each seed; the first row is what the others are measured by."""
    heads = ('hits', 'velocities', 'offsets', 'KL bits', 'hits F1')
    print(f'\n{"":<12}{"batch":>6}{"rate":>8}', *(f'{head:>11}' for head in heads),
          f'{"loss":>9}{"of seeds":>20}{"ratio":>7}')
    reference = statistics.mean(loss(figures) for figures in rows[0][3])
    for name, method, rate, runs in rows:
        batch = small if method == 'small' else large
        losses = [loss(figures) for figures in runs]
        means = (statistics.mean(figures[figure] for figures in runs) for figure in comparison.FIGURES)
        print(f'{name:<12}{batch:>6}{rate:>8g}', *(f'{mean:>11.3f}' for mean in means),
              f'{statistics.mean(losses):>9.2f}{f"{min(losses):.2f} .. {max(losses):.2f}":>20}'
              f'{statistics.mean(losses) / reference:>7.3f}')


def numbers(text):
    return [float(number) for number in text.split(',')]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data', metavar='DATA', help='Groove MIDI data set, or a data set made of it')
    parser.add_argument('--batch', type=int, default=32, help='the small batch (default: %(default)s)')
    parser.add_argument('--times', type=int, default=8, help='the large batch is so many times it (default: 8)')
    parser.add_argument('--windows', type=int, default=64000, help='of each training (default: %(default)s)')
    parser.add_argument('--seeds', default='0,1,2', type=lambda text: [int(seed) for seed in text.split(',')],
                        help='comma-separated (default: 0,1,2)')
    parser.add_argument('--learning_rate', type=float, default=0.001, help='(default: the hparam\'s, %(default)s)')
    parser.add_argument('--adam_rates', type=numbers, default='0.002,0.004,0.008,0.016,0.032',
                        help='(default: %(default)s)')
    parser.add_argument('--lamb_rates', type=numbers, default='0.01,0.02,0.03,0.04',
                        help='(default: %(default)s)')
    parser.add_argument('--work_dir', default='runs/compare-batches', help='where runs lie (default: %(default)s)')
    comparison.add_common(parser)
    arguments = parser.parse_args()
    if arguments.batch < 1 or arguments.times < 1 or arguments.windows < arguments.batch * arguments.times:
        parser.error('--windows: at least one step of the large batch')
    return arguments


def main():
    arguments = parse()
    programs = comparison.Programs(arguments.build_dir, arguments.ranks)
    together = Comparison(comparison.data_set(arguments.data, programs, arguments.work_dir), programs, arguments)
    rate = arguments.learning_rate
    trainings = [('small', 'small', rate), ('tuned', 'small', together.best('small', arguments.adam_rates)),
                 ('plain', 'plain', rate), ('sqrt', 'sqrt', rate), ('linear', 'linear', rate),
                 ('warm', 'warm', together.best('warm', arguments.adam_rates)),
                 ('lamb', 'lamb', together.best('lamb', arguments.lamb_rates))]
    rows = [(name, method, rate, [together.figures(method, rate, seed) for seed in arguments.seeds])
            for name, method, rate in trainings]
    _, method, rate, _ = min(rows[2:], key=lambda row: statistics.mean(loss(figures) for figures in row[3]))
    rows.append(('accumulated', method, rate, [together.figures(method, rate, arguments.seeds[0], accumulated=True)]))
    print_table(rows, arguments.batch, together.large)
    together.print_cost(method, rate, {row[0]: loss(row[3][0]) for row in rows[:2]})


if __name__ == '__main__':
    main()
