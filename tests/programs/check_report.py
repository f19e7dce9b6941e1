#!/usr/bin/env python3
"""check_report.py BIN_DIR RUN DATASET: drumline-info --report and --csv on a run's folder, --report on a data set,
a sweep and a checkpoint, and the pages in headless Chromium where there is one.

The numbers in the page and in the CSV are those of metrics.jsonl; the page fetches nothing; with its script the charts are
drawn and a player plays; without it they are there too."""
import csv
import html.parser
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile

OLD_NAMES = {"total_loss": "loss", "global_norm": "grad_norm", "seconds_per_step": "step_time", "skipped": "skipped_steps"}
# Played, stopped, and moved to 2 s: what the page shows then.
PROBE = """new Promise((resolve, reject) => {
    const series = document.querySelectorAll("figure[data-series] polyline.series").length;
    const audio = document.querySelector("audio"), head = document.querySelector(".playhead");
    const show = () => resolve([series, audio ? audio.duration : 0, head ? +head.getAttribute("x1") : 0,
        head ? head.getAttribute("visibility") : ""]);
    if (!audio) return show();
    audio.play().then(() => {
        audio.pause();
        audio.addEventListener("seeked", show);
        audio.currentTime = 2;
    }).catch(reject);
})"""


WIDTH_AND_MARKS = """[document.documentElement.scrollWidth,
    document.querySelectorAll("polyline, rect.column, .stack i, .roll rect").length]"""


def fail(message):
    sys.exit(f"FAILED: {message}")


def info(bin_dir, *arguments, status=0):
    result = subprocess.run([os.path.join(bin_dir, "drumline-info"), *arguments], capture_output=True, text=True)
    if result.returncode != status:
        fail(f"drumline-info {' '.join(arguments)} ended with {result.returncode}: {result.stderr}")
    return result


def expected(run):
    """(step, column) -> number, from the files themselves."""
    numbers = {}
    for part, prefix in (("train", ""), ("eval", "val_")):
        path = os.path.join(run, part, "metrics.jsonl")
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            for line in map(json.loads, file):
                if "event" in line:
                    continue
                for key, value in line.items():
                    name = OLD_NAMES.get(key, key)
                    gauge = prefix and name == "beta"
                    if isinstance(value, (int, float)) and key != "step":
                        name = name if gauge or name.startswith(prefix) else prefix + name
                        numbers[line["step"], name] = value
    return numbers


def compare(found, wanted, what):
    if not found:
        fail(f"{what} has no numbers")
    for place, value in wanted.items():
        if place not in found:
            fail(f"{what} lacks {place}")
        if not math.isclose(found[place], value, rel_tol=1e-6, abs_tol=1e-12):
            fail(f"{what} has {found[place]} at {place}, not {value}")
    if len(found) != len(wanted):
        fail(f"{what} has {len(found)} numbers, not {len(wanted)}")


def numbers_of_page(page):
    data = json.loads(re.search(r'id="metrics">(.*?)</script>', page, re.S).group(1))
    return {(step, name): value for name, values in data["columns"].items()
            for step, value in zip(data["steps"], values, strict=True) if value is not None}


def numbers_of_csv(text):
    rows = list(csv.DictReader(io.StringIO(text)))
    return {(int(row["step"]), name): float(value) for row in rows for name, value in row.items()
            if name != "step" and value}


class Parser(html.parser.HTMLParser):
    """Collects what the page would fetch, and its charts."""

    def __init__(self):
        super().__init__()
        self.fetched, self.charts, self.lines = [], 0, 0

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        for name in ("src", "href", "srcset", "poster", "data", "action"):
            value = attributes.get(name)
            if value and not value.startswith(("data:", "#")):
                self.fetched.append(value)
        self.charts += tag == "figure" and "data-series" in attributes
        self.lines += tag == "polyline"


def parse(page):
    """A page that must fetch nothing and be markup where we wrote markup alone."""
    parser = Parser()
    parser.feed(page)
    if parser.fetched:
        fail(f"the page fetches {parser.fetched}")
    if "default-src 'none'" not in page:
        fail("the page has no content security policy")
    return parser


