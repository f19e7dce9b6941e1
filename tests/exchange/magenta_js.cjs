/* magenta_js.cjs BIN_DIR MAKE_CHECKPOINT DECODE_WINDOWS CLIENT_DIR [MODELS_DIR DATA_SET SPLIT COUNT]: does Magenta.js, the real one,
 * make of exported models what Drumline makes of them?
 *
 * CLIENT_DIR holds node_modules with @magenta/music. For each config a small model with random weights is exported and loaded
 * by the client, which encodes windows and decodes them, and latent vectors drawn from N(0, 1), without sampling hits. It has
 * to agree with what decode_windows says. Then 16-bit floats and bytes are loaded, and a MIDI file goes the whole way through
 * both: drumline-generate, and the client's own reader and converter. With the last four arguments the models NAME.h5 of MODELS_DIR are taken
 * instead, and windows of that data set: to measure. */
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const {execFileSync} = require('node:child_process');
const {createRequire} = require('node:module');

const [binDir, makeCheckpoint, decodeWindows, clientDir, ...measured] = process.argv.slice(2);
const client = createRequire(path.join(path.resolve(clientDir), 'package.json'));
console.warn = console.log = () => {}; /* the client's greetings */
const tf = client('@tensorflow/tfjs');
const {MusicVAE} = client('@magenta/music/node/music_vae');
const {midiToSequenceProto} = client('@magenta/music/node/core');

const NUM_DRUMS = 9, DEPTH = 27;
const SMALL = 'enc_rnn_size=[16],dec_rnn_size=[12,12],z_size=8';
const COUNT = 10;
const LEAST_EQUAL = 0.95, MOST_Z = 1e-4, MOST_VELOCITY = 1, MOST_OFFSET = 0.01;

/* name, config, hparams besides */
const MODELS = [
    ['groovae_4bar', 'groovae_4bar', ''],
    ['groovae_4bar_flat', 'groovae_4bar_flat', ''],
    ['humanize', 'groovae_2bar_humanize', ''],
    ['humanize_hits', 'groovae_2bar_humanize', 'hits_as_controls=true'],
    ['tap', 'groovae_2bar_tap_fixed_velocity', ''],
    ['tap_input', 'groovae_2bar_tap_fixed_velocity', 'input_as_controls=true'],
    ['tap_note_dropout', 'groovae_2bar_tap_fixed_velocity_note_dropout', ''],
    ['add_closed_hh', 'groovae_2bar_add_closed_hh', ''],
    ['hits_control', 'groovae_2bar_hits_control', ''],
    ['hierarchical_hits', 'groovae_4bar', 'hits_as_controls=true'],
    ['hierarchical_input', 'groovae_4bar', 'input_as_controls=true,humanize=true'],
];

function run(program, ...args) {
    return execFileSync(program, args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});
}

function exportModel(checkpoint, folder, ...flags) {
    run(`${binDir}/drumline-train`, '--mode=export', `--checkpoint_file=${checkpoint}`, '--format=magenta_js',
        `--output_dir=${folder}`, ...flags);
}

/* What Drumline makes of some windows. */
function readWindows(checkpoint, dataSet, split, count) {
    const file = `${checkpoint}.windows`;
    const sizes = JSON.parse(run(decodeWindows, checkpoint, dataSet, split, `${count}`, file));
    const bytes = fs.readFileSync(file);
    const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const parts = {input: sizes.steps * DEPTH, controls: sizes.steps * sizes.controls, mean: sizes.z,
                   music: sizes.steps * DEPTH, z: sizes.z, sample: sizes.steps * DEPTH};
    const windows = [];
    for (let at = 0; at < numbers.length;) {
        const window = {};
        for (const [name, size] of Object.entries(parts))
            window[name] = numbers.slice(at, at += size);
        windows.push(window);
    }
    assert.equal(windows.length, sizes.windows);
    return {sizes, windows};
}

/* Agreement of one window's music: hits in every cell, and where they are equal, velocities and offsets. */
function compareMusic(result, ours, theirs) {
    let different = 0, velocity = 0, offset = 0;
    for (let i = 0; i < ours.length; i++) {
        const column = i % DEPTH, row = i - column;
        if (column < NUM_DRUMS) {
            different += ours[i] !== theirs[i];
        } else if (ours[row + column % NUM_DRUMS] === 1 && theirs[row + column % NUM_DRUMS] === 1) {
            const difference = Math.abs(ours[i] - theirs[i]);
            if (column < 2 * NUM_DRUMS)
                velocity = Math.max(velocity, 127 * difference);
            else
                offset = Math.max(offset, difference);
        }
    }
    result.windows++;
    result.cells += ours.length / 3;
    result.differentCells += different;
    result.hits += ours.filter((value, i) => i % DEPTH < NUM_DRUMS && value === 1).length;
    if (different === 0) {
        result.equalWindows++;
        result.velocity = Math.max(result.velocity, velocity);
        result.offset = Math.max(result.offset, offset);
    }
}

