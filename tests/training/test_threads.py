"""One rank, without MPI's launcher, with what runs beside its steps: checkpoints, logs, a signal. In the build with
ThreadSanitizer a data race ends the program with status 66."""
import signal

import harness


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


if __name__ == "__main__":
    harness.main()