class Browser:
    """Chromium, spoken to through pipes by its DevTools protocol: every wait is for an answer or an event."""

    def __init__(self, program, folder):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()

        def place_pipes():
            os.dup2(theirs_in, 203)
            os.dup2(theirs_out, 204)
            os.dup2(203, 3)
            os.dup2(204, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
             "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe"],
            preexec_fn=place_pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.to, self.back = os.fdopen(ours_out, "wb"), os.fdopen(ours_in, "rb")
        self.number, self.events = 0, []

    def receive(self):
        message = bytearray()
        while (byte := self.back.read(1)) != b"\0":
            if not byte:
                fail("Chromium ended")
            message += byte
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self.to.write(json.dumps(message).encode() + b"\0")
        self.to.flush()
        while (answer := self.receive()).get("id") != self.number:
            self.events.append(answer["method"])
        if "error" in answer:
            fail(f"{method}: {answer['error']}")
        return answer["result"]

    def wait_for(self, event):
        while event not in self.events:
            self.events.append(self.receive().get("method"))

    def close(self):
        """With its own children, which would write on into its folder after a kill."""
        self.call("Browser.close")
        self.process.wait()


def load(browser, session, path):
    browser.events.clear()
    browser.call("Page.navigate", session, url="file://" + path)
    browser.wait_for("Page.loadEventFired")


def evaluate(browser, session, expression):
    answer = browser.call("Runtime.evaluate", session, expression=expression, awaitPromise=True, returnByValue=True)
    if "exceptionDetails" in answer:
        fail(f"in the page: {answer['exceptionDetails']}")
    return answer["result"]["value"]


def in_browser(path, page, others, folder):
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        print("skipped: no Chromium to open the page in")
        return
    browser = Browser(program, folder)
    try:
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.call("Page.enable", session)
        load(browser, session, path)
        series, seconds, x, visibility = evaluate(browser, session, PROBE)
        browser.call("Emulation.setDeviceMetricsOverride", session, width=400, height=800, deviceScaleFactor=1, mobile=True)
        for name in [path, *others]:
            load(browser, session, name)
            width, drawn = evaluate(browser, session, WIDTH_AND_MARKS)
            if width > 400 or drawn < 2:
                fail(f"{name} is {width} pixels wide on a telephone, and draws {drawn} marks")
    finally:
        browser.close()
    if series < 10:
        fail(f"only {series} curves are drawn")
    if "<audio" in page and not (seconds > 3 and x > 84 and visibility == "visible"):
        fail(f"a player does not play: {seconds} s, cursor at {x}, {visibility}")
    print(f"in Chromium: {series} curves, audio of {seconds:.1f} s, cursor at {x:.0f}")


def report(bin_dir, path, what):
    info(bin_dir, f"--report={path}", what)
    with open(path, encoding="utf-8") as file:
        return file.read()


def figure(page, title):
    """The bars of a figure: label -> number."""
    part = page.split(f'<figure aria-label="{title}">')[1].split("</figure>")[0]
    return {label: int(number) for label, number in
            re.findall(r'<tr><th>(.*?)<td>.*?</div><td class="number">(\d+)<', part)}


def check_ranks(bin_dir, path, run):
    """Of 50 ranks the busiest and the least busy are shown, and the slowest is named; a file that is none does no harm. The
    run's name and the hosts' are escaped."""
    name = os.path.join(run, "train", "rank_times.json")
    ranks = [{"host": "<b>host", "seconds": [10 + i % 49, 80 - i % 49, 10 if i != 30 else 40]} for i in range(50)]
    with open(name, "w", encoding="utf-8") as file:
        json.dump({"from_step": 0, "step": 9, "phases": ["data", "waiting for gradients", 40 * "é"],
                   "waiting": "waiting for gradients", "ranks": ranks}, file)
    page = report(bin_dir, path + ".odd", run)
    parse(page)
    figure_of_ranks = page.split('<figure aria-label="Time by rank">')[1].split("</figure>")[0]
    shown = [int(number) for number in re.findall(r"<tr><th>(\d+) ", figure_of_ranks)]
    if len(shown) != 32 or shown[0] != 30 or shown[-1] != 49 or "Slowest: rank 30 (" not in page:
        fail(f"the page has the ranks {shown}")
    if "<b>&'run" in page or "<b>host" in page:
        fail("the run's name or a host's is not escaped")
    if "rank 30 (<b>host), for which the others wait" not in info(bin_dir, run).stdout.replace("\n" + 14 * " ", " "):
        fail("drumline-info does not name the slowest rank")
    phase = json.loads(info(bin_dir, "--json", run).stdout)["slowest_rank"]["phase"]
    if len(phase) < 20:
        fail(f"the phase of a name that is too long is '{phase}'")
    with open(name, "w", encoding="utf-8") as file:
        file.write("[]")
    if "rank_times.json: " not in report(bin_dir, path + ".odd", run):
        fail("the page does not say what is wrong with rank_times.json")


