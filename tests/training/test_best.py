"""RUN/train/best.h5, the model of the lowest val_loss, and --patience."""
import os
import subprocess

import harness

# Nothing is learned and the weight of the KL term grows with every step: the first evaluation is the best.
WORSE = "max_beta=1000,beta_rate=0.99,free_bits=0,learning_rate=1e-9,min_learning_rate=0"


class Best(harness.TrainingTest):
    def best(self, run):
        """The model of best.h5, without its latents, which the end of a training adds."""
        tensors, attributes = harness.read_checkpoint(self.path(run, "train", "best.h5"))
        return {name: value for name, value in tensors.items() if not name.startswith("latents/")}, attributes

    def test_the_lowest_val_loss(self):
        self.train("whole", 2, num_steps=30, eval_steps=5, save_checkpoint_steps=5)
        losses = {line["step"]: line["val_loss"] for line in self.metrics("whole", "eval")}
        tensors, attributes = self.best("whole")
        step = min(losses, key=losses.get)
        self.assertEqual((attributes["step"], attributes["best_step"]), (step, step))
        self.assertLess(abs(attributes["best_val_loss"] / losses[step] - 1), 1e-8)
        self.assertTrue(all(name.startswith("model/") for name in tensors))
        expected = harness.read_checkpoint(self.checkpoint("whole", step))[0]
        for name, value in tensors.items():
            self.assertEqual(value.tobytes(), expected[name].tobytes(), name)
        self.assert_tidy("whole")
        for steps in (12, 30):
            self.train("cut", 2, num_steps=steps, eval_steps=5)
        self.assertEqual(self.best("cut")[1]["best_step"], step)
        for name, value in self.best("cut")[0].items():
            self.assertEqual(value.tobytes(), tensors[name].tobytes(), name)

    def test_averaged_weights(self):
        """What is evaluated is what is kept."""
        self.train("averaged", num_steps=20, eval_steps=5, save_checkpoint_steps=5, hparams="ema_decay=0.9")
        tensors, attributes = self.best("averaged")
        expected = harness.read_checkpoint(self.checkpoint("averaged", attributes["best_step"]))[0]
        self.assertTrue(all(name.startswith("model/") for name in tensors))
        for name, value in tensors.items():
            self.assertEqual(value.tobytes(), expected[name.replace("model/", "ema/")].tobytes(), name)
        self.train("averaged", mode="eval", config=None, hparams=None, num_steps=None, log_steps=None)
        again = self.metrics("averaged", "eval")[-1]
        self.assertEqual(again["step"], attributes["best_step"])
        self.assertLess(abs(again["val_loss"] / attributes["best_val_loss"] - 1), 1e-6)

    def test_patience(self):
        flags = {"hparams": WORSE, "eval_steps": 2, "num_steps": 30}
        job = self.train("patient", 2, patience=3, **flags)
        self.assertIn("ended by --patience at step 8", job.output)
        self.assertEqual(self.events("patient")[-1]["reason"], "patience")
        self.assertEqual(self.checkpoints("patient"), [8])
        attributes = harness.read_checkpoint(self.checkpoint("patient", 8))[1]
        self.assertEqual((attributes["best_step"], attributes["evaluations_since_best"]), (2, 3))
        self.assertEqual(self.best("patient")[1]["step"], 2)
        info = subprocess.run([os.path.join(harness.BIN, "drumline-info"), self.path("patient")], capture_output=True,
                              check=True, text=True)
        self.assertIn("run, done", info.stdout)
        # A second start finds nothing to do; more patience resumes and continues to count.
        self.train("patient", 2, patience=3, **flags)
        self.assertEqual(self.checkpoints("patient"), [8])
        self.train("patient", 2, patience=5, **flags)
        self.assertEqual(self.checkpoints("patient")[-1], 12)
        self.train("patient", 2, num_steps=14, hparams=WORSE, eval_steps=0)
        self.assertEqual(self.checkpoints("patient")[-1], 14)

    def test_patience_needs_evaluations(self):
        self.refuse("refused", "--patience needs evaluations", status=2, patience=2, eval_steps=0)
        self.refuse("refused", "--patience needs evaluations", status=2, patience=2, eval_steps=5, eval_split="test")

    def test_who_takes_it(self):
        self.train("taken", hparams=WORSE, eval_steps=2, num_steps=6)
        for flags, step in (({}, 2), ({"checkpoint": "newest"}, 6)):
            job = self.train("taken", mode="eval", config=None, hparams=None, num_steps=None, log_steps=None, **flags)
            self.assertIn(f"eval at step {step}:", job.output)
            self.assertEqual("best.h5" in job.output, step == 2)
            command = [os.path.join(harness.BIN, "drumline-generate"), "--run_dir", self.path("taken"), "--num_outputs=1",
                       "--output_dir", self.path(f"out{step}"), *(f"--{key}={value}" for key, value in flags.items())]
            job = self.launch(command).wait()
            self.assertEqual(job.status, 0, job.output)
            self.assertIn(f"at step {step},", job.output)
            self.assertEqual("best.h5" in job.output, step == 2)
        with open(self.path("taken", "train", "best.h5"), "r+b") as file:
            file.seek(3000)
            file.write(b"damage")
        job = self.train("taken", mode="eval", config=None, hparams=None, num_steps=None, log_steps=None)
        self.assertIn("using the newest checkpoint instead", job.output)
        self.assertIn("eval at step 6:", job.output)

    def test_new_runs_evaluate(self):
        no_evaluation = "no evaluation: the first is due at step 500"
        self.assertIn(no_evaluation, self.train("new", num_steps=2).output)
        self.assertEqual(harness.read_checkpoint(self.checkpoint("new", 2))[1]["eval_steps"], 500)
        self.assertNotIn(no_evaluation, self.train("new", num_steps=4, eval_steps=1).output)
        self.train("new", num_steps=5)
        self.assertEqual([line["step"] for line in self.metrics("new", "eval")], [3, 4, 5])
        self.train("none", num_steps=2, eval_steps=0)
        self.assertEqual(harness.read_checkpoint(self.checkpoint("none", 2))[1]["eval_steps"], 0)


if __name__ == "__main__":
    harness.main()
