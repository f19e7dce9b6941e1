"""What the compare_*.py share: finding the programs, starting them, reading their metrics."""
import json
import os
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEER = os.environ.get('DRUMLINE_PEER', os.path.join(os.path.dirname(ROOT), 'shared', 'peer', 'torch_groovae.py'))
LOSSES = ('hits_loss', 'velocities_loss', 'offsets_loss')
FIGURES = LOSSES + ('kl_bits', 'hits_f1')
PYTHON = '/usr/bin/python3' if os.path.exists('/usr/bin/python3') else sys.executable


def fail(message):
    sys.exit(f'{os.path.basename(sys.argv[0])}: {message}')


def environment():
    """Open MPI refuses root and more ranks than cores without these variables."""
    names = dict(OMPI_MCA_rmaps_base_oversubscribe='1')
    if os.geteuid() == 0:
        names.update(OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1')
    return {**os.environ, **names}


def run(command, log=None, capture=False, **variables):
    """Runs one command; where it fails, so does the comparison, with its last lines. Returns its output if captured."""
    print('$', *(f'{name}={setting}' for name, setting in variables.items()), shlex.join(command), flush=True)
    done = subprocess.run(command, env={**environment(), **variables}, text=True,
                          stdout=subprocess.PIPE if capture or log else None, stderr=subprocess.STDOUT if log else None)
    if log:
        with open(log, 'w', encoding='utf-8') as file:
            file.write(done.stdout)
    if done.returncode != 0:
        if done.stdout:
            print('\n'.join(done.stdout.splitlines()[-15:]), file=sys.stderr)
        fail(f'{command[0]} ended with status {done.returncode}' + (f'; all it said lies in {log}' if log else ''))
    return done.stdout


def run_peer(peer, *arguments):
    """What the PyTorch peer prints; with one BLAS thread per rank, which its own page found to be fastest."""
    if not os.path.exists(peer):
        fail(f'{peer} is missing: say with --peer, or in DRUMLINE_PEER, where torch_groovae.py lies')
    return run([PYTHON, peer, *arguments], capture=True, OPENBLAS_NUM_THREADS='1')


class Programs:
    def __init__(self, build_dir, ranks):
        self.folder, self.ranks = os.path.join(build_dir, 'bin'), ranks

    def path(self, name):
        path = os.path.join(self.folder, name)
        if not os.access(path, os.X_OK):
            fail(f'{path} is missing; build it first, or name another build with --build_dir')
        return path

    def mpi(self, name, *arguments):
        """The command line of one of the MPI programs on all ranks."""
        return ['mpirun', '-n', str(self.ranks), self.path(name), *arguments]


def metrics(path):
    """All lines of numbers of a metrics.jsonl, without events; none if there is no such file."""
    if not os.path.exists(path):
        return []
    with open(path, encoding='utf-8') as file:
        lines = [json.loads(line) for line in file if line.strip()]
    return [line for line in lines if 'event' not in line]


def value(line, name, path):
    """A metric of an evaluation: "val_hits_loss", or as the first version wrote it "hits_loss"."""
    prefix = {'validation': 'val_', 'test': 'test_', 'train': 'train_'}.get(line.get('split'), '')
    for key in (prefix + name, name):
        if key in line:
            return float(line[key])
    return fail(f'{path}: a line has no "{name}"')


def data_set(given, programs, work_dir):
    """The folder of a data set: the one given, or one made of the MIDI files in it. Makes work_dir."""
    if not any(os.path.exists(os.path.join(given, name)) for name in ('index.h5', 'info.csv')):
        fail(f'{given} holds neither index.h5 (a data set) nor info.csv (the Groove MIDI data set)')
    os.makedirs(work_dir, exist_ok=True)
    if os.path.exists(os.path.join(given, 'index.h5')):
        return given
    made = os.path.join(work_dir, 'data')
    if not os.path.exists(os.path.join(made, 'index.h5')):
        run(programs.mpi('drumline-preprocess', '--input_dir', given, '--output_dir', made, '--recursive',
                                    '--is_beat=True', '--beat=4-4', '--overwrite'))
    return made


def evaluated(run_dir, steps):
    """The metrics of the evaluation after `steps` steps; None if there is none yet."""
    path = os.path.join(run_dir, 'eval', 'metrics.jsonl')
    lines = [line for line in metrics(path) if line.get('step') == steps]
    return {name: value(lines[-1], name, path) for name in FIGURES} if lines else None


def learned(run_dir, data, programs, config, steps, seed, hparams):
    """The metrics of one run, which is trained and evaluated unless it has been; an interrupted one is resumed."""
    if evaluated(run_dir, steps) is None:
        os.makedirs(run_dir, exist_ok=True)
        common = ['--examples_path', data, '--run_dir', run_dir]
        run(programs.mpi('drumline-train', *common, '--mode=train', '--config', config, '--num_steps', str(steps),
                         '--seed', str(seed), f'--hparams={hparams}'), os.path.join(run_dir, 'train.log'))
        run(programs.mpi('drumline-train', *common, '--mode=eval'), os.path.join(run_dir, 'eval.log'))
    figures = evaluated(run_dir, steps)
    if figures is None:
        fail(f'{run_dir}/eval/metrics.jsonl has no evaluation at step {steps}')
    return figures


def add_common(parser):
    parser.add_argument('--build_dir', default=os.path.join(ROOT, 'build', 'release'), help='where bin/ with the '
                        'programs lies (default: build/release)')
    parser.add_argument('--ranks', type=int, default=2, help='MPI ranks (default: %(default)s)')
    parser.add_argument('--peer', default=PEER, help='the PyTorch program to compare with, torch_groovae.py (default: '
                        '$DRUMLINE_PEER, else ../shared/peer/torch_groovae.py from the root of the project)')
