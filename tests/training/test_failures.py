"""One rank's failure ends the whole job, with that rank's message; so does a full disk. A job that continues or hangs runs
into harness.LIMIT."""
import json
import os
import resource
import shutil
import signal
import subprocess

import harness


class OneRank(harness.TrainingTest):
    def launch_differing(self, first, second):
        """Two ranks with command lines of their own."""
        return self.launch([harness.MPIEXEC, "-n", "1", *first, ":", "-n", "1", *second], launcher=False)

    def test_data_set_that_one_rank_cannot_open(self):
        for mode in ("train", "eval"):
            self.train("done", num_steps=2)
            run = "done" if mode == "eval" else "new"
            job = self.launch_differing(self.arguments(run, mode=mode),
                                        self.arguments(run, mode=mode, examples_path="/nowhere"))
            self.assert_refused(job.wait(), "rank 1", "/nowhere")
        self.assertFalse(os.path.exists(self.path("new")))

    def test_a_failed_start_leaves_no_folder(self):
        """Nor does it take one away that was there."""
        self.refuse("wrong", "/nowhere", examples_path="/nowhere")
        self.assertFalse(os.path.exists(self.path("wrong")))
        os.makedirs(self.path("given"))
        self.refuse("given", "/nowhere", examples_path="/nowhere")
        self.assertTrue(os.path.isdir(self.path("given")))
        self.train("begun", num_steps=2)
        with open(self.path("begun", "hparams.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["hparams"]["batch_size"], 13)
        self.refuse("begun", "/nowhere", examples_path="/nowhere")
        self.assertEqual(self.checkpoints("begun"), [2])

    def test_data_set_of_other_content(self):
        other = os.path.join(harness.DATA, "other")
        job = self.launch_differing(self.arguments("mixed"), self.arguments("mixed", examples_path=other))
        self.assert_refused(job.wait(), "rank 1", other, "is not the data set that rank 0 has")

    def test_data_set_in_another_place(self):
        copy = self.path("copy")
        shutil.copytree(os.path.join(harness.DATA, "drums"), copy)
        flags = {"num_steps": 5, "save_checkpoint_steps": 5}
        job = self.launch_differing(self.arguments("copied", **flags),
                                    self.arguments("copied", examples_path=copy, **flags)).wait()
        self.assertEqual(job.status, 0, job.output)
        self.train("shared", 2, **flags)
        self.assert_bit_identical(self.checkpoint("copied", 5), self.checkpoint("shared", 5))

    def test_command_lines_that_differ(self):
        job = self.launch_differing(self.arguments("odd"), self.arguments("odd", num_steps=41))
        self.assert_refused(job.wait(), "--num_steps", "all ranks", status=2)
        job = self.launch_differing(self.arguments("odd"), self.arguments("odd", nonsense=1))
        self.assert_refused(job.wait(), "rank 1", "nonsense", status=2)
        self.assertFalse(os.path.exists(self.path("odd")))

    def test_killed_rank(self):
        for victim in (0, 2):
            run = f"killed-{victim}"
            job = self.start(run, 3, num_steps=100000, save_checkpoint_steps=2, checkpoints_to_keep=2)
            self.wait_for_checkpoint(job, run, 4)
            harness.signal_to(job.ranks()[victim], signal.SIGKILL)
            job.wait()
            self.assertNotEqual(job.status, 0)
            # With MPICH a rank that is reading the killed one's memory may end the job first, in UCX's words.
            self.assertRegex(job.output, "signal 9|No such process" if harness.IS_HYDRA else f"rank {victim} .*signal 9")
            end = self.checkpoints(run)[-1] + 2
            self.train(run, 3, num_steps=end, save_checkpoint_steps=2, checkpoints_to_keep=2)
            self.assert_tidy(run)


class FullDisk(harness.TrainingTest):
    def small_disk(self, name):
        """A folder with room for a megabyte."""
        disk = self.path(name)
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no right to mount a small disk")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        return disk

    @staticmethod
    def fill(disk, most=1 << 30):
        """Takes the disk's room, at most so many bytes of it."""
        with open(os.path.join(disk, "ballast"), "wb", buffering=0) as file:
            try:
                while file.tell() < most and file.write(b"x" * 4096) == 4096:
                    pass
            except OSError:
                pass

    def check_intact(self, run, job, reason, kept):
        """The job said which checkpoint could not be written and why; those before it are as they were."""
        failed = kept[-1] + kept[0]
        self.assert_refused(job, self.checkpoint(run, failed), reason)
        self.assertEqual(self.checkpoints(run), kept)
        self.assert_tidy(run)
        for step in kept:
            self.assertEqual(harness.read_checkpoint(self.checkpoint(run, step))[1]["step"], step)
        self.assertEqual(self.metrics(run)[0]["event"], "start")

    def test_full_disk(self):
        disk = self.small_disk("disk")
        for ranks in (1, 2):
            run = f"disk/{ranks}"
            flags = {"num_steps": 20, "save_checkpoint_steps": 4}
            job = self.start(run, ranks, **flags).wait()
            self.check_intact(run, job, "No space left on device", [4, 8])
            subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
            self.train(run, ranks, **flags)
            self.train(f"roomy-{ranks}", ranks, **flags)
            self.assert_bit_identical(self.checkpoint(run, 20), self.checkpoint(f"roomy-{ranks}", 20))
            shutil.rmtree(self.path(run))
            subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)

    def test_no_room_from_the_start(self):
        """Where not even one checkpoint fits, that shows at once, not when one is due."""
        disk = self.small_disk("crammed")
        self.fill(disk, 900_000)
        job = self.start("crammed/run", 2, num_steps=1000000).wait()
        self.assert_refused(job, os.path.join("crammed", "run", "train", "checkpoint-"), "No space left on device")
        self.assertEqual(self.checkpoints("crammed/run"), [])
        self.assert_tidy("crammed/run")

    def test_limit_on_file_sizes(self):
        job = self.start("limited", num_steps=100000, save_checkpoint_steps=30)
        self.wait_for_checkpoint(job, "limited", 30)
        resource.prlimit(job.process.pid, resource.RLIMIT_FSIZE, (200_000, 200_000))
        job.wait()
        kept = self.checkpoints("limited")
        self.check_intact("limited", job, "File too large", kept)
        self.train("limited", num_steps=kept[-1] + 5, save_checkpoint_steps=30)

    def test_full_disk_for_the_metrics(self):
        disk = self.small_disk("metrics-disk")
        job = self.start("metrics-disk/run", 2, num_steps=1000000)
        self.wait_for_step(job, "metrics-disk/run", 50)
        self.fill(disk)
        job.wait()
        self.assertEqual(job.status, 1, job.output)
        self.assertRegex(job.output, r"error: .*metrics-disk/run/train/metrics\.jsonl: .*No space left on device")
        self.assertGreater(len(self.losses("metrics-disk/run")), 0)


if __name__ == "__main__":
    harness.main()
