"""The number of ranks, and of windows that a rank takes at a time, changes nothing but the order of sums."""
import os

import harness


class Ranks(harness.TrainingTest):
    STEPS = range(1, 21)

    def check(self, config, jobs, **flags):
        """The first job (its ranks, its micro-batch) against the others."""
        all_losses = []
        for ranks, micro_batch in jobs:
            run = f"{self.id()}-{ranks}-{micro_batch}"
            self.train(run, ranks, config=config, num_steps=20, micro_batch_size=micro_batch, bucket_kib=4, **flags)
            all_losses.append(self.losses(run))
            self.assertEqual(set(all_losses[-1]), set(self.STEPS))
        first = all_losses[0]
        self.assertLess(first[20][0], 0.95 * first[1][0], "nothing was learnt, so nothing was compared")
        for losses in all_losses[1:]:
            self.assert_same_losses(losses, first, self.STEPS)
        return first

    def test_hierarchical_decoder(self):
        self.check("groovae_4bar", [(1, None), (2, None), (3, None), (4, None), (1, 4), (2, 3)])

    def test_flat_decoder(self):
        first = self.check("groovae_4bar_flat", [(1, None), (2, None), (3, None), (4, None), (1, 5), (3, 2)])
        self.train("other-seed", config="groovae_4bar_flat", num_steps=2, seed=1)
        with self.assertRaises(AssertionError):
            self.assert_same_losses(self.losses("other-seed"), first, range(1, 3), tolerance=1e-3)

    def test_note_dropout(self):
        self.check("groovae_2bar_tap_fixed_velocity_note_dropout", [(1, None), (2, None), (3, 2), (4, None)])

    def test_controls_and_scheduled_sampling(self):
        self.check("groovae_2bar_hits_control", [(1, None), (3, 3)],
                   hparams="sampling_schedule=inverse_sigmoid,sampling_rate=20")

    def test_augmentation_and_dropout_of_the_decoders_input(self):
        hparams = ("augment_drop_class=0.5,dropout_keep_prob=0.9,prev_keep_prob=0.1,context_keep_prob=1,"
                   "tempo_control=true,velocity_l1=0.3")
        self.check("groovae_2bar_hits_control", [(1, None), (3, 2)], hparams=hparams, eval_steps=10)
        evaluations = [self.metrics(f"{self.id()}-{name}", "eval")[-1] for name in ("1-None", "3-2")]
        self.assertLess(abs(evaluations[1]["val_loss"] / evaluations[0]["val_loss"] - 1), 1e-4)
        self.train("resumed", config="groovae_2bar_hits_control", num_steps=10, hparams=hparams)
        self.train("resumed", config="groovae_2bar_hits_control", num_steps=20, hparams=hparams, bucket_kib=4)
        self.train("whole", config="groovae_2bar_hits_control", num_steps=20, hparams=hparams)
        self.assert_bit_identical(self.checkpoint("resumed", 20), self.checkpoint("whole", 20))

    def test_the_input_as_controls(self):
        """A tap model that is given the taps at each step; it plays to an input, and to nothing else."""
        self.check("groovae_2bar_tap_fixed_velocity", [(1, None), (3, 2)],
                   hparams="input_as_controls=true,tempo_control=true,prev_keep_prob=0.1,context_keep_prob=1,"
                           "max_note_dropout=0.5")
        self.train("plain", config="groovae_2bar_humanize", num_steps=2)
        generate = os.path.join(harness.BIN, "drumline-generate")
        job = self.launch([generate, "--run_dir", self.path("plain"), "--num_outputs=1", "--temperature=3", "--seed=1",
                           "--output_dir", self.path("taps")]).wait()
        self.assertEqual(job.status, 0, job.output)
        taps = os.path.join(self.path("taps"), os.listdir(self.path("taps"))[0])
        command = [generate, "--run_dir", self.path(f"{self.id()}-1-None"), "--num_outputs=2", "--seed=1"]
        job = self.launch(command + ["--output_dir", self.path("refused")]).wait()
        self.assertEqual(job.status, 2, job.output)
        self.assertIn("needs an input: give --input_midi_1", job.output)
        job = self.launch(command + ["--mode=reconstruct", "--input_midi_1", taps, "--input_bar_1=1", "--output_dir",
                                     self.path("played")]).wait()
        self.assertEqual(job.status, 0, job.output)
        self.assertEqual(len(os.listdir(self.path("played"))), 2)

    def test_epochs_end(self):
        """Batches so large that an epoch holds four of them."""
        self.check("groovae_4bar", [(1, None), (3, 32)], hparams="batch_size=151")
        last = self.metrics(f"{self.id()}-3-32")[-2]
        self.assertEqual((last["step"], last["epoch"]), (20, 4))


if __name__ == "__main__":
    harness.main()
