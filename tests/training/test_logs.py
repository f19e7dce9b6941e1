"""One log for the job, and with --log_dir one for each rank."""
import json
import os
import re
import signal
import socket
import subprocess

import harness

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warning|info|debug) +"


class Logs(harness.TrainingTest):
    def rank_log(self, folder, rank):
        names = [name for name in os.listdir(self.path(folder)) if name.startswith(f"rank-{rank:04d}-")]
        self.assertEqual(names, [f"rank-{rank:04d}-{socket.gethostname()}.log"])
        with open(self.path(folder, names[0]), encoding="utf-8") as file:
            lines = file.read().splitlines()
        for line in lines:
            self.assertRegex(line, "^" + STAMP)
        return [re.sub("^" + STAMP, "", line) for line in lines]

    def test_a_log_for_each_rank(self):
        folder = self.path("deep", "logs")
        flags = {"log_dir": folder, "log_steps": 2, "eval_steps": 4, "log": "error"}
        self.assertEqual(self.train("run", 3, num_steps=4, **flags).output, "")
        self.train("run", 2, num_steps=6, **flags)
        self.assertEqual(len(os.listdir(folder)), 3)
        for rank, starts in ((0, 2), (1, 2), (2, 1)):
            lines = self.rank_log("deep/logs", rank)
            heads = [line for line in lines if line.startswith("---- drumline-train ")]
            self.assertEqual(len(heads), starts)
            self.assertIn(f"rank {rank} of 3, on {socket.gethostname()} number {rank} of 3, process ", heads[0])
            self.assertEqual(lines.count("ends with status 0"), starts)
            self.assertTrue(any(line.startswith("command line: ") and "--num_steps=4" in line for line in lines))
            for step in (2, 4) + (6,) * (starts - 1):
                self.assertTrue(any(line.startswith(f"step {step}/") for line in lines), lines)
            self.assertTrue(any(line.startswith("eval at step 4: ") for line in lines))
            self.assertTrue(any("this rank alone: encoder forward" in line for line in lines))
        self.assertTrue(any(line.startswith("wrote ") for line in self.rank_log("deep/logs", 0)))
        self.check_rank_times("run")

    def check_rank_times(self, run):
        """Of the newest session, of two ranks, in the run's folder and on its page."""
        with open(self.path(run, "train", "rank_times.json"), encoding="utf-8") as file:
            times = json.load(file)
        self.assertEqual((times["from_step"], times["step"], times["waiting"]), (4, 6, "waiting for gradients"))
        self.assertEqual([rank["host"] for rank in times["ranks"]], 2 * [socket.gethostname()])
        for rank in times["ranks"]:
            seconds = dict(zip(times["phases"], rank["seconds"], strict=True))
            self.assertGreater(min(seconds[phase] for phase in ("decoder forward", "optimizer", "checkpoint")), 0)
        page = self.path("page.html")
        subprocess.run([os.path.join(harness.BIN, "drumline-info"), f"--report={page}", self.path(run)],
                       env={**os.environ, "DRUMLINE_SOUNDFONT": "/nowhere"}, check=True, capture_output=True)
        with open(page, encoding="utf-8") as file:
            figure = file.read().split('<figure aria-label="Time by rank">')[1].split("</figure>")[0]
        self.assertEqual(re.findall(r"<tr><th>(\d+) ", figure), ["0", "1"])
        self.assertEqual(set(re.findall(r'title="(.*?):', figure)),
                         {"data", "forward", "backward", "optimizer", "checkpoint", "waiting for other ranks"})

    def test_the_head(self):
        """What the run is made with and on, before its first step."""
        lines = self.train("head", num_steps=1, hparams="learning_rate=0.002").output.splitlines()
        self.assertRegex(lines[0], r"^drumline \d+\.\d+\.\d+, no MPI, OpenBLAS .*; rank 0 on " +
                         re.escape(socket.gethostname()) + ", .+")
        self.assertIn("data set " + os.path.join(harness.DATA, "drums") + "; hparams of groovae_4bar with ", lines[1])
        self.assertIn("learning_rate=0.002", lines[1])

    def test_a_rank_that_fails_and_one_that_is_killed(self):
        flags = {"log_dir": self.path("ends"), "num_steps": 1000000}
        job = self.start("killed", 2, **flags)
        self.wait_for_step(job, "killed", 2)
        harness.signal_to(job.ranks()[1], signal.SIGKILL)
        job.wait()
        self.assertFalse(any(line.startswith("ends with") for line in self.rank_log("ends", 1)))
        self.refuse("killed", "batch_size", ranks=2, hparams="batch_size=5000", **flags)
        for rank in (0, 1):
            lines = self.rank_log("ends", rank)
            self.assertIn("fewer than one batch", lines[-2])
            self.assertEqual(lines[-1], "ends with status 1")

    def test_a_folder_that_can_not_be_written(self):
        with open(self.path("file"), "w", encoding="ascii"):
            pass
        for ranks in (1, 2):
            self.refuse("none", "--log_dir", self.path("file"), ranks=ranks, log_dir=self.path("file"))
        self.assertFalse(os.path.exists(self.path("none")))

    def test_lines_of_one_rank_name_it(self):
        self.train("damaged", num_steps=4, save_checkpoint_steps=2)
        with open(self.checkpoint("damaged", 4), "r+b") as file:
            file.truncate(1000)
        job = self.train("damaged", 2, num_steps=5)
        self.assertRegex(job.output, rf"(?m)^drumline-train: rank 0 \({re.escape(socket.gethostname())}\): "
                                     r"warning: skipping a damaged checkpoint: ")
        message = self.refuse("none", ranks=2, examples_path="/nowhere")
        self.assertRegex(message, rf"^drumline-train: error: rank 0 \({re.escape(socket.gethostname())}\): /nowhere")


if __name__ == "__main__":
    harness.main()
