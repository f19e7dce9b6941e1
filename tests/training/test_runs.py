"""What a run leaves: metrics, checkpoints and their pruning, evaluations; and a new run from another's weights."""
import os
import signal
import time

import harness

STEP_KEYS = {"step", "time", "loss", "hits_loss", "velocities_loss", "offsets_loss", "kl_bits", "hits_f1", "beta",
             "learning_rate", "grad_norm", "windows_per_second", "step_time", "wait_share", "seconds_left", "epoch",
             "skipped_steps"}
EVAL_KEYS = {"step", "time", "split", "beta", "val_loss", "val_hits_loss", "val_velocities_loss", "val_offsets_loss",
             "val_kl_bits", "val_hits_f1"}
EVENT_KEYS = {"event", "step", "num_steps", "time", "num_ranks"}
START_KEYS = EVENT_KEYS | {"host", "pid"}


class Metrics(harness.TrainingTest):
    def test_lines(self):
        job = self.train("run", 2, num_steps=10, log_steps=4, eval_steps=5)
        lines = self.metrics("run")
        self.assertEqual([(line.get("event"), line["step"]) for line in lines],
                         [("start", 0), (None, 4), (None, 8), (None, 10), ("end", 10)])
        self.assertEqual(lines[0].keys(), START_KEYS)
        self.assertEqual(lines[0]["num_steps"], 10)
        self.assertEqual(lines[-1].keys(), EVENT_KEYS | {"reason"})
        for line in lines[1:-1]:
            self.assertEqual(line.keys(), STEP_KEYS)
            self.assertTrue(0 <= line["wait_share"] <= 1 and line["windows_per_second"] > 0)
            # The objective counts the KL above free_bits, in nats.
            kl = max(0, line["kl_bits"] - 0.5) * 0.6931471805599453
            total = line["hits_loss"] + line["velocities_loss"] + line["offsets_loss"] + line["beta"] * kl
            self.assertLess(abs(line["loss"] / total - 1), 1e-3)
        evaluations = self.metrics("run", "eval")
        self.assertEqual([line["step"] for line in evaluations], [5, 10])
        for line in evaluations:
            self.assertEqual(line.keys(), EVAL_KEYS)
        self.assertRegex(job.output, r"(?m)^step 4/10  loss [0-9.]+  hits_loss [0-9.]+  velocities_loss [0-9.]+  "
                                     r"offsets_loss [0-9.]+  kl_bits [0-9.]+  hits_f1 [0-9.]+  beta 0\.2  "
                                     r"learning_rate 0\.01  grad_norm [0-9.]+  windows_per_second [0-9.]+  "
                                     r"wait_share [0-9.]+  left 0:00:0[0-9]$")

    def test_a_line_is_the_mean_of_its_steps(self):
        self.train("each", num_steps=6, log_steps=1)
        self.train("mean", num_steps=6, log_steps=3)
        each, mean = self.losses("each"), self.losses("mean")
        for last in (3, 6):
            for i in range(1, 4): # loss and kl_bits are not linear in the sums
                expected = sum(each[step][i] for step in range(last - 2, last + 1)) / 3
                self.assertLess(abs(mean[last][i] / expected - 1), 1e-6)

    def test_hparams_may_change_on_resuming(self):
        self.train("changed", num_steps=3)
        job = self.train("changed", num_steps=6, hparams="learning_rate=0.005")
        self.assertIn("from here on learning_rate is 0.005, no longer 0.01", job.output)
        rates = {line["step"]: line["learning_rate"] for line in self.metrics("changed") if "event" not in line}
        self.assertLess(abs(rates[4] / 0.005 - 1), 1e-3)
        self.assertLess(abs(rates[3] / 0.01 - 1), 1e-3)


