"""The whole way with real drumming: the Groove MIDI data set, where it is there ($DRUMLINE_GROOVE_DIR, or
shared/groove beside the source tree)."""
import os
import subprocess

import harness

BESIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared", "groove")
GROOVE = os.environ.get("DRUMLINE_GROOVE_DIR", BESIDE)


class Groove(harness.TrainingTest):
    @harness.unittest.skipUnless(os.path.isdir(GROOVE), "the Groove data set is not here: set DRUMLINE_GROOVE_DIR")
    def test_three_steps(self):
        data = self.path("data")
        subprocess.run([os.path.join(harness.BIN, "drumline-preprocess"), "--input_dir", GROOVE, "--output_dir", data,
                        "--is_beat=True", "--beat=4-4", "--recursive", "--log=warning"],
                       check=True, env=self.environment)
        flags = {"examples_path": data, "config": "groovae_4bar", "hparams": "hop_bars=4,batch_size=33"}
        job = self.train("run", 2, num_steps=3, eval_steps=3, **flags)
        self.assertIn("4078 training windows of 4 bars", job.output)
        self.assertTrue(all(0 < losses[0] < 2000 for losses in self.losses("run").values()))
        job = self.train("run", 2, mode="eval", **flags)
        self.assertIn("on 504 windows of the validation split", job.output)
        first, second = self.metrics("run", "eval")
        self.assertLess(abs(second["val_loss"] / first["val_loss"] - 1), 1e-5)


if __name__ == "__main__":
    harness.main()
