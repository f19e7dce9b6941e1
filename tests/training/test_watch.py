"""drumline-info on a running training, and its --watch on a terminal and without one."""
import ctypes
import fcntl
import itertools
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time

import harness

INFO = os.path.join(harness.BIN, "drumline-info")
ENTER, LEAVE = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"
END = b"<end of what the command wrote>"


class Terminal:
    """A command on a terminal of its own of so many rows and columns."""

    def __init__(self, test, command, rows=24, columns=80, term="xterm"):
        self.test = test
        self.main, self.side = pty.openpty()
        self.resize(rows, columns)
        self.output = b""
        self.process = subprocess.Popen(command, stdin=self.side, stdout=self.side, stderr=self.side,
                                        start_new_session=True, env=dict(os.environ, TERM=term))
        os.set_blocking(self.main, False)
        test.addCleanup(self.close)

    def resize(self, rows, columns):
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        try:
            while part := os.read(self.main, 1 << 16):
                self.output += part
        except (BlockingIOError, OSError):
            pass
        return self.output

    def wait_for(self, text, count=1):
        harness.wait_until(lambda: self.read().count(text) >= count, harness.LIMIT, f"{text} in {self.output}")

    def send(self, number, which):
        """A signal to one of the command's threads, which the kernel chooses for a signal to the process: the first one or,
        where OpenBLAS has made others, the last."""
        threads = [int(name) for name in os.listdir(f"/proc/{self.process.pid}/task")]
        self.test.assertEqual(ctypes.CDLL(None).tgkill(self.process.pid, which(threads), number), 0)

    def wait(self):
        """To its end, and to the end of what it wrote, which the terminal may hand on a moment later: behind it comes a word
        of our own."""
        status = self.process.wait(harness.LIMIT)
        os.write(self.side, END)
        harness.wait_until(lambda: self.read().endswith(END), harness.LIMIT, f"the end of {self.output}")
        self.output = self.output[:-len(END)]
        return status

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.side)
        os.close(self.main)


