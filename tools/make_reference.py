#!/usr/bin/python3
"""Writes the reference fixtures that the model's tests are measured against (Debian: python3-torch, python3-h5py).

  tools/make_reference.py [--output_dir tests/fixtures]

Each fixture is one small HDF5 file: sizes, hparams, weights, one batch, fixed dropout masks and noise (float32 or u8,
exact), and what the model makes of them, computed in float64 by PyTorch's autograd: logits, mu, sigma, loss parts per
window, every gradient, the global norm, and the weights after five clipped Adam steps on that same batch. The model is
written out here from its formulas (docs/models.md), without torch.nn.LSTM, so that gate order, forget bias and dropout
are the project's own. Reading a fixture needs no torch.

Arrays are time-major. Masks are keep-masks: x * mask / keep_prob. The hierarchical core decoder's masks are
[steps_per_bar, bars * batch, width], row bar * batch + window.
"""
import argparse
import math
import os

import h5py
import numpy as np
import torch
import torch.nn.functional as functional

CLASSES = 9
DEPTH = 3 * CLASSES
STEPS_PER_BAR = 16
FORGET_BIAS = 1.0
LEARNING_RATE = 1e-3
ADAM_STEPS = 5
GRAD_CLIP = 1.0

FIXTURES = {
    'reference_flat': dict(hierarchical=False, bars=2, batch=3, control_depth=0, seed=1, kl='some windows'),
    'reference_hierarchical': dict(hierarchical=True, bars=3, batch=3, control_depth=0, seed=2, kl='some windows'),
    'reference_controls': dict(hierarchical=False, bars=2, batch=3, control_depth=9, seed=3, kl='no window',
                               enc_rnn_size=[5, 3]),
}
SIZES = dict(enc_rnn_size=[5], dec_rnn_size=[6, 7], z_size=4)
HPARAMS = dict(dropout_keep_prob=0.3, beta=0.2)


def encoder_inputs(case, layer):
    return 2 * case['enc_rnn_size'][layer - 1] if layer else DEPTH + case['control_depth']


def tensor_shapes(case):
    """Name -> shape, in the order in which backward finishes the gradients."""
    sizes, z_size, enc_sizes = case['dec_rnn_size'], case['z_size'], case['enc_rnn_size']
    embedding = sizes[-1] if case['hierarchical'] else z_size
    shapes = {}

    def dense(name, inputs, outputs):
        shapes[name + '/kernel'] = (inputs, outputs)
        shapes[name + '/bias'] = (outputs,)

    def lstms(prefix, inputs, latent):
        for layer in reversed(range(len(sizes))):
            below = sizes[layer - 1] if layer else inputs
            dense(f'{prefix}/layer_{layer}', below + sizes[layer], 4 * sizes[layer])
        dense(f'{prefix}/initial_state', latent, 2 * sum(sizes))

    dense('decoder/output', sizes[-1], DEPTH)
    lstms('decoder', DEPTH + case['control_depth'] + embedding, embedding)
    if case['hierarchical']:
        lstms('conductor', 0, z_size)
    dense('encoder/mu', 2 * enc_sizes[-1], z_size)
    dense('encoder/sigma', 2 * enc_sizes[-1], z_size)
    for layer in reversed(range(len(enc_sizes))):
        for direction in ('backward', 'forward'):
            inputs = encoder_inputs(case, layer) + enc_sizes[layer]
            dense(f'encoder/{direction}/layer_{layer}', inputs, 4 * enc_sizes[layer])
    return shapes


def mask_shapes(case):
    sizes, steps, batch, bars = case['dec_rnn_size'], case['steps'], case['batch'], case['bars']
    outer, rows, latent = steps, batch, case['z_size']
    shapes = {f'encoder/layer_{layer}': (steps, batch, encoder_inputs(case, layer))
              for layer in range(len(case['enc_rnn_size']))}
    if case['hierarchical']:
        outer, rows, latent = STEPS_PER_BAR, bars * batch, sizes[-1]
        for layer in range(1, len(sizes)):
            shapes[f'conductor/layer_{layer}'] = (bars, batch, sizes[layer - 1])
    for layer in range(len(sizes)):
        width = sizes[layer - 1] if layer else DEPTH + case['control_depth'] + latent
        shapes[f'decoder/layer_{layer}'] = (outer, rows, width)
    return shapes


def made_up_drums(random, steps, batch):
    hits = random.random((steps, batch, CLASSES)) < 0.2
    velocities = hits * random.integers(1, 128, hits.shape) / 127.0
    offsets = hits * random.uniform(-1, 1, hits.shape)
    return np.concatenate([hits, velocities, offsets], 2).astype(np.float32)


