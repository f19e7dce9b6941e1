"""tools/measure_start.py: it finds the first step of one rank and of two, and tells of a training that can't start."""
import os
import re
import subprocess
import sys

import harness

TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "measure_start.py")


class Start(harness.TrainingTest):
    def measure(self, *flags):
        return subprocess.run([sys.executable, TOOL, os.path.join(harness.DATA, "drums"), "--build_dir",
                               os.path.dirname(harness.BIN), "--rounds=1", "--hparams", harness.HPARAMS, *flags],
                              capture_output=True, text=True, check=False, env=self.environment, timeout=harness.LIMIT)

    def test_figures(self):
        for ranks in (1, 2):
            done = self.measure("--ranks", str(ranks))
            self.assertEqual(done.returncode, 0, done.stderr)
            found = re.search(r"first step, (\d) ranks?: median ([0-9.]+) s", done.stdout)
            self.assertEqual(int(found.group(1)), ranks)
            self.assertGreater(float(found.group(2)), 0.01)

    def test_refusal(self):
        done = self.measure("--config", "nothing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no such config", done.stderr)


if __name__ == "__main__":
    harness.main()