def check_dataset(bin_dir, dataset, folder):
    """The page's numbers are --json's, and a histogram holds every hit."""
    path, seen = os.path.join(folder, "data.html"), json.loads(info(bin_dir, "--json", dataset).stdout)
    page = report(bin_dir, path, dataset)
    parse(page)
    hits = sum(split["hits"] for split in seen["splits"].values())
    drums, styles = figure(page, "Drums, by hits"), figure(page, "Styles")
    if sum(drums.values()) != hits or len(drums) != 9 or next(iter(drums)) != "crash":
        fail(f"the page has the hits {drums}, not {hits}")
    if styles != {name or "(unknown)": sum(splits.values()) for name, splits in seen["styles"].items()}:
        fail(f"the page has the styles {styles}, not {seen['styles']}")
    for title in ("Velocity", "Timing, in sixteenths"):
        part = page.split(f'<figure aria-label="{title}">')[1].split("</figure>")[0]
        if sum(int(number) for number in re.findall(r": (\d+) \(", part)) != hits:
            fail(f"the histogram of {title} has not {hits} hits")
    if report(bin_dir, path, os.path.join(dataset, "index.h5")).split("<body>")[1].split("Written")[0] != \
            page.split("<body>")[1].split("Written")[0]:
        fail("the page of index.h5 is another one")
    preprocess = os.path.join(bin_dir, "drumline-preprocess")
    if not os.path.exists(preprocess):
        return path
    notes = b"".join(bytes([0, 0x99, pitch, 100, 60, 0x89, pitch, 0]) for pitch in (36, 38, 24, 24) * 8)
    files, odd = os.path.join(folder, "midi"), os.path.join(folder, "<b>&'odd")
    os.mkdir(files)
    for name, part in (("kit", notes + b"\0\xff\x2f\0"), ("none", b"\0\xff\x2f\0")):
        with open(os.path.join(files, f"{name}.mid"), "wb") as file:
            file.write(b"MThd\0\0\0\6\0\0\0\1\0\x78MTrk" + len(part).to_bytes(4, "big") + part)
    result = subprocess.run([preprocess, f"--input_dir={files}", f"--output_dir={odd}"], capture_output=True, text=True)
    if result.returncode != 0:
        fail(f"drumline-preprocess: {result.stderr}")
    page = report(bin_dir, path, odd)
    parse(page)
    if "<b>&'odd" in page:
        fail("the data set's name is not escaped")
    if '<td class="number">24<td>C1<td class="number">16<td class="number">1</tr>' not in page:
        fail("the page lacks the lost pitch 24")
    if not re.search(r'<td class="number">1<td>files or performances<td class="wide">[a-z ]*drums', page):
        fail("the page lacks the file without drums")
    return path


