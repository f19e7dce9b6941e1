"""One rank, without MPI's launcher, with what runs beside its steps: checkpoints, logs, a signal. In the build with
ThreadSanitizer a data race ends the program with status 66."""
import os
import signal
import unittest

import harness
from test_stall import can_inject


STALL = 6  # --stall_seconds


class Threads(harness.TrainingTest):
    def test_one_rank(self):
        self.train("whole", num_steps=20, save_checkpoint_steps=1, checkpoints_to_keep=2, eval_steps=5, threads=1,
                   log_dir=self.path("logs"), log="debug")
        self.assertEqual(self.checkpoints("whole"), [19, 20])

    def test_stopped_and_resumed(self):
        job = self.start("stopped", num_steps=1000000, save_checkpoint_steps=3, threads=1)
        self.wait_for_checkpoint(job, "stopped", 3)
        harness.signal_to(job.process.pid, signal.SIGTERM)
        self.assertEqual(job.wait().status, 3, job.output)
        step = self.checkpoints("stopped")[-1]
        self.train("stopped", num_steps=step + 5, save_checkpoint_steps=2)
        self.assertEqual(self.checkpoints("stopped")[-1], step + 5)

    def test_several_threads(self):
        """Those that encode, decode and draw samples."""
        self.train("several", num_steps=2, threads=1)
        job = self.launch([harness.TRAIN, "--mode=eval", "--run_dir", self.path("several"), "--examples_path",
                           os.path.join(harness.DATA, "drums"), "--num_samples=20", "--threads=2"]).wait()
        self.assertEqual(job.status, 0, job.output)

    @unittest.skipUnless("TSAN_OPTIONS" in os.environ, "test_stall does the same in other builds")
    def test_stalled(self):
        """The watchdog ends the job, beside a writer that waits for its disk."""
        if not can_inject():
            self.skipTest("no strace that may delay system calls")
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject=fsync:delay_enter={3 * STALL}000000"]
        job = self.launch(command + self.arguments("stalled", num_steps=3, stall_seconds=STALL, threads=1)).wait()
        self.assertEqual(job.status, 1, job.output)
        self.assertEqual(self.events("stalled")[-1]["reason"], "stalled", job.output)


if __name__ == "__main__":
    harness.main()
