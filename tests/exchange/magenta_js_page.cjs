/* magenta_js_page.cjs PAGE_DIR CLIENT_DIR BIN_DIR MAKE_CHECKPOINT [MODEL TAP_MODEL SCREENSHOT]: the page of docs/examples/magenta_js in headless Chromium, by
 * keyboard alone.
 *
 * The models have random weights, or are checkpoints that are given. Two samples are drawn, played and read, the way between them is played to, and taps become drums. Everything comes from this machine. 77
 * where there is no Chromium. */
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const {execFileSync, spawn, spawnSync} = require('node:child_process');

const [pageDir, clientDir, binDir, makeCheckpoint, givenModel, givenTapModel, screenshot] = process.argv.slice(2);
const PATIENCE = 120e3; /* ms, for machines that are busy */
const TAP_PAUSE = 125; /* ms: an eighth at 240 quarters a minute */
const program = ['chromium', 'chromium-browser'].find(name => !spawnSync(name, ['--version']).error);

/* Chromium's own protocol, over two pipes: JSON messages that end in NUL. */
class Browser {
    constructor(profile) {
        this.process = spawn(program, ['--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', `--user-data-dir=${profile}`,
            '--no-first-run', '--disable-background-networking', '--disable-component-update', '--window-size=1200,1000'],
        {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true});
        this.waiting = new Map();
        this.listeners = [];
        this.count = 0;
        let rest = '';
        this.process.stdio[4].setEncoding('utf8').on('data', text => {
            const messages = (rest + text).split('\0');
            rest = messages.pop();
            messages.map(JSON.parse).forEach(message => this.take(message));
        });
    }

    take(message) {
        const waiting = this.waiting.get(message.id);
        if (!waiting)
            return this.listeners.forEach(listener => listener(message));
        this.waiting.delete(message.id);
        if (message.error)
            waiting.reject(new Error(`${waiting.method}: ${message.error.message}`));
        else
            waiting.resolve(message.result);
    }

    send(method, params = {}) {
        const id = ++this.count;
        this.process.stdio[3].write(`${JSON.stringify({id, method, params, sessionId: this.session})}\0`);
        return new Promise((resolve, reject) => this.waiting.set(id, {resolve, reject, method}));
    }

    /* With its helper processes, which otherwise write to the profile for a while after it has ended. */
    kill() {
        if (this.process.exitCode === null && this.process.signalCode === null)
            process.kill(-this.process.pid, 'SIGKILL');
    }

    async open() {
        const {targetId} = await this.send('Target.createTarget', {url: 'about:blank'});
        ({sessionId: this.session} = await this.send('Target.attachToTarget', {targetId, flatten: true}));
        for (const domain of ['Page', 'Runtime', 'Network'])
            await this.send(`${domain}.enable`);
    }

    async evaluate(expression) {
        const {result, exceptionDetails} = await this.send('Runtime.evaluate', {expression, returnByValue: true, awaitPromise: true});
        assert.ok(!exceptionDetails, JSON.stringify(exceptionDetails));
        return result.value;
    }

    /* Waits until the expression is true. */
    async until(expression) {
        for (const start = Date.now(); !await this.evaluate(expression);) {
            if (Date.now() - start > PATIENCE)
                throw new Error(`${expression} stays false; the page says: ${await this.evaluate("document.body.innerText")}`);
            await new Promise(resolve => setTimeout(resolve, 50));
        }
    }

    async press(key) {
        const text = key === 'Space' ? ' ' : key;
        const event = {key: text, text, code: key === 'Space' ? 'Space' : `Key${key.toUpperCase()}`, windowsVirtualKeyCode: text.toUpperCase().charCodeAt(0)};
        await this.send('Input.dispatchKeyEvent', {type: 'keyDown', ...event});
        await this.send('Input.dispatchKeyEvent', {type: 'keyUp', ...event, text: undefined});
    }
}

const status = "document.getElementById('status').textContent";
const notesOf = name => `[...document.querySelectorAll('#grid-${name} i')].map(mark => ({...mark.dataset}))`;

function checkNotes(notes, bars) {
    const pitches = new Set(['36', '38', '42', '46', '45', '48', '50', '49', '51']);
    assert.ok(notes.length > 0, 'no notes');
    for (const note of notes) {
        assert.ok(pitches.has(note.pitch), note.pitch);
        assert.ok(note.velocity >= 0 && note.velocity <= 127, note.velocity);
        assert.ok(note.start > -0.0626 && note.start < 2 * bars, note.start);
    }
}

