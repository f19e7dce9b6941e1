"""A training that is preempted again and again, in every way there is, ends at the weights of one that never was."""
import random
import signal

import harness


class Preempted(harness.TrainingTest):
    STEPS = 200
    RANKS = 2
    # The last moment leaves fifty steps, so that the job has not ended before the signal comes.
    LAST_MOMENT = 150

    def preempt(self, job, way, moments):
        """Ends the job; True where it was warned and so had the time to write a checkpoint."""
        if way == "SIGKILL":
            job.kill()
            return False
        ranks = job.ranks()
        victims = {"SIGUSR1 to mpirun": [job.process.pid], "SIGTERM to a rank": [moments.choice(ranks)],
                   "SIGTERM to all ranks": ranks}[way]
        number = signal.SIGUSR1 if way.startswith("SIGUSR1") else signal.SIGTERM
        for victim in victims:
            harness.signal_to(victim, number)
        job.wait()
        self.assertNotEqual(job.status, 0, job.output)
        return True

    def starts(self, run):
        """How often the run was begun or gone on with; safe while a line is being written."""
        try:
            with open(self.path(run, "train", "metrics.jsonl"), "rb") as file:
                return sum(b'"start"' in line or b'"resume"' in line for line in file if line.endswith(b"\n"))
        except FileNotFoundError:
            return 0

    def test_five_random_moments(self):
        moments = random.Random(20)
        flags = {"num_steps": self.STEPS, "save_checkpoint_steps": 7, "checkpoints_to_keep": 3}
        ways = ["SIGKILL", "SIGTERM to a rank", "SIGUSR1 to mpirun", "SIGTERM to all ranks", "SIGKILL"]
        moments.shuffle(ways)
        self.train("whole", self.RANKS, **flags)
        for step, way in zip(sorted(moments.sample(range(5, self.LAST_MOMENT), len(ways))), ways):
            before = self.starts("broken")
            job = self.start("broken", self.RANKS, **flags)
            # Steps at and above the resumption's may be on file from before: its own line comes first.
            harness.wait_until(lambda: self.starts("broken") > before or job.process.poll() is not None,
                               harness.LIMIT, "the job's start")
            self.wait_for_step(job, "broken", step)
            self.assertIsNone(job.process.poll(), f"the job ended before its time at step {step}")
            warned = self.preempt(job, way, moments)
            end = self.events("broken")[-1]
            self.assertEqual(end["event"] == "end", warned, job.output)
            if warned:
                self.assertEqual(self.checkpoints("broken")[-1], end["step"])
                self.assert_tidy("broken")
        job = self.train("broken", self.RANKS, **flags)
        self.assertIn("resuming from", job.output)
        self.assertEqual(self.starts("broken"), 1 + len(ways))
        self.assert_bit_identical(self.checkpoint("broken", self.STEPS), self.checkpoint("whole", self.STEPS))
        self.assertEqual(self.losses("broken")[self.STEPS], self.losses("whole")[self.STEPS])
        self.assertEqual(self.checkpoints("broken"), self.checkpoints("whole"))
        self.assert_tidy("broken")


if __name__ == "__main__":
    harness.main()
