"""Training with bf16 products: how near it stays to float32, and that a run may go from one to the other."""
import harness

# What rounding does to the loss of a step, beside what 20 steps of learning do to it (a tenth and more).
NEAR = 0.01


class Precision(harness.TrainingTest):
    def test_the_loss_stays_near_that_of_float32(self):
        for decoder in ("flat", "hierarchical"):
            hparams = f"decoder={decoder}"
            self.train(f"{decoder}-float32", num_steps=20, hparams=hparams)
            self.train(f"{decoder}-bf16", num_steps=20, hparams=f"{hparams},precision=bf16")
            exact, rounded = self.losses(f"{decoder}-float32"), self.losses(f"{decoder}-bf16")
            self.assertLess(exact[20][0], 0.95 * exact[1][0], "nothing was learnt, so nothing was compared")
            self.assertNotEqual(exact[20], rounded[20], "nothing was rounded")
            for step in range(1, 21):
                self.assertLess(abs(rounded[step][0] / exact[step][0] - 1), NEAR, f"{decoder}, step {step}")

    def test_ranks_and_micro_batches_change_little(self):
        """A window's factors are rounded alike wherever it is, so only sums differ, and now and then a rounding."""
        hparams = "precision=bf16"
        self.train("one", 1, num_steps=10, hparams=hparams)
        self.train("three", 3, num_steps=10, hparams=f"{hparams},micro_batches=2")
        for step, losses in self.losses("one").items():
            self.assertLess(abs(self.losses("three")[step][0] / losses[0] - 1), NEAR, f"step {step}")

    def test_the_same_bits_again_and_after_a_resume(self):
        flags = {"num_steps": 12, "save_checkpoint_steps": 6, "hparams": "precision=bf16"}
        self.train("whole", 2, **flags)
        self.train("parts", 2, **(flags | {"num_steps": 6}))
        self.train("parts", 2, **(flags | {"hparams": "precision=bf16"}))
        self.assert_bit_identical(self.checkpoint("parts", 12), self.checkpoint("whole", 12))

    def test_a_run_may_change_its_precision(self):
        job = self.train("run", num_steps=4, hparams="precision=bf16")
        self.assertEqual(job.output.count("precision=bf16: ") + job.output.count("precision=bf16 is emulated"), 1,
                         "how bf16 GEMMs are made is printed once")
        with harness.h5py.File(self.checkpoint("run", 4)) as file:
            self.assertEqual(file.attrs["precision"], b"bf16")
        job = self.train("run", num_steps=6, hparams="precision=float32")
        self.assertIn("from here on precision is float32, no longer bf16", job.output)
        self.assertNotIn("emulated", job.output)
        job = self.train("run", num_steps=8, hparams="precision=bf16")
        self.assertIn("from here on precision is bf16, no longer float32", job.output)

    def test_no_other_precision(self):
        self.refuse("none", "bf16", status=2, num_steps=1, hparams="precision=float16")


if __name__ == "__main__":
    harness.main()
