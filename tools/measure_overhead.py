#!/usr/bin/python3
"""What does watching a training cost? Lines of metrics with the times of ranks, progress, --log_tensors, --tensorboard, --trace,
and the watchdog, one by one and together, as a share of a training step.

  tools/measure_overhead.py DATA [--rounds 7] [--model groovae_4bar_flat:64,512] [--model groovae_4bar_small:32]

DATA is a data set, or a folder of MIDI files with an info.csv. Each round runs short trainings in which a thing is done at every
step; what such a run costs more than the one without it in the same round (CPU time of one rank of one thread, by getrusage)
is divided by how often it was done, and the median over rounds is taken. What does not depend on the model is measured with
a tiny one, whose steps take little and so vary little; the rest with each --model CONFIG:BATCH_SIZES and batch_size=1. Then
steps of the given batch sizes are timed, and what the thing costs at its usual frequency (a line every 10 steps, an evaluation
every 500) is printed as a share of them.

Last, everything together is measured directly at the first batch size of each config: rounds with and without it, as a ratio.
Where the user may, it runs with real-time priority (chrt -f 50), since a difference of a hundredth is lost on a busy machine.
"""
import argparse
import os
import pty
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading

import comparison

LOG_STEPS, EVAL_STEPS = 10, 500  # drumline-train's defaults
NOTHING = {'log_steps': 1000000, 'log_secs': 0, 'stall_seconds': 0, 'eval_steps': 0}
LINES = {**NOTHING, 'log_steps': 1}
EVALUATIONS = {**NOTHING, 'eval_steps': 20}
TOGETHER = {'log_steps': LOG_STEPS, 'log_secs': 10, 'stall_seconds': 300, 'eval_steps': 0, 'log_tensors': 'true',
            'tensorboard': 'true', 'trace': 'trace.json', 'trace_steps': 1000}
# What is measured: name, flags, flags without it, steps between two of them here, and usually.
OF_ANY_MODEL = (
    ('line of metrics and of the log, times of ranks', LINES, NOTHING, 1, LOG_STEPS),
    ('`--tensorboard`, a line', {**LINES, 'tensorboard': 'true'}, LINES, 1, LOG_STEPS),
    ('`--trace`, a traced step', {**NOTHING, 'trace': 'trace.json', 'trace_steps': 1000}, NOTHING, 1, 1),
    ('progress on a terminal, a step', {**NOTHING, 'log_secs': 10, 'terminal': True}, NOTHING, 1, 1),
    ('watchdog, a step', {**NOTHING, 'stall_seconds': 300}, NOTHING, 1, 1),
)
OF_ITS_MODEL = (
    ('`--log_tensors`, a line', {**LINES, 'log_tensors': 'true'}, LINES, 1, LOG_STEPS),
    ('`--log_tensors` and `--tensorboard`, a line', {**LINES, 'tensorboard': 'true', 'log_tensors': 'true'}, LINES, 1,
     LOG_STEPS),
    ('`--tensorboard`, an evaluation', {**EVALUATIONS, 'tensorboard': 'true'}, EVALUATIONS, 20, EVAL_STEPS),
)
TINY, TINY_STEPS = 'enc_rnn_size=[4],dec_rnn_size=[4],z_size=4,batch_size=1', 1000


def drain(descriptor, parts):
    """Collects what is read until the other end is closed, and closes this one."""
    try:
        while part := os.read(descriptor, 65536):
            parts.append(part)
    except OSError:  # a terminal's way to say so
        pass
    os.close(descriptor)


class Trainings:
    def __init__(self, program, data, folder):
        self.program, self.data, self.folder = program, data, folder
        self.prefix = ['chrt', '-f', '50'] if shutil.which('chrt') and subprocess.run(
            ['chrt', '-f', '50', 'true'], stderr=subprocess.DEVNULL, check=False).returncode == 0 else []

    def run(self, config, hparams, steps, flags):
        """Processor seconds of a new run."""
        run_dir = os.path.join(self.folder, 'run')
        shutil.rmtree(run_dir, ignore_errors=True)
        given = {key: value for key, value in flags.items() if key != 'terminal'}
        if 'trace' in given:
            given['trace'] = os.path.join(self.folder, given['trace'])
        command = [*self.prefix, self.program, f'--config={config}', f'--examples_path={self.data}', f'--run_dir={run_dir}',
                   f'--num_steps={steps}', '--threads=1', '--nofit_latents', f'--hparams={hparams}',
                   *(f'--{key}={value}' for key, value in given.items())]
        log, parts, reader = os.path.join(self.folder, 'log'), [], None
        if flags.get('terminal'):
            terminal, output = pty.openpty()
            reader = threading.Thread(target=drain, args=(terminal, parts))
        else:
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=output,
                                   env={**comparison.environment(), 'OPENBLAS_NUM_THREADS': '1'})
        os.close(output)
        if reader:
            reader.start()
        _, status, usage = os.wait4(process.pid, 0)
        if reader:
            reader.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            if not reader:
                with open(log, 'rb') as file:
                    parts.append(file.read())
            last = b''.join(parts).decode(errors='replace').splitlines()[-15:]
            comparison.fail('\n'.join([f'{" ".join(command)} ended with status {process.returncode}:', *last]))
        return usage.ru_utime + usage.ru_stime

    def step_seconds(self, config, batch_size):
        """Of the third step and later ones."""
        self.run(config, f'batch_size={batch_size}', 6, LINES)
        lines = comparison.metrics(os.path.join(self.folder, 'run', 'train', 'metrics.jsonl'))
        return statistics.median(line['step_time'] for line in lines[2:])


