"""tools/measure_start.py: it finds the first step of one rank and of two, and reports a training that can't start."""
import glob
import os
import re
import shutil
import subprocess
import sys
import unittest

import harness

TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "measure_start.py")


class Start(harness.TrainingTest):
    def measure(self, *flags):
        return subprocess.run([sys.executable, TOOL, os.path.join(harness.DATA, "drums"), "--build_dir",
                               os.path.dirname(harness.BIN), "--rounds=1", "--hparams", harness.HPARAMS, *flags],
                              capture_output=True, text=True, check=False, env=self.environment, timeout=harness.LIMIT)

    def seconds(self, output, ranks):
        found = re.search(rf"^from the start to the first step, {ranks} ranks?: median ([0-9.]+) s", output, re.MULTILINE)
        self.assertTrue(found, output)
        self.assertGreater(float(found.group(1)), 0.01)
        return float(found.group(1))

    def test_baseline(self):
        done = self.measure("--baseline_build_dir", os.path.dirname(harness.BIN))
        self.assertEqual(done.returncode, 0, done.stderr)
        seconds = self.seconds(done.stdout, 1)
        baseline = float(re.search(r"baseline: from the start .* median ([0-9.]+) s", done.stdout).group(1))
        ratio = float(re.search(r"ratio to the baseline: median ([0-9.]+)", done.stdout).group(1))
        rounding = 0.0006  # of all three, to 0.001
        self.assertAlmostEqual(ratio, seconds / baseline, delta=rounding * (1 + ratio / seconds + ratio / baseline))

    def test_two_ranks(self):
        """Each shard is opened once, and the index once, whatever the ranks: three shards at two ranks share one at most."""
        opens = ["--opens"] if shutil.which("strace") else []
        done = self.measure("--ranks", "2", "--memory", *opens)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.seconds(done.stdout, 2)
        memory = int(re.search(r"until the first step, 2 ranks: median (\d+) MiB", done.stdout).group(1))
        self.assertTrue(10 < memory < 1000, done.stdout)
        if opens:
            opened = int(re.search(r"data set opened: (\d+) ", done.stdout).group(1))
            files = len(os.listdir(os.path.join(harness.DATA, "drums")))
            per_file = 1  # the seal is checked and HDF5 reads through one descriptor
            self.assertTrue(per_file * files <= opened <= per_file * (files + 1), done.stdout)

    @unittest.skipUnless(shutil.which("strace"), "needs strace")
    def test_one_rank_reads_the_checkpoint(self):
        """On resume and for --init_checkpoint; the others get it from that rank."""
        self.train("first", num_steps=2)
        for run, flags in (("first", {"num_steps": 3}),
                           ("other", {"num_steps": 1, "init_checkpoint": self.checkpoint("first", 2)})):
            trace = self.path(f"trace-{run}")
            script = 'exec strace -f -e trace=openat -o "$0.${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" "$@"'
            words = [harness.MPIEXEC, "-n", "3", "sh", "-c", script, trace, *self.arguments(run, **flags)]
            job = self.launch(words).wait()
            self.assertEqual(job.status, 0, job.output)
            readers = 0
            traces = glob.glob(trace + ".*")
            self.assertEqual(len(traces), 3)
            for path in traces:
                with open(path, encoding="utf-8", errors="replace") as file:
                    readers += any("checkpoint-00000002.h5" in line and "O_RDONLY" in line for line in file)
            self.assertEqual(readers, 1)

    def test_refusal(self):
        done = self.measure("--config", "nothing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no such config", done.stderr)


if __name__ == "__main__":
    harness.main()
