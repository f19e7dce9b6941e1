"""SIGKILL to the whole job at random moments: the same command ends at the same weights, bit for bit."""
import random

import harness


class Kill(harness.TrainingTest):
    STEPS = 40

    def kill_and_finish(self, run, ranks, kills, seed, **flags):
        """Kills the job `kills` times: once while it starts, then a moment after steps drawn at random."""
        moments = random.Random(seed)
        steps = [-1] + sorted(moments.randrange(1, self.STEPS - 1) for _ in range(kills - 1))
        killed = 0
        for step in steps:
            job = self.start(run, ranks, **flags)
            if step >= 0:
                self.wait_for_step(job, run, step)
            try:
                job.process.wait(moments.uniform(0, 0.4 if step < 0 else 0.02))
            except harness.subprocess.TimeoutExpired:
                killed += 1
            job.kill()
        self.assertGreaterEqual(killed, kills - 1, "jobs ended before they could be killed")
        job = self.train(run, ranks, **flags)
        self.assertIn("resuming from", job.output)
        self.assert_tidy(run)

    def check(self, config, ranks, kills, seed):
        whole, broken = f"{config}-{ranks}-whole", f"{config}-{ranks}-broken"
        flags = {"config": config, "save_checkpoint_steps": 2, "checkpoints_to_keep": 3, "num_steps": self.STEPS}
        self.train(whole, ranks, **flags)
        self.assert_tidy(whole)
        self.assertEqual(self.checkpoints(whole), [36, 38, 40])
        self.kill_and_finish(broken, ranks, kills, seed, **flags)
        self.assert_bit_identical(self.checkpoint(broken, 40), self.checkpoint(whole, 40))
        self.assertEqual(self.losses(broken)[40], self.losses(whole)[40])

    def test_one_process(self):
        self.check("groovae_2bar_tap_fixed_velocity_note_dropout", 1, 7, seed=1)

    def test_two_ranks(self):
        self.check("groovae_4bar", 2, 5, seed=2)

    def test_three_ranks(self):
        self.check("groovae_4bar_flat", 3, 4, seed=3)

    def test_another_number_of_ranks_goes_on(self):
        flags = {"num_steps": 20, "save_checkpoint_steps": 5}
        self.train("whole", **flags)
        job = self.start("changed", 3, **flags)
        self.wait_for_checkpoint(job, "changed", 5)
        job.kill()
        self.train("changed", 2, **flags)
        self.assertEqual(self.events("changed")[-1]["num_ranks"], 2)
        resumed = [line for line in self.events("changed") if line["event"] == "resume"]
        self.assertGreaterEqual(resumed[-1]["step"], 5)
        self.assert_same_losses(self.losses("changed"), self.losses("whole"), range(1, 21))
        self.assert_tidy("changed")


if __name__ == "__main__":
    harness.main()