def check_sweep(bin_dir, run, folder):
    """Two copies of the run, of which the second has the lower val_loss."""
    sweep = os.path.join(folder, "sweep")
    b = "b, a run with a name of forty characters"
    for name, val_loss in (("a, first", 600.5), (b, 300.25)):
        shutil.copytree(run, os.path.join(sweep, name))
        with open(os.path.join(sweep, name, "eval", "metrics.jsonl"), "w", encoding="utf-8") as file:
            file.write(json.dumps({"step": 12345, "split": "validation", "val_loss": val_loss}) + "\n")
            file.write(json.dumps({"step": 20000, "split": "validation", "val_loss": val_loss + 1}) + "\n")
    seen = json.loads(info(bin_dir, "--json", sweep).stdout)
    ranked = [(row["run"], row["val_loss"], row["best_step"], row["step"]) for row in seen["runs"]]
    if seen["kind"] != "sweep" or ranked != [(b, 300.25, 12345, 8), ("a, first", 600.5, 12345, 8)]:
        fail(f"the sweep is ranked {ranked}")
    if seen["differing"] != []:
        fail(f"equal runs differ in {seen['differing']}")
    rows = list(csv.DictReader(io.StringIO(info(bin_dir, "--csv", sweep).stdout)))
    if [(row["run"], float(row["val_loss"])) for row in rows] != [(b, 300.25), ("a, first", 600.5)]:
        fail(f"the sweep's CSV is {rows}")
    path = os.path.join(folder, "sweep.html")
    page = report(bin_dir, path, sweep)
    parse(page)
    rows = re.findall(r'<tr><td class="number">(\d)<td>.*?</span></span>(.*?)<td class="number">([0-9.]+)<', page)
    if rows != [("1", b, "300.25"), ("2", "a, first", "600.5")]:
        fail(f"the sweep's page has {rows}")
    curves = re.findall(r'<polyline class="series" style="--colour: var\(--s(\d)\)" points="([^"]*)"', page)
    if [(number, len(points.split())) for number, points in curves] != [("0", 2), ("1", 2)]:
        fail(f"the sweep's page has the curves {curves}")
    text = info(bin_dir, sweep).stdout
    if "sweep of 2 runs" not in text or b not in text or "12345" not in text or text.index("300.2") > text.index("600.5"):
        fail(f"the sweep's table is {text}")
    return path


def check_model(bin_dir, run, folder):
    """The card of a checkpoint: its parameters, hparams and tensors are --json's; samples are drawn."""
    checkpoint = os.path.join(run, "train", max(name for name in os.listdir(os.path.join(run, "train"))
                                                if name.startswith("checkpoint-")))
    path, seen = os.path.join(folder, "model.html"), json.loads(info(bin_dir, "--json", checkpoint).stdout)
    page = report(bin_dir, path, checkpoint)
    parse(page)
    for text in (f"<b>Parameters</b>{seen['num_parameters']}<", f"<b>z_size</b>{seen['hparams']['z_size']}<",
                 f"{len(seen['tensors'])} tensors", "Not measured", seen["content_sha256"]):
        if text not in page:
            fail(f"the model's page lacks {text}")
    if page.count('<figure class="roll"') != 9:
        fail(f"the model's page has {page.count('<figure class=')} figures, not 9 drum rolls")
    sample, *_, first, _, _, _, _ = [re.findall(r'<rect style=.*?>', part) for part in page.split('<figure class="roll"')[1:]]
    if not sample or sample != first:
        fail(f"the interpolation from sample 1 begins with the hits {first}, not {sample}")
    return path


def main():
    bin_dir, run, dataset = sys.argv[1:]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # Chromium's helpers may still write to its profile
        path = os.path.join(folder, "run.html")
        page = report(bin_dir, path, run)
        wanted = expected(run)
        compare(numbers_of_page(page), wanted, "the page")
        compare(numbers_of_csv(info(bin_dir, "--csv", run).stdout), wanted, "the CSV")
        parser = parse(page)
        if parser.charts < 10 or parser.lines < parser.charts:
            fail(f"without its script the page has {parser.charts} charts, {parser.lines} lines")
        # A name that would be markup is text.
        odd = os.path.join(folder, "<b>&'run")
        shutil.copytree(run, odd)
        check_ranks(bin_dir, path, odd)
        empty = os.path.join(folder, "empty")
        os.mkdir(empty)
        for flag in (f"--report={path}.none", "--csv"):
            message = info(bin_dir, flag, empty, status=1).stderr
            if "is not a run folder" not in message and "is neither a data set" not in message:
                fail(f"{flag} of no run says: {message}")
        if os.path.exists(path + ".none"):
            fail("a refused report left a file")
        others = [check_sweep(bin_dir, run, folder), check_dataset(bin_dir, dataset, folder),
                  check_model(bin_dir, run, folder)]
        in_browser(path, page, others, folder)


main()
