"""A training whose run was taken over by another job, which it can't know before it looks, writes nothing any more."""
import json
import os
import signal

import harness

OTHER = {"host": "elsewhere", "pid": 7, "slurm_job": "42", "slurm_restarts": "1", "token": "another's"}
SELDOM = 1000000
STEPS = 400  # between two writings: longer than a busy machine takes to stop the ranks


class Fence(harness.TrainingTest):
    def tree(self, run):
        """All that lies in the run's folder, and since when."""
        found = {}
        for folder, _, names in os.walk(self.path(run)):
            for name in names:
                status = os.stat(os.path.join(folder, name))
                found[os.path.join(folder, name)] = (status.st_ino, status.st_size, status.st_mtime_ns)
        return found

    def check(self, run, ranks, begun, **flags):
        """Another takes the run over while the ranks stand still, some steps before they would write for a second time."""
        job = self.start(run, ranks, num_steps=SELDOM, **flags)
        harness.wait_until(lambda: begun() or job.process.poll() is not None, harness.LIMIT, f"{run}'s first sign")
        pids = job.ranks()
        for pid in pids:
            harness.signal_to(pid, signal.SIGSTOP)
        harness.wait_until(lambda: all((harness.stat_fields(pid) or "T")[0] == "T" for pid in pids), harness.LIMIT,
                           "the ranks to stand still")
        with open(self.path("lock"), "w", encoding="utf-8") as file:
            json.dump(OTHER, file)
        os.replace(self.path("lock"), self.path(run, "train", "lock"))
        before = self.tree(run)
        for pid in pids:
            harness.signal_to(pid, signal.SIGCONT)
        job.wait()
        self.assertEqual(job.status, 1, job.output)
        errors = [line for line in job.output.splitlines() if "taken over" in line]
        self.assertEqual(len(errors), 1, job.output)
        self.assertIn("train/lock: this run was taken over by process 7 on elsewhere, Slurm job 42, restart 1; "
                      "this job stops without writing", errors[0])
        self.assertEqual(self.tree(run), before)

    def test_metrics(self):
        self.check("metrics", 2, lambda: self.last_step("metrics") >= STEPS, log_steps=STEPS)

    def test_checkpoint(self):
        path = self.checkpoint("checkpoint", STEPS)
        self.check("checkpoint", 1, lambda: os.path.exists(path), log_steps=SELDOM, save_checkpoint_steps=STEPS)

    def test_evaluation(self):
        """The first evaluation writes its line and then, beside the training, the best model."""
        path = self.path("evaluation", "train", "best.h5")
        self.check("evaluation", 1, lambda: os.path.exists(path), log_steps=SELDOM, eval_steps=STEPS)


if __name__ == "__main__":
    harness.main()
