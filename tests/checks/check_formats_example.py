#!/usr/bin/python3
"""Is docs/formats.md true? Run by CTest on a data set of the synthetic drummers and a short training.

  tests/checks/check_formats_example.py PAGE BIN_DIR

Runs the page's Python blocks as they stand, but for the paths; then reads the files with h5py alone and holds them to what
the page says: every attribute and key is on it, content_sha256 and the seal follow from its words. Exit status 77 where h5py
or xxhash is missing.
"""
import contextlib
import csv
import hashlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

try:
    import h5py
    import numpy
    import xxhash
except ImportError as missing:
    print(f'skipped: {missing}')
    sys.exit(77)

HPARAMS = 'batch_size=8,enc_rnn_size=[8],dec_rnn_size=[8,8],z_size=4'
STEPS = 2
NUM_PERFORMANCES = 12
DIGITS_OF_SIZE = 20


def run(*command, status=0):
    """The command's standard error; it must end with that status."""
    done = subprocess.run(command, text=True, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE)
    assert done.returncode == status, f'{command} ended with status {done.returncode}: {done.stderr}'
    return done.stderr


def make_files(bin_dir):
    """A data set in data, a run in run, a model file."""
    run(f'{bin_dir}/drumline-drummers', '--output_dir', 'midi', f'--num_performances={NUM_PERFORMANCES}')
    run(f'{bin_dir}/drumline-preprocess', '--input_dir', 'midi', '--output_dir', 'data', '--recursive')
    run(f'{bin_dir}/drumline-train', '--config=groovae_4bar', '--examples_path=data', '--run_dir=run',
        f'--num_steps={STEPS}', f'--eval_steps={STEPS}', '--log_steps=1', f'--hparams={HPARAMS}')
    run(f'{bin_dir}/drumline-train', '--mode=export', '--run_dir=run', '--output_file=model.h5', '--licence=CC BY 4.0',
        '--attribution=drumline-drummers', '--dtype=f16', '--examples_path=data')
    for dtype in 'f32', 'f16':
        run(f'{bin_dir}/drumline-train', '--mode=export', '--checkpoint_file=model.h5', '--format=safetensors',
            f'--output_file={dtype}.safetensors', f'--dtype={dtype}')
    return 'data/index.h5', f'run/train/checkpoint-{STEPS:08}.h5'


def run_block(block, old_path, new_path):
    """What the block prints, with the path that it opens put in."""
    assert block.count(f"'{old_path}'") == 1, f'the block does not open {old_path}'
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(block.replace(old_path, new_path), 'docs/formats.md', 'exec'), {})
    return output.getvalue().splitlines()


