"""A representation is a row of a table, its converter and its heads: programs linked with a second one
(tests/representation/tables.c) make data sets, train, resume, evaluate and generate with it."""
import json
import os
import subprocess

import harness

SECOND = os.environ["DRUMLINE_SECOND_BIN"]
PULSE = "representation=pulse,hop_bars=1"


class Representation(harness.TrainingTest):
    def second(self, name, *arguments, ranks=1):
        return self.launch([os.path.join(SECOND, name), *arguments], ranks).wait()

    def succeed(self, name, *arguments, ranks=1):
        job = self.second(name, *arguments, ranks=ranks)
        self.assertEqual(job.status, 0, job.output)
        return job.output

    def make_data(self, representation):
        data = self.path(f"data-{representation}")
        if not os.path.exists(data):
            if not os.path.exists(self.path("midi")):
                subprocess.run([os.path.join(harness.BIN, "drumline-drummers"), "--output_dir", self.path("midi"),
                                "--num_performances=12", "--seed=7", "--log=warning"], check=True)
            self.succeed("drumline-preprocess", "--input_dir", self.path("midi"), "--output_dir", data, "--recursive",
                         "--is_beat=True", "--beat=4-4", f"--representation={representation}", ranks=2)
        return data

    def second_train(self, run, ranks=1, **flags):
        arguments = self.arguments(run, **flags)
        job = self.launch([os.path.join(SECOND, "drumline-train"), *arguments[1:]], ranks).wait()
        return job

    def test_trains_resumes_and_generates(self):
        flags = {"examples_path": self.make_data("pulse"), "hparams": PULSE, "eval_steps": 4}
        for run, steps in (("whole", 8), ("cut", 4), ("cut", 8)):
            job = self.second_train(run, 2, num_steps=steps, **flags)
            self.assertEqual(job.status, 0, job.output)
        self.assert_bit_identical(self.checkpoint("cut", 8), self.checkpoint("whole", 8))
        lines = [line for line in self.metrics("whole") if "event" not in line]
        self.assertEqual(len(lines), 8)
        # 16 steps of three levels: ln 3 each before anything is learned, and less afterwards.
        self.assertLess(abs(lines[0]["level_loss"] / 17.58 - 1), 0.1)
        self.assertLess(lines[-1]["level_loss"], lines[0]["level_loss"])
        self.assertNotIn("hits_loss", lines[0])
        self.assertIn("val_level_loss", self.metrics("whole", "eval")[-1])
        tensors, attributes = harness.read_checkpoint(self.checkpoint("whole", 8))
        self.assertEqual(attributes["representation"], "pulse")
        self.assertIn("val_level_loss", attributes)
        self.assertEqual(tensors["model/decoder/output/kernel"].shape[1], 3)
        one = self.second_train("one", 1, num_steps=8, **flags)
        self.assertEqual(one.status, 0, one.output)
        for first, second in zip([line for line in self.metrics("one") if "event" not in line], lines):
            self.assertLess(abs(first["loss"] / second["loss"] - 1), 1e-4)
        self.assertIn("level", self.succeed("drumline-info", self.path("whole")))
        self.check_generation()

    def check_generation(self):
        out = self.path("generated")
        for number, mode in enumerate((["sample", "--num_outputs=5", "--temperature=1"],
                                       ["reconstruct", "--input_midi_1", None, "--input_bar_1=1"])):
            if None in mode:
                mode[mode.index(None)] = os.path.join(out + "0", sorted(os.listdir(out + "0"))[0])
            self.succeed("drumline-generate", "--run_dir", self.path("whole"), f"--mode={mode[0]}", *mode[1:], "--seed=1",
                         "--output_dir", f"{out}{number}")
        self.assertEqual(len(os.listdir(out + "0")), 5)
        described = subprocess.run([os.path.join(SECOND, "drumline-info"), "--json", self.checkpoint("whole", 8)],
                                   check=True, stdout=subprocess.PIPE)
        self.assertEqual(json.loads(described.stdout)["hparams"]["representation"], "pulse")

    def test_what_does_not_fit_is_refused(self):
        groove, pulse = self.make_data("groove"), self.make_data("pulse")
        for data, hparams, words in ((groove, PULSE, "the data set's representation is groove, the model's pulse"),
                                     (pulse, None, "the data set's representation is pulse, the model's groove"),
                                     (pulse, PULSE + ",humanize=true", "representation=pulse has none of humanize")):
            job = self.second_train("refused", examples_path=data, hparams=hparams, num_steps=2)
            self.assert_refused(job, words)
        job = self.second_train("run", examples_path=groove, num_steps=2)
        self.assertEqual(job.status, 0, job.output)
        self.assert_refused(self.second_train("run", examples_path=pulse, num_steps=3), "representation is pulse")
        # The programs of users know nothing of it.
        self.refuse("other", "representation=pulse: ", "groove", examples_path=pulse, num_steps=2)


if __name__ == "__main__":
    harness.main()
