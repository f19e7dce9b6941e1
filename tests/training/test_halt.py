"""Signals and deadlines: a checkpoint at the next step, exit status 3, and the same command resumes from there."""
import os
import signal
import time

import harness

HALTED = 3


class Halt(harness.TrainingTest):
    STEPS = 150
    whole_is_trained = False
    start_seconds = {}

    def whole(self):
        """The unbroken run that the halted ones are measured against."""
        if not Halt.whole_is_trained:
            self.train("whole", num_steps=self.STEPS)
            Halt.whole_is_trained = True
        return self.checkpoint("whole", self.STEPS)

    def check_halted(self, run, reason):
        """Halted at a step of which there is a checkpoint; nothing else is left."""
        end = self.events(run)[-1]
        self.assertEqual((end["event"], end["reason"]), ("end", reason))
        self.assertEqual(self.checkpoints(run), [end["step"]])
        self.assertLess(end["step"], self.STEPS)
        self.assertEqual(self.losses(run).keys(), set(range(1, end["step"] + 1)))
        self.assert_tidy(run)
        return end["step"]

    def check_single(self, number):
        name = signal.Signals(number).name
        job = self.start(name, num_steps=self.STEPS)
        self.wait_for_step(job, name, 3)
        harness.signal_to(job.process.pid, number)
        job.wait()
        self.assertEqual(job.status, HALTED, job.output)
        step = self.check_halted(name, name)
        answers = [line for line in job.output.splitlines() if "stopping after this step" in line]
        self.assertEqual(len(answers), 0 if name == "SIGUSR1" else 1, job.output)
        for answer in answers:
            self.assertRegex(answer, rf"^drumline-train: {name}: stopping after this step(, about \d+ s)?; again to abort$")
        self.assertIn(f"halted by {name} at step {step}", job.output)
        self.train(name, num_steps=self.STEPS)
        self.assert_bit_identical(self.checkpoint(name, self.STEPS), self.whole())

    def test_sigterm(self):
        self.check_single(signal.SIGTERM)

    def test_sigint(self):
        self.check_single(signal.SIGINT)

    def test_sigusr1(self):
        self.check_single(signal.SIGUSR1)

    def test_signal_before_the_first_step(self):
        job = self.start("early", num_steps=self.STEPS)
        harness.wait_until(lambda: self.last_step("early") >= 0, harness.LIMIT, "the run's start")
        harness.signal_to(job.process.pid, signal.SIGTERM)
        self.assertEqual(job.wait().status, HALTED, job.output)
        self.check_halted("early", "SIGTERM")

    def check_job(self, run, number, target):
        """A signal to mpirun, or to one rank of two. What mpirun then exits with is its own affair, but not 0, as it is
        with MPICH's after a signal of its own."""
        # mpirun stops reading what ranks print once it has the signal: few lines, so that no rank waits for it.
        job = self.start(run, 2, num_steps=1000000, log_steps=100)
        self.wait_for_step(job, run, 100)
        harness.signal_to(job.process.pid if target == "mpirun" else job.ranks()[-1], number)
        job.wait()
        if target != "mpirun" or not harness.IS_HYDRA:
            self.assertNotEqual(job.status, 0, job.output)
        end = self.events(run)[-1]
        self.assertEqual((end["event"], end["reason"]), ("end", signal.Signals(number).name), job.output)
        self.assertEqual(self.checkpoints(run), [end["step"]])
        self.assert_tidy(run)
        self.train(run, 2, num_steps=end["step"] + 5)
        self.assertEqual(self.checkpoints(run), [end["step"], end["step"] + 5])

    def test_sigusr1_to_mpirun(self):
        self.check_job("mpirun-usr1", signal.SIGUSR1, "mpirun")

    def test_sigterm_to_mpirun(self):
        self.check_job("mpirun-term", signal.SIGTERM, "mpirun")

    def test_sigint_to_one_rank(self):
        self.check_job("rank-int", signal.SIGINT, "rank")

    def test_halted_ranks_go_on_bit_identically(self):
        self.train("two-whole", 2, num_steps=60)
        job = self.start("two", 2, num_steps=60)
        self.wait_for_step(job, "two", 2)
        for rank in job.ranks():
            harness.signal_to(rank, signal.SIGTERM)
        job.wait()
        self.assertEqual(self.events("two")[-1]["reason"], "SIGTERM", job.output)
        self.train("two", 2, num_steps=60)
        self.assert_bit_identical(self.checkpoint("two", 60), self.checkpoint("two-whole", 60))

    def test_max_seconds(self):
        job = self.run_to(HALTED, "limited", num_steps=100000, max_seconds=0.5)
        end = self.events("limited")[-1]
        self.assertEqual(end["reason"], "--max_seconds")
        self.assertEqual(self.checkpoints("limited"), [end["step"]])
        self.train("limited", num_steps=end["step"] + 20)
        self.train("unlimited", num_steps=end["step"] + 20)
        self.assert_bit_identical(self.checkpoint("limited", end["step"] + 20),
                                  self.checkpoint("unlimited", end["step"] + 20))

    def test_the_checkpoint_comes_before_the_evaluation(self):
        """Who is asked to halt may be killed soon, and an evaluation may last."""
        job = self.start("evaluated", num_steps=100000, eval_steps=1)
        self.wait_for_step(job, "evaluated", 3)
        harness.signal_to(job.process.pid, signal.SIGTERM)
        self.assertEqual(job.wait().status, HALTED, job.output)
        step = self.events("evaluated")[-1]["step"]
        attributes = harness.read_checkpoint(self.checkpoint("evaluated", step))[1]
        self.assertEqual(attributes["val_step"], step - 1)
        self.assertEqual(self.losses("evaluated", "eval").keys(), set(range(1, step + 1)))
        self.train("evaluated", num_steps=step + 2, eval_steps=1)
        attributes = harness.read_checkpoint(self.checkpoint("evaluated", step + 2))[1]
        self.assertEqual(attributes["val_step"], step + 2)

    # An encoder that takes a moment for each window.
    FITTED = {"hparams": "enc_rnn_size=[192],batch_size=4", "num_steps": 1, "eval_steps": 1, "threads": 1}

    def stop_in_fit(self, ranks):
        """A job that stands still while it fits latents after its last step."""
        for attempt in range(10):
            run = f"fitted-{ranks}-{attempt}"
            job = self.start(run, ranks, **self.FITTED)
            said = lambda: os.pread(job.log.fileno(), 1 << 20, 0)
            harness.wait_until(lambda: b"fitting latent densities" in said() or job.process.poll() is not None, harness.LIMIT,
                               "the fit")
            pids = job.ranks()
            for pid in pids:
                harness.signal_to(pid, signal.SIGSTOP)
            harness.wait_until(lambda: all((harness.stat_fields(pid) or "T")[0] in "TZ" for pid in pids), harness.LIMIT,
                               "the ranks to stand still")
            if pids and b"fitted in" not in said():
                return run, job, pids
            job.kill()
        return self.fail("each fit was over before it could be stopped")

    def check_halted_in_fit(self, ranks):
        run, job, pids = self.stop_in_fit(ranks)
        harness.signal_to(pids[-1], signal.SIGTERM)
        for pid in pids:
            harness.signal_to(pid, signal.SIGCONT)
        job.wait()
        self.assertNotEqual(job.status, 0, job.output)
        if ranks == 1:
            self.assertEqual(job.status, HALTED, job.output)
            self.assertIn("drumline-train: SIGTERM: stopping before latent densities are fitted; again to abort", job.output)
        self.assertNotIn("warning", job.output)
        self.assertEqual([(event["event"], event["step"], event.get("reason")) for event in self.events(run)][1:], [("end", 1, "SIGTERM")])
        self.assertEqual(self.checkpoints(run), [1])
        self.assert_tidy(run)
        best = self.path(run, "train", "best.h5")
        self.assertFalse(any(name.startswith("latents") for name in harness.read_checkpoint(best)[0]))
        self.assertIn("stored latent densities", self.train(run, ranks, **self.FITTED).output)
        self.assertEqual(self.events(run)[-1]["reason"], "num_steps")
        whole = f"fitted-{ranks}-whole"
        self.train(whole, ranks, **self.FITTED)
        self.assert_bit_identical(best, self.path(whole, "train", "best.h5"))
        self.assertTrue(any(name.startswith("latents") for name in harness.read_checkpoint(best)[0]))

    def test_sigterm_while_latents_are_fitted(self):
        self.check_halted_in_fit(1)

    def test_sigterm_to_one_rank_while_latents_are_fitted(self):
        self.check_halted_in_fit(2)

    def with_end_of_job(self, value):
        self.environment = dict(self.environment, SLURM_JOB_END_TIME=str(value))

    def end_soon(self, ranks):
        """When a job should end that has time for some steps, however slow this machine is just now: ten seconds before
        that the ranks stop."""
        if ranks not in Halt.start_seconds:
            Halt.start_seconds[ranks] = self.train(f"start-{ranks}", ranks, num_steps=1).seconds
        return int(time.time() + 12 + 3 * Halt.start_seconds[ranks])

    def check_deadline(self, job, run, reason, end):
        job.wait()
        self.assertNotEqual(job.status, 0, job.output)
        self.assertLess(time.time(), end)
        last = self.events(run)[-1]
        self.assertEqual((last["event"], last["reason"]), ("end", reason), job.output)
        self.assertIn(f"Z ({reason})", job.output)
        self.assertIn(f"halted by {reason} at step {last['step']}", job.output)
        self.assertEqual(self.checkpoints(run), [last["step"]])
        self.assert_tidy(run)

    def test_end_of_the_slurm_job(self):
        for ranks in (1, 2):
            self.end_soon(ranks) # measures a start before there is an end of the job
        for ranks in (1, 2):
            end = self.end_soon(ranks)
            self.with_end_of_job(end)
            run = f"slurm-{ranks}"
            job = self.start(run, ranks, num_steps=10000000, log_steps=100)
            self.check_deadline(job, run, "SLURM_JOB_END_TIME", end)
            if ranks == 1:
                self.assertEqual(job.status, HALTED, job.output)

    def test_deadline_by_flag(self):
        end = self.end_soon(1)
        self.with_end_of_job(end + 1000)
        job = self.start("flag", num_steps=10000000, log_steps=100, deadline=end)
        self.check_deadline(job, "flag", "--deadline", end)
        self.refuse("flag", "--deadline=1000", "is in the past", deadline=1000)
        self.refuse("flag", "--deadline=noon", status=2, deadline="noon")

    def test_no_deadline(self):
        self.with_end_of_job(int(time.time()) + 11)
        self.assertNotIn("stops before", self.train("none", num_steps=20, deadline="none").output)
        for value in ("soon", "1000", "-1"):
            self.with_end_of_job(value)
            job = self.train("none", num_steps=20)
            self.assertIn(f"warning: SLURM_JOB_END_TIME={value} ", job.output)
            self.assertIn("ignored", job.output)

    def test_a_run_that_is_done_stays_as_it_is(self):
        whole = self.whole()
        with open(whole, "rb") as file:
            before = file.read()
        job = self.train("whole", num_steps=self.STEPS)
        self.assertIn("nothing to do", job.output)
        with open(whole, "rb") as file:
            self.assertEqual(file.read(), before)


if __name__ == "__main__":
    harness.main()