def check_blocks(page, index_path, checkpoint_path):
    blocks = re.findall(r'^```python\n(.*?)^```', page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3, f'{len(blocks)} Python blocks, not 3'
    lines = run_block(blocks[0], 'data/index.h5', index_path)
    with h5py.File(index_path) as index:
        paths = [row['path'].decode() for row in index['performances']]
        assert len(paths) == NUM_PERFORMANCES and paths == sorted(paths)
        assert int(index['hits'][:].sum()) == index.attrs['num_hits'] > 0
    assert len(lines) == 5 and all(line.startswith(path + ' ') for line, path in zip(lines, paths)), lines
    assert not any('nan' in line for line in lines), lines

    lines = run_block(blocks[1], 'run/train/checkpoint-00001000.h5', checkpoint_path)
    assert lines[0] == f'groovae_4bar at step {STEPS} of seed 0', lines[0]
    with h5py.File(checkpoint_path) as checkpoint:
        for group in 'model', 'optimizer/m', 'optimizer/v':
            names = []
            checkpoint[group].visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
            assert sorted(names) == sorted(line.split()[0] for line in lines[1:]), group
    assert len(lines) == 1 + 22, lines
    check_safetensors(blocks[2], [line.split()[0] for line in lines[1:]])


def read_safetensors(path):
    """Names to tensors, and the notes; the format's rules are held to its description."""
    dtypes = {'F32': numpy.dtype('<f4'), 'F16': numpy.dtype('<f2')}
    with open(path, 'rb') as file:
        size = struct.unpack('<Q', file.read(8))[0]
        text, data = file.read(size), file.read()
    assert size % 8 == 0 and text[:1] == b'{'
    header = json.loads(text)
    notes = header.pop('__metadata__')
    assert all(isinstance(note, str) for note in notes.values())
    tensors, end = {}, 0
    for name, tensor in header.items():
        assert sorted(tensor) == ['data_offsets', 'dtype', 'shape'], name
        begin, end = tensor['data_offsets'] if tensor['data_offsets'][0] == end else (None, None)
        values = numpy.frombuffer(data[begin:end], dtypes[tensor['dtype']])
        tensors[name] = values.reshape(tensor['shape'])
    assert end == len(data), 'bytes that belong to no tensor'
    return tensors, notes


def check_safetensors(block, names):
    """Every tensor and note of the model file, by a reader of our own and by the page's."""
    with h5py.File('model.h5') as model:
        latents = {'latents/mean', 'latents/factor'}  # of all latents the one Gaussian
        for dtype in 'f32', 'f16':
            tensors, notes = read_safetensors(f'{dtype}.safetensors')
            assert sorted(tensors) == sorted(set(names) | latents), sorted(tensors)
            for name, values in tensors.items():
                expected = model[name if name in latents else f'model/{name}'][:]
                assert values.shape == expected.shape and (values == expected).all(), name
                assert values.dtype == ('<f2' if dtype == 'f16' and name not in latents else '<f4'), name
            hparams = dict(re.findall(r'(\w+)=(\[[^]]*\]|[^,]*)', notes['hparams']))
            assert hparams['enc_rnn_size'] == '[8]' and hparams['z_size'] == '4' and hparams['bars'] == '4', hparams
            for name in 'config', 'content_sha256', 'licence', 'attribution', 'recipe', 'drum_map', 'drum_map_table':
                assert notes[name] == model.attrs[name].decode(), name
            assert notes['format'] == 'drumline-model' and int(notes['step']) == STEPS and int(notes['seed']) == 0
            lines = run_block(block, 'model.safetensors', f'{dtype}.safetensors')
            assert lines[0] == 'groovae_4bar' and [line.split()[0] for line in lines[1:]] == list(tensors), lines


def performance_digest(row, hits, velocity, offset):
    """As the page says under content_sha256."""
    steps = slice(int(row['first_step']), int(row['first_step']) + int(row['num_steps']))
    text = b''.join(row[name] + b'\0' for name in ('path', 'split', 'style', 'drummer'))
    numbers = struct.pack('<IfBB', row['num_steps'], row['qpm'], row['numerator'], row['denominator'])
    cells = hits[steps].tobytes() + velocity[steps].tobytes() + offset[steps].astype('<f4').tobytes()
    return hashlib.sha256(text + numbers + cells).digest()


def check_content(index_path, checkpoint_path):
    with h5py.File(index_path) as index, h5py.File(checkpoint_path) as checkpoint:
        hits, velocity, offset = (index[name][:] for name in ('hits', 'velocity', 'offset'))
        assert hits.dtype == velocity.dtype == numpy.uint8 and offset.dtype == numpy.float32
        assert hits.shape == velocity.shape == offset.shape == (index.attrs['num_steps'], 9)
        assert ((velocity > 0) == (hits == 1)).all() and (abs(offset) <= hits).all()
        with open('midi/info.csv', encoding='utf-8') as table:
            kinds = {row['midi_filename'].encode(): row['beat_type'].encode() for row in csv.DictReader(table)}
        assert {row['path']: row['beat_type'] for row in index['performances'][:]} == kinds, 'beat_type'
        assert set(kinds.values()) == {b'beat', b'fill'}, kinds
        digests = b''.join(performance_digest(row, hits, velocity, offset) for row in index['performances'][:])
        assert hashlib.sha256(digests).hexdigest() == index.attrs['content_sha256'].decode(), 'content_sha256'
        assert checkpoint.attrs['content_sha256'] == index.attrs['content_sha256']


def check_seal(path, bin_dir):
    """The seal is as the page says; a file changed behind it is refused, one without it is read."""
    with open(path, 'rb') as file:
        seal, body = file.read(512), file.read()
    expected = f'drumline-seal 1 xxh3={xxhash.xxh3_64_hexdigest(body)} size={len(body):0{DIGITS_OF_SIZE}}\n'
    assert seal == expected.encode().ljust(512, b'\0'), (seal[:80], expected)
    with h5py.File(path) as file, h5py.File('unsealed.h5', 'w') as copy:
        assert file.userblock_size == 512
        for name in file:
            file.copy(name, copy)
        for name, value in file.attrs.items():
            copy.attrs[name] = value
    run(f'{bin_dir}/drumline-info', 'unsealed.h5')
    with open('changed.h5', 'wb') as file:
        file.write(seal + body[:-1] + bytes([body[-1] ^ 1]))
    assert 'damaged' in run(f'{bin_dir}/drumline-info', 'changed.h5', status=1)


def check_times(bin_dir, index_path):
    """No times are stored: the same MIDI files make the same bytes in another second."""
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.05)
    run(f'{bin_dir}/drumline-preprocess', '--input_dir', 'midi', '--output_dir', 'again', '--recursive')
    for name in sorted(os.listdir('again')):
        with open(os.path.join(os.path.dirname(index_path), name), 'rb') as first, open(f'again/{name}', 'rb') as second:
            assert first.read() == second.read(), f'{name} differs'


