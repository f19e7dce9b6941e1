"use strict";
// Makes the report's charts interactive and moves the cursors of its players. Without it the page shows the same, at rest.
(() => {
    const element = document.getElementById("metrics");
    if (!element) return;
    const data = JSON.parse(element.textContent), svgSpace = "http://www.w3.org/2000/svg";
    const W = 360, H = 190, L = 50, R = 8, T = 8, B = 22;

    const make = (name, attributes, parent, text) => {
        const node = document.createElementNS(svgSpace, name);
        for (const key in attributes) node.setAttribute(key, attributes[key]);
        if (text !== undefined) node.textContent = text;
        if (parent) parent.appendChild(node);
        return node;
    };
    const format = x => x === null || x === undefined ? "-" :
        Math.abs(x) >= 1e5 || (x !== 0 && Math.abs(x) < 1e-3) ? x.toExponential(2) : String(+x.toPrecision(5));

    // The least of 1, 2, 5, 10 ... times a power of ten that is not below `least`.
    const roundTick = least => {
        const power = 10 ** Math.floor(Math.log10(least));
        return [1, 2, 5].map(step => step * power).find(step => step >= least * (1 - 1e-9)) || 10 * power;
    };

    // An exponential moving average; `weight` of what came before is kept.
    const smooth = (points, weight) => {
        let last = null;
        return points.map(([x, y]) => [x, last = last === null ? y : weight * last + (1 - weight) * y]);
    };

    const points = name => {
        const values = data.columns[name], out = [];
        for (let i = 0; i < data.steps.length; i++)
            if (values[i] !== null) out.push([data.steps[i], values[i]]);
        return out;
    };

    const draw = (figure, options) => {
        const names = figure.dataset.series.split(" "), all = names.map(points);
        const flat = all.flat(), usable = options.log ? flat.filter(p => p[1] > 0) : flat;
        const svg = figure.querySelector("svg"), readout = figure.querySelector(".value");
        svg.replaceChildren();
        if (!usable.length) return;
        const scale = y => options.log ? Math.log10(y) : y;
        const xs = flat.map(p => p[0]), ys = usable.map(p => scale(p[1]));
        const x0 = Math.min(...xs), x1 = Math.max(...xs, x0 + 1);
        let y0 = Math.min(...ys), y1 = Math.max(...ys);
        if (!(y1 > y0)) { const pad = Math.abs(y0) * 0.05; y1 += pad || 1; y0 -= pad; }
        const tick = options.log ? (y1 - y0) / 4 : roundTick((y1 - y0) / 4);
        if (!options.log) { y0 = Math.floor(y0 / tick + 1e-9) * tick; y1 = Math.ceil(y1 / tick - 1e-9) * tick; }
        const px = x => L + (x - x0) / (x1 - x0) * (W - L - R), py = y => T + (y1 - scale(y)) / (y1 - y0) * (H - T - B);
        for (let i = 0; i <= Math.round((y1 - y0) / tick); i++) {
            const y = Math.abs(y0 + i * tick) < 1e-9 * tick ? 0 : y0 + i * tick, at = T + (y1 - y) / (y1 - y0) * (H - T - B);
            make("line", {class: "gridline", x1: L, x2: W - R, y1: at, y2: at}, svg);
            make("text", {x: L - 4, y: at + 3, "text-anchor": "end"}, svg, format(options.log ? 10 ** y : y));
        }
        make("text", {x: L, y: H - 6}, svg, format(x0));
        make("text", {x: W - R, y: H - 6, "text-anchor": "end"}, svg, format(x1));
        for (const step of data.restarts)
            if (step > x0 && step < x1) make("line", {class: "restart", x1: px(step), x2: px(step), y1: T, y2: H - B}, svg);
        const path = ps => ps.filter(p => !options.log || p[1] > 0).map(p => px(p[0]).toFixed(1) + "," + py(p[1]).toFixed(1)).join(" ");
        all.forEach((ps, i) => {
            const style = `--colour: var(--s${i % 4})`;
            if (options.smooth > 0 && ps.length > 2) make("polyline", {class: "raw", style, points: path(ps)}, svg);
            make("polyline", {class: "series", style, points: path(options.smooth > 0 ? smooth(ps, options.smooth) : ps)}, svg);
            if (ps.length === 1) make("circle", {class: "dot", style, cx: px(ps[0][0]), cy: py(ps[0][1]), r: 3}, svg);
        });
        const cursor = make("line", {class: "cursor", y1: T, y2: H - B, visibility: "hidden"}, svg);
        const steps = [...new Set(xs)].sort((a, b) => a - b);
        const show = step => {
            cursor.setAttribute("x1", px(step));
            cursor.setAttribute("x2", px(step));
            cursor.setAttribute("visibility", "visible");
            readout.textContent = `step ${step}: ` + names.map((name, i) => {
                const hit = all[i].find(p => p[0] === step);
                return hit ? `${name} ${format(hit[1])}` : "";
            }).filter(Boolean).join(", ");
            figure.dataset.at = steps.indexOf(step);
        };
        svg.onpointermove = event => {
            const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * W;
            const wanted = x0 + (x - L) / (W - L - R) * (x1 - x0);
            show(steps.reduce((best, step) => Math.abs(step - wanted) < Math.abs(best - wanted) ? step : best, steps[0]));
        };
        figure.onkeydown = event => {
            const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
            if (!by) return;
            event.preventDefault();
            const at = figure.dataset.at === undefined ? (by > 0 ? -1 : steps.length) : +figure.dataset.at;
            show(steps[Math.min(steps.length - 1, Math.max(0, at + by))]);
        };
    };

    const figures = [...document.querySelectorAll("figure[data-series]")];
    const log = document.getElementById("log"), smoothing = document.getElementById("smoothing");
    const redraw = () => figures.forEach(figure => draw(figure, {log: log.checked, smooth: +smoothing.value}));
    log.onchange = smoothing.oninput = redraw;
    document.getElementById("controls").hidden = false;
    figures.forEach(figure => figure.tabIndex = 0);
    redraw();
})();

for (const roll of document.querySelectorAll(".roll")) {
    const audio = roll.querySelector("audio"), head = roll.querySelector(".playhead");
    if (!audio) continue;
    const box = roll.querySelector(".scroll"), svg = box.querySelector("svg");
    const left = +roll.dataset.left, width = +roll.dataset.width, seconds = +roll.dataset.seconds;
    const move = () => {
        const x = left + Math.min(1, audio.currentTime / seconds) * width;
        head.setAttribute("x1", x);
        head.setAttribute("x2", x);
        head.setAttribute("visibility", audio.currentTime > 0 && !audio.ended ? "visible" : "hidden");
        if (box.scrollWidth > box.clientWidth) box.scrollLeft = x / svg.viewBox.baseVal.width * svg.clientWidth - box.clientWidth / 2;
        if (!audio.paused && !audio.ended) requestAnimationFrame(move);
    };
    audio.onplay = () => {
        for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
        move();
    };
    audio.onseeked = audio.onended = audio.onpause = move;
}
