"""A rank that hangs: named by those that wait for it, and the job ends by itself, to be resumed."""
import signal
import subprocess

import harness

STALL = 8  # --stall_seconds: much more than any step of these models takes, on a busy machine too


def can_inject():
    try:
        return subprocess.run(["strace", "-o", "/dev/null", "-e", "inject=getppid:delay_enter=1", "true"], check=False,
                              capture_output=True).returncode == 0
    except OSError:
        return False


class Stall(harness.TrainingTest):
    def check_ended(self, job, run, *parts):
        """The job ended with a warning first and then an error, which holds all parts, and with an end in the metrics."""
        job.wait()
        self.assertNotEqual(job.status, 0, job.output)
        lines = job.output.splitlines()
        warnings = [line for line in lines if "warning: no progress for " in line]
        errors = [line for line in lines if "error: no progress for " in line]
        self.assertEqual(len(errors), 1, job.output)
        self.assertTrue(warnings, job.output)  # a busy machine may earn an earlier one, and then gets on
        self.assertLess(lines.index(warnings[-1]), lines.index(errors[0]))
        for part in parts:
            self.assertIn(part, warnings[-1])
            self.assertIn(part, errors[0])
        self.assertIn("(--stall_seconds), so the job ends", errors[0])
        return errors[0]

    def check_stopped(self, victim):
        run = f"stopped-{victim}"
        job = self.start(run, 3, num_steps=1000000, save_checkpoint_steps=5, checkpoints_to_keep=2, log_steps=100,
                         stall_seconds=STALL)
        self.wait_for_checkpoint(job, run, 5)
        pids = job.ranks()
        harness.signal_to(pids[victim], signal.SIGSTOP)
        error = self.check_ended(job, run, f"rank {victim} (", "shows no sign of life")
        for rank in range(3):
            if rank != victim:
                self.assertNotIn(f"rank {rank} (", error)
        harness.wait_until(lambda: not any(harness.is_alive(pid) for pid in pids), harness.LIMIT, "the ranks' ends")
        ends = [event for event in self.events(run) if event["event"] == "end"]
        self.assertEqual([end["reason"] for end in ends], ["stalled"], job.output)
        self.assertIn(f"rank {victim} (", ends[0]["message"])
        last = self.checkpoints(run)[-1]
        self.train(run, 3, num_steps=last + 3, save_checkpoint_steps=5, checkpoints_to_keep=2)
        self.assert_tidy(run)

    def test_first_rank(self):
        self.check_stopped(0)

    def test_last_rank(self):
        self.check_stopped(2)

    def test_disk_that_does_not_answer(self):
        """Every flush takes longer than the limit; the process itself is alive."""
        if not can_inject():
            self.skipTest("no strace that may delay system calls")
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject=fsync:delay_enter={2 * STALL}000000"]
        job = self.launch(command + self.arguments("disk", num_steps=3, stall_seconds=STALL))
        self.check_ended(job, "disk", "rank 0 (", "hangs while ")
        end = self.events("disk")[-1]
        self.assertEqual((end["event"], end["reason"]), ("end", "stalled"), job.output)
        self.train("disk", num_steps=3)

    def test_one_that_is_continued_in_time(self):
        job = self.start("continued", 2, num_steps=1000000, log_steps=10, stall_seconds=200, max_seconds=60)
        self.wait_for_step(job, "continued", 10)
        victim = job.ranks()[1]
        harness.signal_to(victim, signal.SIGSTOP)
        harness.wait_until(lambda: (harness.stat_fields(victim) or "T")[0] == "T", harness.LIMIT, "the rank to stand still")
        step = self.last_step("continued")
        harness.signal_to(victim, signal.SIGCONT)
        self.wait_for_step(job, "continued", step + 20)
        for pid in job.ranks():
            harness.signal_to(pid, signal.SIGTERM)
        job.wait()
        self.assertNotIn("no progress", job.output)

    def test_off(self):
        self.assertNotIn("no progress", self.train("off", 2, num_steps=5, stall_seconds=0).output)


if __name__ == "__main__":
    harness.main()