def frames(output):
    """The pages that were drawn, each as its lines without what clears and moves."""
    page = output.split(ENTER)[1].split(LEAVE)[0]
    return [re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", frame.replace(b"\r", b"")).split(b"\n") for frame in page.split(b"\x1b[H")[1:]]


class Watch(harness.TrainingTest):
    def info(self, *arguments, status=0):
        result = subprocess.run([INFO, *arguments], capture_output=True, text=True, check=False, timeout=harness.LIMIT)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def describe(self, run, status=0):
        return json.loads(self.info("--json", self.path(run), status=status).stdout)

    def test_the_story_of_a_run(self):
        """Killed, halted and gone on with, on other numbers of ranks, and looked at all the while."""
        flags = {"num_steps": 1000000, "save_checkpoint_steps": 4}
        job = self.start("story", 2, **flags)
        self.wait_for_step(job, "story", 10)
        seen = self.describe("story")
        self.assertEqual((seen["state"], seen["holder"]["alive"]), ("running", True))
        self.assertIn(seen["holder"]["pid"], job.ranks())
        self.assertGreaterEqual(seen["progress"]["step"], 10)
        self.assertIn("runs on     2 ranks", self.info(self.path("story")).stdout)
        job.kill()
        last = self.last_step("story")
        seen = self.describe("story")
        self.assertEqual((seen["state"], seen["progress"]["step"], seen["holder"]["alive"]), ("killed", last, False))
        self.info("--watch", self.path("story"), status=1)
        job = self.start("story", 1, **flags)
        self.wait_for_step(job, "story", last + 5)
        harness.signal_to(job.process.pid, signal.SIGTERM)
        self.assertEqual(job.wait().status, 3, job.output)
        self.info("--watch", self.path("story"), status=3)
        self.train("story", 3, num_steps=self.last_step("story") + 5)
        seen = self.describe("story")
        sessions = seen["sessions"]
        self.assertEqual([session.get("reason") for session in sessions], [None, "SIGTERM", "num_steps"])
        self.assertEqual([session["num_ranks"] for session in sessions], [2, 1, 3])
        self.assertEqual(sessions[0].get("steps_lost", 0), last - sessions[1]["from_step"])
        self.assertEqual((seen["state"], seen["progress"]["step"]), ("done", seen["progress"]["num_steps"]))
        words = self.info(self.path("story")).stdout
        self.assertIn("restarts    2, after 1 halt, 1 kill; ", words)
        self.assertIn("100 %, ", words)

    def test_a_failure_tells_its_reason(self):
        job = self.start("failed", num_steps=1000000, save_checkpoint_steps=20)
        self.wait_for_step(job, "failed", 1)
        os.mkdir(self.checkpoint("failed", 20))
        self.assertEqual(job.wait().status, 1, job.output)
        seen = self.describe("failed")
        self.assertEqual(seen["state"], "failed")
        self.assertIn(self.checkpoint("failed", 20), seen["sessions"][-1]["message"])
        self.info("--watch", self.path("failed"), status=1)

    def test_without_a_terminal(self):
        os.makedirs(self.path("piped", "train"))
        watch = self.launch([INFO, "--watch=0.1", self.path("piped")], launcher=False)
        self.train("piped", num_steps=60)
        watch.wait()
        self.assertEqual(watch.status, 0, watch.output)
        lines = watch.output.splitlines()
        self.assertRegex(lines[0], "/piped: (not begun|starting)")
        self.assertRegex(lines[-1], r"^\S+Z .*/piped: done, step 60/60 \(100 %\), loss [0-9.]+$")
        self.assertNotIn("\x1b", watch.output)

    def test_on_a_terminal(self):
        job = self.start("shown", num_steps=1000000)
        self.wait_for_step(job, "shown", 3)
        screen = Terminal(self, [INFO, "--watch=0.1", self.path("shown")], rows=10, columns=40)
        screen.wait_for(b"\x1b[H", 3)
        screen.resize(50, 100)
        screen.wait_for(b"\x1b[H", 6)
        for frame in (frames(screen.output)[0], frames(screen.output)[-1]):
            self.assertTrue(frame[1].startswith(b"  progress    ["), frame)
        self.assertTrue(frames(screen.output)[-1][0].endswith(b"/shown: run, running"), screen.output)
        self.assertLessEqual(len(frames(screen.output)[0]), 10)
        self.assertTrue(all(len(line) <= 40 for line in frames(screen.output)[0]))
        self.assertGreater(len(frames(screen.output)[-1]), 10)
        self.assertFalse(any(b" |" in line for line in frames(screen.output)[0]), "no room for the curves")
        # The last frame may be read before all of it is there.
        self.assertEqual(max(sum(b" |" in line for line in frame) for frame in frames(screen.output)), 16, screen.output)
        harness.signal_to(job.process.pid, signal.SIGTERM)
        self.assertEqual(job.wait().status, 3, job.output)
        self.assertEqual(screen.wait(), 3)
        self.assertTrue(screen.output.startswith(ENTER))
        after = screen.output.split(LEAVE)
        self.assertEqual(len(after), 2)
        self.assertIn(b"halted      by SIGTERM", after[1])

    def test_signals_give_the_terminal_back(self):
        os.makedirs(self.path("waiting", "train"))
        for number, which in itertools.product((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), (min, max)):
            screen = Terminal(self, [INFO, "--watch=60", self.path("waiting")])
            screen.wait_for(b"not begun")
            screen.send(number, which)
            self.assertEqual(screen.wait(), -number)
            self.assertTrue(screen.output.endswith(LEAVE), screen.output)
        screen = Terminal(self, [INFO, "--watch=60", self.path("waiting")], rows=5, columns=30)
        screen.wait_for(b"not begun")
        screen.resize(40, 120)
        screen.process.send_signal(signal.SIGWINCH) # the kernel sends it to a terminal's own session alone
        screen.wait_for(b"not begun", 2)
        screen.process.send_signal(signal.SIGKILL)
        screen.wait()

    def test_stopped_and_continued(self):
        os.makedirs(self.path("stopped", "train"))
        screen = Terminal(self, [INFO, "--watch=60", self.path("stopped")])
        screen.wait_for(b"not begun")
        # Nobody watches the orphaned group of a terminal of its own, so the stop itself is not taken there.
        screen.process.send_signal(signal.SIGTSTP)
        screen.wait_for(ENTER, 2)
        self.assertEqual(screen.output.count(LEAVE), 1)
        screen.process.send_signal(signal.SIGCONT)
        screen.wait_for(b"not begun", 2)
        self.assertIsNone(screen.process.poll())

    def test_a_terminal_that_can_not_draw(self):
        self.train("dumb", num_steps=2)
        screen = Terminal(self, [INFO, "--watch", self.path("dumb")], term="dumb")
        self.assertEqual(screen.wait(), 0)
        self.assertNotIn(b"\x1b", screen.output)

    def test_refusals(self):
        os.makedirs(self.path("empty"))
        self.assertIn("is not a run folder", self.info("--watch", self.path("empty"), status=1).stderr)
        self.assertIn("nowhere: no such folder", self.info("--watch", self.path("nowhere"), status=1).stderr)
        for arguments in (["--watch"], ["--watch", "a", "b"], ["--watch", "--json", "a"], ["--watch=-1", "a"],
                          ["--watch=x", "a"], ["--watch", "--hparams"]):
            self.info(*arguments, status=2)
        with open("/dev/full", "w", encoding="ascii") as full:
            self.train("full", num_steps=2)
            result = subprocess.run([INFO, "--watch", self.path("full")], stdout=full, stderr=subprocess.PIPE,
                                    text=True, check=False, timeout=harness.LIMIT)
        self.assertEqual(result.returncode, 1)
        self.assertIn("standard output", result.stderr)


if __name__ == "__main__":
    harness.main()
