"""What large batches are trained with: LAMB, warm-up, scaled learning rates, gradients gathered in goes."""
import harness

LARGE = "optimizer=lamb,weight_decay=0.01,learning_rate=0.05,warmup_steps=10,learning_rate_scaling=sqrt," \
        "reference_batch_size=52"
# Hparams that came after the first checkpoints were written.
LATER = {"micro_batches", "optimizer", "weight_decay", "warmup_steps", "learning_rate_scaling", "reference_batch_size",
         "precision"}


class LargeBatches(harness.TrainingTest):
    def test_ranks_and_micro_batches_change_nothing(self):
        jobs = {"one": (1, 1), "three": (3, 1), "one-in-goes": (1, 5), "two-in-goes": (2, 3)}
        for run, (ranks, micro_batches) in jobs.items():
            self.train(run, ranks, num_steps=20, hparams=f"{LARGE},micro_batches={micro_batches}")
        first = self.losses("one")
        self.assertLess(first[20][0], 0.95 * first[1][0], "nothing was learnt, so nothing was compared")
        for run in jobs:
            self.assert_same_losses(self.losses(run), first, range(1, 21))

    def test_the_rate_warms_up_and_is_scaled(self):
        self.train("run", num_steps=12, hparams=f"{LARGE},decay_rate=1")
        rates = {line["step"]: line["learning_rate"] for line in self.metrics("run") if "event" not in line}
        for step in range(1, 13):
            self.assertAlmostEqual(rates[step], 0.05 / 2 * min(1, step / 10), 8) # sqrt(13 / 52)

    def test_going_on_is_the_same_bit_for_bit(self):
        flags = {"num_steps": 200, "save_checkpoint_steps": 20, "hparams": f"{LARGE},micro_batches=3"}
        self.train("lamb", 2, **flags)
        job = self.start("lamb-broken", 2, **flags)
        harness.wait_until(lambda: harness.os.path.exists(self.checkpoint("lamb-broken", 20)), harness.LIMIT,
                           "the first checkpoint")
        job.kill()
        self.assertLess(self.checkpoints("lamb-broken")[-1], 200, "the job ended before it could be killed")
        flags["hparams"] = "learning_rate=0.05" # all else is the checkpoint's
        self.train("lamb-broken", 2, **flags)
        self.assert_bit_identical(self.checkpoint("lamb-broken", 200), self.checkpoint("lamb", 200))

    def test_a_checkpoint_of_before(self):
        """It lacks the hparams that came later, and resumes as it would have then."""
        flags = {"num_steps": 12, "save_checkpoint_steps": 6}
        self.train("whole", **flags)
        harness.os.makedirs(self.path("before", "train"))
        with harness.h5py.File(self.checkpoint("whole", 6), "r") as now, \
                harness.h5py.File(self.checkpoint("before", 6), "w") as before:
            for name in now:
                now.copy(name, before)
            self.assertLessEqual(LATER, set(now.attrs))
            for name in set(now.attrs) - LATER:
                before.attrs.create(name, now.attrs[name], dtype=now.attrs.get_id(name).dtype)
        job = self.train("before", **flags)
        self.assertIn("resuming from", job.output)
        self.assertNotIn("from here on", job.output)
        self.assert_bit_identical(self.checkpoint("before", 12), self.checkpoint("whole", 12))

    def test_the_optimizer_may_change_on_resuming(self):
        self.train("changed", num_steps=5)
        job = self.train("changed", num_steps=8, hparams="optimizer=lamb,weight_decay=0.01")
        self.assertIn("from here on optimizer is lamb, no longer adam", job.output)
        self.refuse("changed", "--hparams", "weight_decay=0.01 needs optimizer=lamb", num_steps=9,
                    hparams="optimizer=adam")


if __name__ == "__main__":
    harness.main()