class Checkpoints(harness.TrainingTest):
    def test_newest_are_kept(self):
        self.train("newest", num_steps=11, save_checkpoint_steps=2, checkpoints_to_keep=3)
        self.assertEqual(self.checkpoints("newest"), [8, 10, 11])

    def test_one_for_every_few_hours_is_kept(self):
        self.train("hours", num_steps=8, save_checkpoint_steps=2)
        for step, hours in ((2, 5), (4, 4.5), (6, 3), (8, 2.5)):
            past = time.time() - hours * 3600
            os.utime(self.checkpoint("hours", step), (past, past))
        self.train("hours", num_steps=9, checkpoints_to_keep=1, keep_checkpoint_every_n_hours=1)
        self.assertEqual(self.checkpoints("hours"), [2, 6, 9])

    def test_by_time(self):
        job = self.start("time", num_steps=1000000, save_checkpoint_secs=0.3)
        harness.wait_until(lambda: len(self.checkpoints("time")) >= 3, harness.LIMIT, "three checkpoints")
        for pid in job.ranks():
            harness.signal_to(pid, signal.SIGTERM)
        job.wait()
        self.assertEqual(job.status, 3, job.output)
        self.assertEqual(self.checkpoints("time")[-1], self.events("time")[-1]["step"])

    def test_new_run_from_weights(self):
        self.train("old", num_steps=60)
        weights = self.checkpoint("old", 60)
        flags = {"num_steps": 3, "seed": 4}
        self.train("fresh", 2, **flags)
        job = self.train("begun", 2, init_checkpoint=weights, **flags)
        self.assertIn(f"initial weights from {weights}", job.output)
        self.assertEqual((self.events("begun")[0]["event"], self.events("begun")[0]["step"]), ("start", 0))
        begun, fresh = self.losses("begun"), self.losses("fresh")
        self.assertEqual(set(begun), {1, 2, 3})
        self.assertLess(begun[1][0], 0.8 * fresh[1][0])
        attributes = harness.read_checkpoint(self.checkpoint("begun", 3))[1]
        self.assertEqual((attributes["updates"], attributes["seed"]), (3, 4))
        job = self.train("begun", 2, init_checkpoint=weights, num_steps=5)
        self.assertIn("--init_checkpoint is not used", job.output)
        self.assertEqual(set(self.losses("begun")), set(range(1, 6)))


class Evaluation(harness.TrainingTest):
    def assert_same_line(self, line, expected, tolerance):
        self.assertEqual(line["step"], expected["step"])
        for name in EVAL_KEYS - {"step", "time", "split"}:
            error = abs(line[name] - expected[name]) / max(abs(expected[name]), 1e-3)
            self.assertTrue(error <= tolerance, f"{name}: {line[name]}, not {expected[name]}")

    def test_mode_eval_agrees_with_eval_steps(self):
        flags = {"config": "groovae_4bar_flat"}
        self.train("run", 2, num_steps=30, save_checkpoint_steps=20, eval_steps=10, **flags)
        evaluations = {line["step"]: line for line in self.metrics("run", "eval")}
        self.assertEqual(set(evaluations), {10, 20, 30})
        for ranks in (1, 3):
            job = self.train("run", ranks, mode="eval", config=None, hparams=None, num_steps=None, log_steps=None,
                             checkpoint="newest")
            self.assertIn("eval at step 30", job.output)
            self.assert_same_line(self.metrics("run", "eval")[-1], evaluations[30], 1e-5)
        self.train("run", mode="eval", checkpoint_file=self.checkpoint("run", 20), micro_batch_size=3, **flags)
        self.assert_same_line(self.metrics("run", "eval")[-1], evaluations[20], 1e-5)
        attributes = harness.read_checkpoint(self.checkpoint("run", 30))[1]
        self.assertEqual(attributes["val_step"], 20 + 10)
        self.assertLess(abs(attributes["val_hits_loss"] / evaluations[30]["val_hits_loss"] - 1), 1e-6)
        self.assertNotIn("end", [line.get("event") for line in self.metrics("run", "eval")])

    def test_splits_differ(self):
        self.train("splits", num_steps=5)
        for split in ("train", "validation", "test"):
            job = self.train("splits", mode="eval", eval_split=split, config=None)
            self.assertRegex(job.output, f"groovae_4bar at step 5 on [0-9]+ windows of the {split} split")
        lines = self.metrics("splits", "eval")
        self.assertEqual([line["split"] for line in lines], ["train", "validation", "test"])
        self.assertEqual(len({line[prefix + "hits_loss"] for line, prefix in zip(lines, ("train_", "val_", "test_"))}), 3)

    def test_without_a_run(self):
        """A checkpoint alone can be evaluated; nothing is written then."""
        self.train("alone", num_steps=2)
        job = self.train("alone", mode="eval", run_dir=None, config=None, checkpoint_file=self.checkpoint("alone", 2))
        self.assertIn("eval at step 2", job.output)
        self.assertFalse(os.path.exists(self.path("alone", "eval")))

    def test_while_a_training_goes_on(self):
        job = self.start("live", num_steps=1000000, save_checkpoint_steps=3, checkpoints_to_keep=60)
        self.wait_for_step(job, "live", 10)
        for _ in range(3):
            self.train("live", 2, mode="eval")
        self.assertIsNone(job.process.poll())
        job.kill()


if __name__ == "__main__":
    harness.main()
