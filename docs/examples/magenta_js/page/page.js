'use strict';
/* Samples, interpolates and turns taps into drums with models that drumline-train --format=magenta_js wrote. `mm` is Magenta.js. */

const DRUMS = ['kick', 'snare', 'closed hat', 'open hat', 'low tom', 'mid tom', 'high tom', 'crash', 'ride'];
const STEPS_PER_BEAT = 4, NUM_FRACTIONS = 5, TAP_VELOCITY = 100;
const tf = mm.tf;
const find = id => document.getElementById(id);

const patterns = {}; /* by name: {sequence, z} */
let model, tapModel, player, taps = null;

function say(text) {
    find('status').textContent = text;
}

function tempo() {
    return Math.min(240, Math.max(40, Number(find('qpm').value) || 120));
}

/* Draws a pattern: a row for each drum, a column for each step; a hit's opacity is its velocity, its shift its timing. */
function draw(name) {
    const {sequence, numSteps, converter} = patterns[name];
    const stepSeconds = 60 / sequence.tempos[0].qpm / STEPS_PER_BEAT;
    const grid = find(`grid-${name}`);
    const cells = DRUMS.map(() => Array(numSteps).fill(null));
    for (const note of sequence.notes) {
        const step = Math.min(numSteps - 1, Math.max(0, Math.round(note.startTime / stepSeconds)));
        cells[converter.pitchToClass.get(note.pitch)][step] = {note, shift: note.startTime / stepSeconds - step};
    }
    grid.style.setProperty('--steps', numSteps);
    grid.replaceChildren(...cells.flatMap((row, drum) => [drawLabel(DRUMS[drum]), ...row.map(drawCell)]));
    grid.setAttribute('aria-label', `${sequence.notes.length} notes: ` + DRUMS.map((drum, i) =>
        [drum, cells[i].filter(Boolean).length]).filter(([, count]) => count).map(([drum, count]) => `${count} ${drum}`).join(', '));
}

function drawLabel(text) {
    const label = document.createElement('span');
    label.textContent = text;
    return label;
}

function drawCell(hit, step) {
    const cell = document.createElement('b');
    cell.dataset.step = step;
    if (step % STEPS_PER_BEAT === 0)
        cell.className = 'beat';
    if (hit) {
        const mark = document.createElement('i');
        Object.assign(mark.dataset, {pitch: hit.note.pitch, velocity: hit.note.velocity, start: hit.note.startTime});
        mark.title = `velocity ${hit.note.velocity}`;
        mark.style.opacity = 0.25 + 0.75 * hit.note.velocity / 127;
        mark.style.transform = `translateX(${Math.round(100 * hit.shift)}%)`;
        cell.append(mark);
    }
    return cell;
}

function keep(name, sequence, z, from) {
    const {numSteps} = from.dataConverter;
    patterns[name] = {sequence, z, numSteps, converter: from.dataConverter};
    draw(name);
    find('choice').value = name;
    find('play').disabled = false;
    const both = Boolean(patterns.a && patterns.b);
    find('interpolate').disabled = find('fraction').disabled = !both;
}

/* A latent vector from the density of the training data, where the model has it, with temperature 1; else from N(0, 1), 0.5. */
function drawLatent() {
    const mean = model.rawVars['latents/mean'], factor = model.rawVars['latents/factor'];
    const normal = tf.randomNormal([1, model.zDims]);
    if (!mean)
        return {z: normal, temperature: 0.5};
    return {z: tf.add(mean, tf.matMul(normal, factor, false, true)), temperature: 1};
}

async function sample(name) {
    const {z, temperature} = drawLatent();
    const [sequence] = await model.decode(z, temperature, undefined, STEPS_PER_BEAT, tempo());
    keep(name, sequence, await z.data(), model);
    say(`A new sample: ${find(`grid-${name}`).getAttribute('aria-label')}`);
}

async function interpolate() {
    const fraction = Number(find('fraction').value) / (NUM_FRACTIONS - 1);
    const numbers = patterns.a.z.map((value, i) => (1 - fraction) * value + fraction * patterns.b.z[i]);
    const z = tf.tensor2d(numbers, [1, model.zDims]);
    const [sequence] = await model.decode(z, 0.5, undefined, STEPS_PER_BEAT, tempo());
    keep('between', sequence, numbers, model);
    say(`${Math.round(100 * fraction)} % of the way from A to B: ${find('grid-between').getAttribute('aria-label')}`);
}

/* Taps as a sequence of notes, which the model's converter makes an input of. */
function tapSequence() {
    const {numSteps} = tapModel.dataConverter, qpm = taps.qpm, stepSeconds = 60 / qpm / STEPS_PER_BEAT;
    const last = (numSteps - 0.51) * stepSeconds;
    const notes = taps.times.map(time => Math.min(time, last)).map(startTime =>
        ({pitch: 46, startTime, endTime: startTime + stepSeconds, velocity: TAP_VELOCITY, isDrum: true}));
    return {notes, totalTime: numSteps * stepSeconds, tempos: [{time: 0, qpm}]};
}

