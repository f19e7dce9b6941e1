"""--prune: a run of a sweep that falls behind the others is stopped, and shown so."""
import csv
import io
import json
import os
import shutil
import subprocess

import harness

INFO = os.path.join(harness.BIN, "drumline-info")
FLAGS = {"num_steps": 12, "eval_steps": 2, "fit_latents": "false"}
PRUNES = {"prune": "true", "prune_warmup_steps": 4, "prune_min_runs": 2, **FLAGS}
LEARNS_NOTHING = "learning_rate=1e-9,min_learning_rate=0"


def info(*arguments):
    return subprocess.run([INFO, *arguments], capture_output=True, check=True, text=True).stdout


class Pruning(harness.TrainingTest):
    def val_losses(self, run):
        return {line["step"]: line["val_loss"] for line in self.metrics(run, "eval")}

    def mean(self, run, step):
        """Of a run's val_loss up to a step."""
        losses = [loss for at, loss in self.val_losses(run).items() if at <= step]
        return sum(losses) / len(losses)

    def test_a_run_that_falls_behind(self):
        for seed in (1, 2):
            self.train(f"sweep/00{seed}", seed=seed, **FLAGS)
        good = self.train("sweep/003", seed=3, **PRUNES)
        self.assertIn("--prune: compares with 2 of 2 other runs", good.output)
        self.assertNotIn("pruned", good.output)
        self.assertEqual(self.events("sweep/003")[-1]["reason"], "num_steps")
        # Another loss, which is lower by far, and files that are no help: neither is compared, nor breaks anything.
        self.train("sweep/other", hparams="free_bits=1000", **FLAGS)
        os.makedirs(self.path("sweep", "spoilt", "eval"))
        os.mkfifo(self.path("sweep", "spoilt", "eval", "metrics.jsonl"))
        shutil.copy(self.path("sweep", "001", "hparams.json"), self.path("sweep", "spoilt"))
        bad = self.train("sweep/004", 2, hparams=LEARNS_NOTHING, **{**PRUNES, "prune_min_runs": 3})
        own, others = self.val_losses("sweep/004"), ["sweep/001", "sweep/002", "sweep/003"]
        self.assertEqual(list(own), [2, 4])
        means = sorted(self.mean(run, 4) for run in others)
        self.assertGreater(min(own.values()), means[1])
        self.assertEqual(bad.output.count("--prune: compares with 3 of 5 other runs"), 1, bad.output)
        self.assertIn("the median of 3 other runs up to step 4", bad.output)
        self.assertIn("ended by --prune at step 4 of 12", bad.output)
        self.assertEqual([self.events("sweep/004")[-1][key] for key in ("event", "reason", "step")], ["end", "pruned", 4])
        self.assertEqual(self.checkpoints("sweep/004"), [4])
        self.assertTrue(os.path.exists(self.path("sweep", "004", "train", "best.h5")))
        self.shown()
        # A second start finds nothing to do; without --prune the run goes on as if it had not been stopped.
        flags = {**PRUNES, "hparams": LEARNS_NOTHING}
        again = self.train("sweep/004", 2, **flags)
        self.assertIn("ended by --prune at step 4 of 12", again.output)
        self.assertEqual(self.checkpoints("sweep/004"), [4])
        self.train("sweep/004", 2, hparams=LEARNS_NOTHING, **FLAGS)
        self.assertEqual(self.checkpoints("sweep/004")[-1], 12)
        self.assertEqual(json.loads(info("--json", self.path("sweep", "004")))["state"], "done")

    def shown(self):
        sweep, run = self.path("sweep"), self.path("sweep", "004")
        states = {row["run"]: row["state"] for row in csv.DictReader(io.StringIO(info("--csv", sweep)))}
        self.assertEqual((states["003"], states["004"]), ("done", "pruned"))
        text = info(sweep)
        self.assertRegex(text, r"(?m)^004 .* 4/12 .*pruned$")
        self.assertIn("not the same measure in all of these runs, which", text)
        self.assertIn("differ in free_bits", " ".join(text.split()))
        self.assertLessEqual(max(map(len, text.splitlines()[1:])), 80)
        self.assertIn("run, pruned", info(run))
        self.assertIn("by --prune at step 4", info(run))
        page = self.path("sweep.html")
        info(f"--report={page}", sweep)
        with open(page, encoding="utf-8") as file:
            self.assertRegex(file.read(), r"<td class=\"number\">4/12<td>pruned<td>")
        subprocess.run([INFO, "--watch", run], check=True, stdout=subprocess.DEVNULL)

    def test_it_needs_evaluations(self):
        self.refuse("refused", "--prune needs evaluations", status=2, prune="true", eval_steps=0)
        self.refuse("refused", "--prune needs evaluations", status=2, prune="true", eval_steps=5, eval_split="test")


if __name__ == "__main__":
    harness.main()