def check_named(page, names, what):
    missing = [name for name in names if f'`{name}`' not in page]
    assert names and not missing, f'{what}: the page does not name {missing}'


def check_strings(*paths):
    """None has a variable length."""
    for path in paths:
        with h5py.File(path) as file:
            types = [file.attrs.get_id(name).get_type() for name in file.attrs]
            texts = [kind for kind in types if isinstance(kind, h5py.h5t.TypeStringID)]
            assert texts and not any(kind.is_variable_str() for kind in texts), path


def check_names(page, index_path, checkpoint_path):
    """What is in the files stands on the page, and the index's and checkpoint's tables name nothing else."""
    shard = os.path.join(os.path.dirname(index_path), 'shard-00000-of-00001.h5')
    with h5py.File(index_path) as index, h5py.File(shard) as one, h5py.File(checkpoint_path) as checkpoint:
        assert sorted(one.attrs) == ['format', 'version']
        check_named(page, list(index.attrs), 'index')
        check_named(page, list(index['performances'].dtype.names), '/performances')
        assert one['performances'].dtype.names + ('shard',) == index['performances'].dtype.names
        own = page[page.index('## Checkpoints'):page.index('## Model files')]
        in_table = re.findall(r'`(\w+)`', ''.join(re.findall(r'^\| `[^|]*\|', own, re.MULTILINE)))
        assert len(in_table) > 9 and set(in_table) <= set(checkpoint.attrs), in_table
        hparams = set(checkpoint.attrs) - set(in_table) - {name for name in checkpoint.attrs if name.startswith('val_')}
        assert {'bars', 'z_size', 'batch_size', 'sampling_rate'} <= hparams
        check_named(page, [name for name in checkpoint.attrs if name not in hparams], 'checkpoint')
        known = set(checkpoint.attrs)
    with h5py.File('model.h5') as model:
        own = page[page.index('## Model files'):page.index('## Latents')]
        in_table = re.findall(r'`(\w+)`', ''.join(re.findall(r'^\| `[^|]*\|', own, re.MULTILINE)))
        assert set(in_table) == {name for name in set(model.attrs) - known if not name.startswith('latent_')} == {'licence', 'attribution', 'recipe'}, in_table
        assert list(model) == ['latents', 'model']
        datasets = []
        model['latents'].visititems(lambda name, item: datasets.append(name) if isinstance(item, h5py.Dataset) else None)
        own = page[page.index('## Latents'):page.index('## Magenta.js')]
        missing = [name for name in datasets if name.split('/')[-1] not in own]
        missing += [name for name in model.attrs if name.startswith('latent_') and name not in own]
        assert len(datasets) > 2 and not missing, missing
    for folder in 'train', 'eval':
        with open(f'run/{folder}/metrics.jsonl', encoding='utf-8') as file:
            lines = [json.loads(line) for line in file]
        check_named(page, sorted({key for line in lines if 'event' not in line for key in line}), folder)
    assert sum('event' in line for line in lines) == 0 and len(lines) == 1, 'an evaluation is one line'


def main():
    page_path, bin_dir = map(os.path.abspath, sys.argv[1:])
    with open(page_path, encoding='utf-8') as file:
        page = file.read()
    with tempfile.TemporaryDirectory(prefix='drumline-formats-') as folder:
        os.chdir(folder)
        index_path, checkpoint_path = make_files(bin_dir)
        check_blocks(page, index_path, checkpoint_path)
        check_content(index_path, checkpoint_path)
        check_seal(checkpoint_path, bin_dir)
        check_names(page, index_path, checkpoint_path)
        check_strings(index_path, os.path.join(os.path.dirname(index_path), 'shard-00000-of-00001.h5'), checkpoint_path, 'model.h5')
        check_times(bin_dir, index_path)
        os.chdir('/')


if __name__ == '__main__':
    main()