async function play(browser, url) {
    const requests = [], errors = [];
    browser.listeners.push(({method, params}) => {
        if (method === 'Network.requestWillBeSent')
            requests.push(params.request.url);
        if (method === 'Runtime.exceptionThrown')
            errors.push(params.exceptionDetails.exception?.description || params.exceptionDetails.text);
    });
    await browser.open();
    await browser.send('Page.navigate', {url: `${url}?backend=cpu`});
    await browser.until("document.readyState === 'complete' && !document.getElementById('tap').disabled");
    await browser.press('a');
    await browser.until(`${status}.startsWith('A new sample')`);
    await browser.press('b');
    await browser.until("!document.getElementById('interpolate').disabled");
    const notes = {a: await browser.evaluate(notesOf('a')), b: await browser.evaluate(notesOf('b'))};
    const bars = await browser.evaluate("document.querySelectorAll('#grid-a b').length / 9 / 16");
    checkNotes(notes.a, bars);
    checkNotes(notes.b, bars);
    assert.notDeepEqual(notes.a, notes.b);

    await browser.evaluate("document.getElementById('qpm').value = 240");
    await browser.press('t');
    await browser.until(`${status}.startsWith('Tap F')`);
    for (let i = 0; i < 8; i++) {
        await browser.press(i % 2 ? 'j' : 'f');
        await new Promise(resolve => setTimeout(resolve, TAP_PAUSE));
    }
    await browser.until(`${status}.includes('taps became')`);
    checkNotes(await browser.evaluate(notesOf('tap')), 2);

    await browser.press('i');
    await browser.until(`${status}.startsWith('50 %')`);
    checkNotes(await browser.evaluate(notesOf('between')), bars);
    await browser.press('Space');
    if (screenshot) {
        await browser.until("document.querySelector('.now')");
        await saveScreenshot(browser);
    }
    await browser.until(`${status}.startsWith('Played')`);
    const played = Number((await browser.evaluate(status)).match(/\d+/)[0]);
    const most = (await browser.evaluate(notesOf('between'))).length;
    assert.ok(played > 0 && played <= most, `${played} of ${most} notes`); /* audio skips some where the machine is busy */
    assert.ok(requests.length >= 5 && requests.every(request => request.startsWith(url) || /^(blob|data):/.test(request)), requests.join(' '));
    assert.deepEqual(errors, []);
    process.stdout.write(`${notes.a.length} and ${notes.b.length} notes, ${played} played, ${requests.length} requests, all to ${url}\n`);
}

async function saveScreenshot(browser) {
    const {data} = await browser.send('Page.captureScreenshot', {captureBeyondViewport: true});
    fs.writeFileSync(screenshot, Buffer.from(data, 'base64'));
}

/* The folder of an exported model. */
function exportModel(folder, name, given, config, hparams) {
    const file = given || path.join(folder, `${name}.h5`);
    if (!given)
        execFileSync(makeCheckpoint, [config, `enc_rnn_size=[16],dec_rnn_size=[12,12],z_size=8${hparams}`, '5', file]);
    execFileSync(`${binDir}/drumline-train`, ['--mode=export', '--format=magenta_js', `--checkpoint_file=${file}`, '--log=warning',
        `--output_dir=${path.join(folder, name)}`], {stdio: ['ignore', 'inherit', 'inherit']});
    return path.join(folder, name);
}

async function serve(folder) {
    const model = exportModel(folder, 'generate', givenModel, 'groovae_4bar', '');
    const tapModel = exportModel(folder, 'tap', givenTapModel, 'groovae_2bar_tap_fixed_velocity', ',input_as_controls=true');
    const server = spawn(process.execPath, [path.join(pageDir, 'serve.mjs'), model, tapModel],
        {env: {...process.env, PORT: '0', MAGENTA_JS_CLIENT: path.resolve(clientDir)}, stdio: ['ignore', 'pipe', 'inherit']});
    const [line] = await require('node:events').once(server.stdout.setEncoding('utf8'), 'data');
    return {server, url: line.trim()};
}

/* A folder that stays behind in /tmp is not a fault of the page. */
function remove(folder) {
    try {
        fs.rmSync(folder, {recursive: true, force: true, maxRetries: 10});
    } catch (error) {
        process.stderr.write(`not removed: ${error.message}\n`);
    }
}

async function main() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'drumline-page-'));
    const {server, url} = await serve(folder);
    const browser = new Browser(path.join(folder, 'profile'));
    const ended = require('node:events').once(browser.process, 'exit');
    try {
        await Promise.race([play(browser, url), ended.then(() => { throw new Error('Chromium has ended'); })]);
    } finally {
        server.kill();
        browser.kill();
        await ended;
        remove(folder);
    }
}

if (!program) {
    process.stdout.write('skipped: Chromium is not installed\n');
    process.exitCode = 77;
} else {
    main().catch(error => {
        process.stderr.write(`${error.stack}\n`);
        process.exitCode = 1;
    });
}