function emptyResult() {
    return {windows: 0, equalWindows: 0, cells: 0, differentCells: 0, hits: 0, velocity: 0, offset: 0};
}

async function compareModel(url, {sizes, windows}) {
    const decoder = new MusicVAE(url);
    await decoder.initialize();
    let encoder = decoder;
    if (decoder.spec.dataConverter.args.numSegments) {
        encoder = new MusicVAE(`${url}/encoder`);
        await encoder.initialize();
        await assert.rejects(async () => decoder.encodeTensors(tf.zeros([1, sizes.steps, DEPTH])), /inner shapes|matMul|control/);
        await assert.rejects(async () => encoder.decodeTensors(tf.zeros([1, sizes.z])));
    }
    const results = {mean: 0, reconstructed: emptyResult(), sampled: emptyResult()};
    for (const window of windows) {
        tf.engine().startScope(); /* frees tensors */
        const [control] = decoder.spec.extraControls || [];
        const controls = control && {extraControls: {[control.name]: tf.tensor2d(window.controls, [sizes.steps, control.depth])}};
        const z = await encoder.encodeTensors(tf.tensor3d(window.input, [1, sizes.steps, DEPTH]), controls);
        const means = await z.data();
        assert.equal(means.length, sizes.z);
        means.forEach((value, i) => { results.mean = Math.max(results.mean, Math.abs(value - window.mean[i])); });
        const both = tf.concat([z, tf.tensor2d(window.z, [1, sizes.z])]);
        const music = await (await decoder.decodeTensors(both, undefined, controls)).data();
        compareMusic(results.reconstructed, window.music, music.subarray(0, sizes.steps * DEPTH));
        compareMusic(results.sampled, window.sample, music.subarray(sizes.steps * DEPTH));
        tf.engine().endScope();
    }
    encoder.dispose();
    decoder.dispose();
    return results;
}

function report(name, results) {
    const share = (part, whole) => `${(100 * part / whole).toFixed(2)} %`;
    for (const kind of ['reconstructed', 'sampled']) {
        const r = results[kind];
        process.stdout.write(`${name}, ${kind}: ${r.equalWindows} of ${r.windows} windows equal in every hit, ` +
            `${share(r.cells - r.differentCells, r.cells)} of cells, ${(r.hits / r.windows).toFixed(1)} hits a window; ` +
            `velocities within ${r.velocity.toFixed(5)}, offsets within ${r.offset.toExponential(1)}; ` +
            `means of z within ${results.mean.toExponential(1)}\n`);
    }
}

function check(name, results) {
    assert.ok(results.mean <= MOST_Z, `${name}: means of z differ by ${results.mean}`);
    for (const kind of ['reconstructed', 'sampled']) {
        const r = results[kind];
        assert.ok(r.hits > r.windows, `${name}, ${kind}: ${r.hits} hits in ${r.windows} windows`);
        assert.ok(r.equalWindows >= LEAST_EQUAL * r.windows, `${name}, ${kind}: ${r.equalWindows} of ${r.windows} equal`);
        assert.ok(r.velocity <= MOST_VELOCITY, `${name}, ${kind}: velocities differ by ${r.velocity}`);
        assert.ok(r.offset <= MOST_OFFSET, `${name}, ${kind}: offsets differ by ${r.offset}`);
    }
}

/* The folder over HTTP, on this machine alone, on a free port. */
async function serve(folder) {
    const server = http.createServer((request, response) => {
        const file = path.join(folder, path.normalize(new URL(request.url, 'http://localhost').pathname));
        fs.readFile(file, (error, bytes) => {
            response.writeHead(error ? 404 : 200, {Connection: 'close'});
            response.end(bytes);
        });
    });
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
    return {server, url: `http://127.0.0.1:${server.address().port}`};
}

/* The client's variables of a model exported with these flags; `latents` are among them. */
async function loadVariables(file, folder, url, dataSet, dtype) {
    exportModel(file, `${folder}/${dtype}`, `--dtype=${dtype}`, `--examples_path=${dataSet}`);
    const model = new MusicVAE(`${url}/${dtype}`);
    await model.initialize();
    return model.rawVars;
}

/* Weights of fewer bits are near those of 32. */
async function checkDtypes(file, folder, url, dataSet) {
    const exact = await loadVariables(file, folder, url, dataSet, 'f32');
    for (const dtype of ['f16', 'u8']) {
        const rough = await loadVariables(file, folder, url, dataSet, dtype);
        const manifest = JSON.parse(fs.readFileSync(`${folder}/${dtype}/weights_manifest.json`));
        assert.deepEqual(Object.keys(rough), Object.keys(exact));
        for (const {name, quantization} of manifest.flatMap(group => group.weights)) {
            const [a, b] = [exact[name].dataSync(), rough[name].dataSync()];
            assert.ok(a.length > 0 && exact[name].shape.join() === rough[name].shape.join());
            assert.equal(quantization === undefined, name.startsWith('latents/'), name);
            const near = dtype === 'u8' ? () => 0.5001 * quantization.scale : value => Math.max(Math.abs(value) * 2 ** -11, 2 ** -25);
            a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) <= (quantization ? near(value) : 0), `${dtype} ${name}: ${value}, ${b[i]}`));
        }
        assert.ok('latents/mean' in rough && 'latents/factor' in rough);
    }
    process.stdout.write('16-bit floats and bytes: near the weights of 32 bits\n');
}