def make_case(name):
    """What goes into the model, in the types that the fixture stores."""
    case = dict(SIZES, **HPARAMS, **FIXTURES[name])
    case['steps'] = case['bars'] * STEPS_PER_BAR
    random = np.random.default_rng(case['seed'])
    steps, batch = case['steps'], case['batch']
    target = made_up_drums(random, steps, batch)
    humanized = target.copy()
    humanized[:, :, CLASSES:] = 0
    case['target'], case['input'] = target, humanized if case['seed'] % 2 else made_up_drums(random, steps, batch)
    case['controls'] = target[:, :, :case['control_depth']]
    case['eps'] = random.standard_normal((batch, case['z_size'])).astype(np.float32)
    case['parameters'] = {tensor: (0.3 * random.standard_normal(shape)).astype(np.float32)
                          for tensor, shape in tensor_shapes(case).items()}
    case['masks'] = {mask: (random.random(shape) < case['dropout_keep_prob']).astype(np.uint8)
                     for mask, shape in mask_shapes(case).items()}
    return case


def double(array):
    return torch.tensor(np.asarray(array, np.float64))


class Model:
    """One forward pass over a case. `dropout` False is evaluation: no masks."""

    def __init__(self, case, parameters, dropout):
        self.case, self.parameters, self.dropout = case, parameters, dropout

    def drop(self, x, mask):
        if not self.dropout:
            return x
        return x * double(self.case['masks'][mask]) / self.case['dropout_keep_prob']

    def dense(self, name, x):
        return x @ self.parameters[name + '/kernel'] + self.parameters[name + '/bias']

    def lstm(self, name, inputs, c, h):
        outputs = []
        for x in inputs:
            i, candidate, f, o = self.dense(name, torch.cat([x, h], 1)).chunk(4, 1)
            c = torch.sigmoid(f + FORGET_BIAS) * c + torch.sigmoid(i) * torch.tanh(candidate)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs)

    def stack(self, prefix, inputs, latent):
        """The LSTMs of `prefix` one on the other, started from tanh(dense(latent))."""
        sizes = self.case['dec_rnn_size']
        states = torch.tanh(self.dense(prefix + '/initial_state', latent))
        states = states.split([size for size in sizes for _ in 'ch'], 1)
        x = inputs
        for layer in range(len(sizes)):
            if x.shape[2] > 0:
                x = self.drop(x, f'{prefix}/layer_{layer}')
            x = self.lstm(f'{prefix}/layer_{layer}', x, states[2 * layer], states[2 * layer + 1])
        return x

    def encode(self):
        x = torch.cat([double(self.case['input']), double(self.case['controls'])], 2)
        for layer, size in enumerate(self.case['enc_rnn_size']):
            x = self.drop(x, f'encoder/layer_{layer}')
            zero = torch.zeros(x.shape[1], size, dtype=torch.float64)
            forward = self.lstm(f'encoder/forward/layer_{layer}', x, zero, zero)
            backward = self.lstm(f'encoder/backward/layer_{layer}', x.flip(0), zero, zero)
            x = torch.cat([forward, backward.flip(0)], 2)
        h = torch.cat([forward[-1], backward[-1]], 1)
        return self.dense('encoder/mu', h), functional.softplus(self.dense('encoder/sigma', h))

    def decode(self, z):
        target = double(self.case['target'])
        previous = torch.cat([torch.zeros_like(target[:1]), target[:-1]])
        inputs = torch.cat([previous, double(self.case['controls'])], 2)
        bars, batch = self.case['bars'], self.case['batch']
        if not self.case['hierarchical']:
            return self.dense('decoder/output', self.core(inputs, z))
        embeddings = self.stack('conductor', torch.zeros(bars, batch, 0, dtype=torch.float64), z)
        inputs = torch.cat([inputs[bar * STEPS_PER_BAR:(bar + 1) * STEPS_PER_BAR] for bar in range(bars)], 1)
        logits = self.dense('decoder/output', self.core(inputs, embeddings.reshape(bars * batch, -1)))
        return torch.cat([logits[:, bar * batch:(bar + 1) * batch] for bar in range(bars)], 0)

    def core(self, inputs, latent):
        return self.stack('decoder', torch.cat([inputs, latent.expand(len(inputs), *latent.shape)], 2), latent)

    def run(self):
        """All values of one pass in the fixture; loss parts are per window, KL in nats."""
        mu, sigma = self.encode()
        logits = self.decode(mu + sigma * double(self.case['eps']))
        hits, velocities, offsets = logits.split(CLASSES, 2)
        true_hits, true_velocities, true_offsets = double(self.case['target']).split(CLASSES, 2)
        out = dict(mu=mu, sigma=sigma, logits=logits)
        cross_entropy = functional.binary_cross_entropy_with_logits(hits, true_hits, reduction='none')
        out['hits_loss'] = cross_entropy.sum((0, 2))
        out['velocities_loss'] = ((torch.sigmoid(velocities) - true_velocities) ** 2).sum((0, 2))
        out['offsets_loss'] = ((torch.tanh(offsets) - true_offsets) ** 2).sum((0, 2))
        out['kl'] = 0.5 * (mu ** 2 + sigma ** 2 - 1).sum(1) - sigma.log().sum(1)
        cost = functional.relu(out['kl'] - self.case['free_bits'] * math.log(2))
        reconstruction = out['hits_loss'] + out['velocities_loss'] + out['offsets_loss']
        out['loss'] = (reconstruction + self.case['beta'] * cost).mean()
        guessed, true = hits > 0, true_hits > 0.5
        for key, counted in (('true_positives', guessed & true), ('false_positives', guessed & ~true),
                             ('false_negatives', ~guessed & true)):
            out[key] = counted.sum()
        return out