async function finishTaps() {
    const sequence = tapSequence();
    taps = null;
    showBeat(-1);
    const input = tapModel.dataConverter.toTensor(sequence);
    const controls = tapModel.spec.extraControls && {extraControls: {input}};
    const z = await tapModel.encodeTensors(input.expandDims(0), controls);
    const [drums] = await tapModel.decode(z, 0.5, controls, STEPS_PER_BEAT, sequence.tempos[0].qpm);
    keep('tap', drums, null, tapModel);
    say(`${sequence.notes.length} taps became ${find('grid-tap').getAttribute('aria-label')}`);
}

function showBeat(beat) {
    [...find('beats').children].forEach((mark, i) => mark.classList.toggle('now', i === beat));
}

function followTaps() {
    if (!taps)
        return;
    const seconds = (performance.now() - taps.start) / 1000, beats = seconds * taps.qpm / 60;
    const total = tapModel.dataConverter.numSteps / STEPS_PER_BEAT;
    if (taps.start !== null)
        showBeat(Math.floor(beats));
    if (taps.start !== null && beats >= total)
        run(finishTaps)();
    else
        requestAnimationFrame(followTaps);
}

function tap() {
    const now = performance.now();
    if (taps.start === null)
        taps.start = now;
    taps.times.push((now - taps.start) / 1000);
    say(`${taps.times.length} taps`);
}

async function startTaps() {
    stop();
    taps = {start: null, times: [], qpm: tempo()};
    say('Tap F and J; the first tap starts');
    followTaps();
}

function stop() {
    if (player && player.isPlaying())
        player.stop();
    document.querySelectorAll('.now').forEach(cell => cell.classList.remove('now'));
    find('play').firstChild.data = 'Play ';
}

/* Knows how many notes it has given to its synthesizers. None of them begins two notes at one time, and where the machine is busy
 * and notes come too late, all of those would begin now: each comes at least a millisecond after the one before. */
class CountingPlayer extends mm.Player {
    count = 0;
    last = 0;

    playNote(time, note) {
        this.last = Math.max(time, mm.Player.tone.context.currentTime + 0.005, this.last + 0.001);
        try {
            super.playNote(this.last, note);
            this.count++;
        } catch (error) {
            /* A drum that still has a later start to come, of a player before, takes no earlier one: the note is left away. */
        }
    }
}

function follow(name, note) {
    const stepSeconds = 60 / patterns[name].sequence.tempos[0].qpm / STEPS_PER_BEAT, step = Math.round(note.startTime / stepSeconds);
    find(`grid-${name}`).querySelectorAll('b').forEach(cell => cell.classList.toggle('now', Number(cell.dataset.step) === step));
}

async function play() {
    const name = find('choice').value;
    if (player && player.isPlaying())
        return stop();
    if (!patterns[name])
        return say('There is nothing to play yet');
    const {sequence} = patterns[name];
    const notes = sequence.notes.map(note => ({...note, startTime: Math.max(0, note.startTime)})); /* early on the first beat */
    const current = player = new CountingPlayer(false, {run: note => current === player && current.isPlaying() && follow(name, note), stop});
    find('play').firstChild.data = 'Stop ';
    say(`Playing ${notes.length} notes`);
    await current.start({...sequence, notes});
    say(`Played ${current.count} notes`);
}

/* What a button does, with what goes wrong said on the page. */
function run(action) {
    return async () => {
        try {
            await action();
        } catch (error) {
            say(`This failed: ${error.message}`);
            throw error;
        }
    };
}

const buttons = {'sample-a': () => sample('a'), 'sample-b': () => sample('b'), interpolate, play, tap: startTaps};
const keys = {a: 'sample-a', b: 'sample-b', i: 'interpolate', t: 'tap', ' ': 'play'};

function listen() {
    for (const [id, action] of Object.entries(buttons))
        find(id).addEventListener('click', run(action));
    document.addEventListener('keydown', event => {
        const key = event.key.toLowerCase();
        if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.target.matches('select, input[type=number]'))
            return;
        if (taps && (key === 'f' || key === 'j'))
            return tap();
        if (key === ' ' && event.target.matches('button'))
            return; /* presses that button */
        if (keys[key]) {
            event.preventDefault();
            find(keys[key]).click();
        }
    });
    find('beats').replaceChildren(...Array.from({length: 8}, () => document.createElement('i')));
}

async function load(name) {
    const loaded = new mm.MusicVAE(new URL(`models/${name}`, location.href).href);
    await loaded.initialize();
    return loaded;
}

async function start() {
    listen();
    const backend = new URLSearchParams(location.search).get('backend'); /* cpu, where graphics are slow */
    if (backend)
        await tf.setBackend(backend);
    model = await load('generate');
    const about = model.spec.drumline || {};
    find('model').textContent = [about.config, about.attribution, about.licence].filter(Boolean).join(' · ') || 'A model';
    if (model.spec.extraControls)
        return say('This model plays to an input: it can not be sampled. Serve one of the others as the first model');
    find('sample-a').disabled = find('sample-b').disabled = false;
    await sample('a');
    try {
        tapModel = await load('tap');
        find('tap').disabled = false;
    } catch {
        find('tap').title = 'No tap model is served';
    }
}

run(start)();