/* Notes by pitch and step, from a sequence of the client's at 120 quarters a minute; early ones on the first beat lie on it. */
function notesByStep({notes}, stepSeconds = 0.125) {
    return new Map(notes.map(({pitch, startTime, velocity}) => {
        const step = Math.round(startTime / stepSeconds);
        return [`${pitch} at ${step}`, {velocity, offset: 2 * (step - Math.max(0, startTime) / stepSeconds)}];
    }));
}

function generate(checkpoint, folder, ...flags) {
    run(`${binDir}/drumline-generate`, `--checkpoint_file=${checkpoint}`, `--output_dir=${folder}`, '--num_outputs=1', '--seed=3', '--qpm=120',
        '--log=warning', ...flags);
    return path.join(folder, fs.readdirSync(folder)[0]);
}

/* One MIDI file through drumline-generate and through the client. */
async function compareFile(name, file, folder, url, input) {
    const ours = generate(file, `${folder}/${name}_midi`, '--mode=reconstruct', '--feedback=raw', '--temperature=0.000001', '--keep_hits=false',
        `--input_midi_1=${input}`);
    const model = new MusicVAE(`${url}/${name}`);
    await model.initialize();
    const tensor = model.dataConverter.toTensor(midiToSequenceProto(fs.readFileSync(input)));
    const controls = model.spec.extraControls && {extraControls: {[model.spec.extraControls[0].name]: tensor}};
    const z = await model.encodeTensors(tensor.expandDims(0), controls);
    const theirs = notesByStep((await model.decode(z, undefined, controls))[0]);
    const expected = notesByStep(midiToSequenceProto(fs.readFileSync(ours)));
    assert.ok(expected.size > 10);
    assert.deepEqual([...theirs.keys()].sort(), [...expected.keys()].sort(), name);
    for (const [key, note] of expected) {
        assert.ok(Math.abs(note.velocity - theirs.get(key).velocity) <= MOST_VELOCITY, `${name}, ${key}`);
        assert.ok(Math.abs(note.offset - theirs.get(key).offset) <= MOST_OFFSET, `${name}, ${key}`);
    }
    process.stdout.write(`${name}: ${expected.size} notes of a MIDI file, the same by drumline-generate\n`);
}

function makeDataSet(folder) {
    run(`${binDir}/drumline-drummers`, '--output_dir', `${folder}/midi`, '--num_performances=12');
    run(`${binDir}/drumline-preprocess`, '--input_dir', `${folder}/midi`, '--output_dir', `${folder}/data`, '--recursive',
        '--log=warning');
    return `${folder}/data`;
}

/* name and file of each model. */
function listModels(folder) {
    if (measured.length > 0)
        return fs.readdirSync(measured[0]).filter(name => name.endsWith('.h5')).sort().map(name => {
            fs.copyFileSync(path.join(measured[0], name), path.join(folder, name));
            return [name.slice(0, -3), path.join(folder, name)];
        });
    return MODELS.map(([name, config, hparams]) => {
        const file = path.join(folder, `${name}.h5`);
        run(makeCheckpoint, config, hparams ? `${SMALL},${hparams}` : SMALL, '5', file);
        return [name, file];
    });
}

async function main(folder) {
    const dataSet = measured.length > 0 ? measured[1] : makeDataSet(folder);
    const {server, url} = await serve(folder);
    try {
        for (const [name, file] of listModels(folder)) {
            exportModel(file, path.join(folder, name));
            const windows = readWindows(file, dataSet, measured[2] || 'train', measured[3] || COUNT);
            const results = await compareModel(`${url}/${name}`, windows);
            report(name, results);
            check(name, results);
        }
        if (measured.length > 0)
            return;
        await checkDtypes(path.join(folder, 'hits_control.h5'), folder, url, dataSet);
        /* Raw: of hits that a random model finds unlikely, offsets given a hit lie half a step off, where readers round differently. */
        const input = generate(path.join(folder, 'add_closed_hh.h5'), `${folder}/input`, '--feedback=raw');
        for (const name of ['humanize', 'tap', 'tap_input'])
            await compareFile(name, path.join(folder, `${name}.h5`), folder, url, input);
    } finally {
        server.close();
    }
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'drumline-magenta-js-'));
main(folder).catch(error => {
    process.stderr.write(`${error.stack}\n${error.stderr || ''}\n`);
    process.exitCode = 1;
}).finally(() => fs.rmSync(folder, {recursive: true}));
