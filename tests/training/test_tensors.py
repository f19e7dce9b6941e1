"""--log_tensors: norms by tensor; and a number that is not finite is traced to its tensor."""
import json
import math

import harness
from test_models import copy_model


class Tensors(harness.TrainingTest):
    def lines(self, run):
        with open(self.path(run, "train", "tensors.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_norms(self):
        self.train("plain", 2, num_steps=4, log_steps=2)
        self.train("run", 2, num_steps=4, log_steps=2, log_tensors=True)
        total = {line["step"]: line["grad_norm"] for line in self.metrics("run") if "event" not in line}
        lines = self.lines("run")
        self.assertEqual([line["step"] for line in lines], [2, 4])
        for line in lines:
            norms = [value for name, value in line.items() if name != "step"]
            self.assertIn("decoder/output/kernel", line)
            self.assertIn("conductor/layer_0/kernel", line)
            whole = math.sqrt(sum(one["grad_norm"] ** 2 for one in norms))
            self.assertLess(abs(whole / total[line["step"]] - 1), 1e-5)
            for one in norms:
                self.assertGreater(one["update_norm"], 0)
                self.assertGreater(one["norm"], 0)
        self.assert_same_losses(self.losses("run"), self.losses("plain"), (2, 4), 0)

    def test_where_a_nan_began(self):
        """Weights that are finite and too large: what they are multiplied with is not."""
        self.train("before", num_steps=1, save_checkpoint_steps=1)

        def enlarge(model):
            model["model/decoder/output/kernel"][...] = 3e38
        large = self.path("large.h5")
        copy_model(self.checkpoint("before", 1), large, change=enlarge)
        job = self.start("nan", num_steps=40, init_checkpoint=large).wait()
        self.assertEqual(job.status, 1, job.output)
        self.assertRegex(job.output, r"warning: step 1 skipped: the gradient of [a-z_0-9/]+ is not finite, the first in")
        self.assertIn("diverged", job.output)


if __name__ == "__main__":
    harness.main()