def choose_free_bits(case):
    """A threshold that some windows' KL is above and others' below, far from all of them; or above them all."""
    if case['kl'] == 'no window':
        return 48.0
    case['free_bits'] = 0.0
    parameters = {name: double(value) for name, value in case['parameters'].items()}
    bits = np.sort(Model(case, parameters, True).run()['kl'].numpy()) / math.log(2)
    gap = int(np.argmax(np.diff(bits)))
    assert bits[gap + 1] - bits[gap] > 0.02, 'choose another seed: the windows\' KL lie too close together'
    return float(np.float32((bits[gap] + bits[gap + 1]) / 2))


def gradients_of(case, parameters):
    for value in parameters.values():
        value.grad = None
    out = Model(case, parameters, True).run()
    out['loss'].backward()
    gradients = {name: value.grad.clone() for name, value in parameters.items()}
    norm = math.sqrt(sum(float((gradient ** 2).sum()) for gradient in gradients.values()))
    return out, gradients, norm


def train(case, parameters):
    """Five Adam steps, written out: clip to the global norm, then bias-corrected moments. Changes `parameters`."""
    moments = {name: (torch.zeros_like(value), torch.zeros_like(value)) for name, value in parameters.items()}
    for step in range(1, ADAM_STEPS + 1):
        _, gradients, norm = gradients_of(case, parameters)
        assert norm > 2 * GRAD_CLIP, 'clipping must act'
        with torch.no_grad():
            for name, value in parameters.items():
                gradient, (m, v) = gradients[name] * (GRAD_CLIP / norm), moments[name]
                m.mul_(0.9).add_(0.1 * gradient)
                v.mul_(0.999).add_(0.001 * gradient ** 2)
                m_hat, v_hat = m / (1 - 0.9 ** step), v / (1 - 0.999 ** step)
                value -= LEARNING_RATE * m_hat / (v_hat.sqrt() + 1e-8)


def write(file, name, value):
    """Compressed where it is large enough to gain; the fixtures are kept in the repository."""
    packing = dict(compression='gzip', compression_opts=9, shuffle=True) if value.size > 500 else {}
    file.create_dataset(name, data=value, **packing)


def write_fixture(path, case):
    parameters = {name: double(value).requires_grad_() for name, value in case['parameters'].items()}
    out, gradients, norm = gradients_of(case, parameters)
    with torch.no_grad():
        evaluation = Model(case, parameters, False).run()
    train(case, parameters)
    with h5py.File(path, 'w', libver=('v110', 'v110')) as file:
        file.attrs['format'], file.attrs['version'] = 'drumline-reference', 1
        for key in ('batch', 'bars', 'control_depth', 'z_size'):
            file.attrs[key] = case[key]
        file.attrs['steps_per_bar'], file.attrs['hierarchical'] = STEPS_PER_BAR, int(case['hierarchical'])
        for key in ('enc_rnn_size', 'dec_rnn_size'):
            file.attrs[key] = np.array(case[key], np.int64)
        for key in ('dropout_keep_prob', 'beta', 'free_bits'):
            file.attrs[key] = float(case[key])
        file.attrs['learning_rate'], file.attrs['grad_clip'] = LEARNING_RATE, GRAD_CLIP
        file.attrs['adam_steps'] = ADAM_STEPS
        file.attrs['tensors'] = '\n'.join(parameters)
        for key in ('input', 'target', 'controls', 'eps'):
            write(file, key, case[key])
        for key, value in case['masks'].items():
            write(file, 'masks/' + key, value)
        for key, value in case['parameters'].items():
            write(file, 'parameters/' + key, value)
            write(file, 'gradients/' + key, gradients[key].numpy())
            write(file, 'parameters_after_5/' + key, parameters[key].detach().numpy())
        for name, values in (('training', dict(out, global_norm=double(norm))), ('evaluation', evaluation)):
            for key, value in values.items():
                write(file, f'{name}/{key}', value.detach().numpy())
    kl_bits = (out['kl'].detach().numpy() / math.log(2)).round(3)
    print(f'{path}: {os.path.getsize(path)} bytes, loss {out["loss"].item():.3f}, norm {norm:.2f}, '
          f'KL {kl_bits} bits, free_bits {case["free_bits"]:.4f}')


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--output_dir', default=os.path.join(here, '..', 'tests', 'fixtures'))
    output_dir = parser.parse_args().output_dir
    torch.set_num_threads(1)
    os.makedirs(output_dir, exist_ok=True)
    for name in FIXTURES:
        case = make_case(name)
        case['free_bits'] = choose_free_bits(case)
        write_fixture(os.path.join(output_dir, name + '.h5'), case)


if __name__ == '__main__':
    main()
