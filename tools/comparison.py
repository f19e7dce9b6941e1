"""What compare_learning.py and compare_speed.py share: finding the programs, starting them, reading their metrics."""
import json
import os
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEER = os.environ.get('DRUMLINE_PEER', os.path.join(os.path.dirname(ROOT), 'shared', 'peer', 'torch_groovae.py'))
PYTHON = '/usr/bin/python3' if os.path.exists('/usr/bin/python3') else sys.executable


def fail(message):
    sys.exit(f'{os.path.basename(sys.argv[0])}: {message}')


def environment():
    """Open MPI refuses root and more ranks than cores unless it is told."""
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
    """What the PyTorch peer prints; with one BLAS thread a rank, which its own page found to be fastest."""
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
    """All lines of numbers of a metrics.jsonl, events left out; none where there is no such file."""
    if not os.path.exists(path):
        return []
    with open(path, encoding='utf-8') as file:
        lines = [json.loads(line) for line in file if line.strip()]
    return [line for line in lines if 'event' not in line]


def value(line, name, path):
    if name not in line:
        fail(f'{path}: a line has no "{name}"')
    return float(line[name])


def add_common(parser):
    parser.add_argument('--build_dir', default=os.path.join(ROOT, 'build', 'release'), help='where bin/ with the '
                        'programs lies (default: build/release)')
    parser.add_argument('--ranks', type=int, default=2, help='MPI ranks (default: %(default)s)')
    parser.add_argument('--peer', default=PEER, help='the PyTorch program to compare with, torch_groovae.py (default: '
                        '$DRUMLINE_PEER, else %(default)s)')
