/* node serve.mjs MODEL [TAP_MODEL]: serves the page on this machine alone, and prints its address.
 *
 * MODEL and TAP_MODEL are folders that drumline-train --format=magenta_js wrote: one that generates, and one that makes drums of
 * taps. PORT in the environment chooses the port; 0 is any that is free. */
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const [model, tapModel] = process.argv.slice(2);
if (!model) {
    process.stderr.write('usage: node serve.mjs MODEL [TAP_MODEL]\n');
    process.exit(2);
}

/* What lies where: the page's own files, the library, and the models. */
const folders = {
    '/models/generate/': path.resolve(model),
    '/models/tap/': tapModel && path.resolve(tapModel),
    '/library/': path.join(process.env.MAGENTA_JS_CLIENT || here, 'node_modules/@magenta/music/dist'),
    '/': path.join(here, 'page'),
};
const types = {'.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json'};
const headers = {
    /* The page can load nothing from elsewhere. The library makes functions from text, and a timer from a blob. */
    'Content-Security-Policy': "default-src 'self'; script-src 'self' 'unsafe-eval' blob:; worker-src blob:; img-src 'self' data:",
    'Cache-Control': 'no-cache',
    Connection: 'close',
};

function findFile(url) {
    const name = path.posix.normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname));
    const [prefix, folder] = Object.entries(folders).find(([start]) => name.startsWith(start));
    return folder && path.join(folder, name.slice(prefix.length) || 'index.html');
}

const server = http.createServer((request, response) => {
    let file;
    try {
        file = findFile(request.url);
    } catch {
        file = undefined; /* an address that can't be decoded */
    }
    fs.readFile(file || '', (error, bytes) => {
        response.writeHead(error ? 404 : 200, {...headers, 'Content-Type': types[path.extname(file || '')] || 'application/octet-stream'});
        response.end(error ? 'not found\n' : bytes);
    });
});
server.on('error', error => {
    process.stderr.write(`serve.mjs: ${error.message}\n`);
    process.exit(1);
});
server.listen(Number(process.env.PORT || 8080), '127.0.0.1', () => {
    process.stdout.write(`http://127.0.0.1:${server.address().port}/\n`);
});