def distinct(flags_of_cases):
    kept = []
    for flags in flags_of_cases:
        if flags not in kept:
            kept.append(flags)
    return kept


def costs(trainings, cases, config, hparams, steps, rounds):
    """Seconds of each case, once done: median, least and most over rounds."""
    variants = distinct(flags for case in cases for flags in case[1:3])
    found = [[] for _ in cases]
    for number in range(rounds):
        order = variants[number % len(variants):] + variants[:number % len(variants)]
        seconds = [(flags, trainings.run(config, hparams, steps, flags)) for flags in order]
        for place, (_, flags, without, every, _) in zip(found, cases, strict=True):
            times = [next(time for other, time in seconds if other == wanted) for wanted in (flags, without)]
            place.append((times[0] - times[1]) / (steps / every))
        print(f'{config} with {hparams}: round {number + 1} of {rounds}', file=sys.stderr)
    return [(statistics.median(place), min(place), max(place)) for place in found]


def together(trainings, config, batch_size, step, rounds):
    """Ratios of the CPU time with everything on to that without, in rounds of about eight seconds."""
    steps = max(LOG_STEPS, int(8 / step) // LOG_STEPS * LOG_STEPS)
    ratios = []
    for number in range(rounds):
        pair = [TOGETHER, NOTHING] if number % 2 else [NOTHING, TOGETHER]
        seconds = [trainings.run(config, f'batch_size={batch_size}', steps, flags) for flags in pair]
        ratios.append(seconds[pair.index(TOGETHER)] / seconds[pair.index(NOTHING)])
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data', help='a data set, or a folder of MIDI files')
    parser.add_argument('--build_dir', default=os.path.join(comparison.ROOT, 'build', 'release'),
                        help='where bin/ with the programs lies (default: build/release)')
    parser.add_argument('--rounds', type=int, default=7, help='(default: %(default)s)')
    parser.add_argument('--steps', type=int, default=20, help='of the short trainings (default: %(default)s)')
    parser.add_argument('--model', action='append', help='CONFIG:BATCH_SIZE,...; may be given several times '
                        '(default: groovae_4bar_flat:64,512 and groovae_4bar_small:32)')
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.steps < 20 or arguments.steps % 20:
        parser.error('--rounds is at least 1, --steps a multiple of 20')
    programs = comparison.Programs(arguments.build_dir, 1)
    with tempfile.TemporaryDirectory() as folder:
        data = comparison.data_set(arguments.data, programs, folder)
        trainings = Trainings(programs.path('drumline-train'), data, folder)
        of_any = costs(trainings, OF_ANY_MODEL, 'groovae_4bar_flat', TINY, TINY_STEPS, arguments.rounds)
        for model in arguments.model or ['groovae_4bar_flat:64,512', 'groovae_4bar_small:32']:
            config, _, sizes = model.partition(':')
            sizes = [int(size) for size in sizes.split(',')]
            rows = costs(trainings, OF_ITS_MODEL, config, 'batch_size=1', arguments.steps, arguments.rounds)
            steps = {size: trainings.step_seconds(config, size) for size in sizes}
            print(f'\n{config}: ' + ', '.join(f'a step of {size} windows {1000 * seconds:.4g} ms'
                                              for size, seconds in steps.items()))
            print('| what | ms | every | ' + ' | '.join(f'share of a step of {size}' for size in sizes) + ' |')
            print('|---|---|---|' + '---|' * len(sizes))
            for (name, _, _, _, every), (median, least, most) in zip(OF_ANY_MODEL + OF_ITS_MODEL, of_any + rows, strict=True):
                print(f'| {name} | {1000 * median:.3f} [{1000 * least:.3f}, {1000 * most:.3f}] | {every} | ' +
                      ' | '.join(f'{100 * median / every / seconds:.3f} %' for seconds in steps.values()) + ' |')
            ratios = together(trainings, config, sizes[0], steps[sizes[0]], arguments.rounds)
            print(f'all together, steps of {sizes[0]}: {statistics.median(ratios):.4f} '
                  f'[{min(ratios):.4f}, {max(ratios):.4f}] of the time without', flush=True)


if __name__ == '__main__':
    main()
