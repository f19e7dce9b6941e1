"""What can't be trained is refused at once, with exit status 1 (2 for a wrong command line) and one line that names
the file or the flag and the reason."""
import os
import shutil

import harness


class Refusals(harness.TrainingTest):
    def trained(self, run="run", **flags):
        """A run of ten steps with checkpoints at 4, 8 and 10, copied from one that is made once."""
        if not os.path.exists(self.path("pattern")):
            self.train("pattern", num_steps=10, save_checkpoint_steps=4)
            self.assertEqual(self.checkpoints("pattern"), [4, 8, 10])
        shutil.rmtree(self.path(run), ignore_errors=True)
        shutil.copytree(self.path("pattern"), self.path(run))
        return run

    def test_command_line(self):
        wrong = [
            ({"run_dir": None}, ("--run_dir is missing",)),
            ({"examples_path": None}, ("--examples_path is missing",)),
            ({"config": None}, ("--config is missing",)),
            ({"config": "groovae_4bars"}, ("groovae_4bars", "did you mean groovae_4bar")),
            ({"num_step": 4}, ("num_step", "num_steps")),
            ({"num_steps": 0}, ("--num_steps=0", "1 to")),
            ({"num_steps": "ten"}, ("--num_steps=ten",)),
            ({"mode": "test"}, ("--mode=test", "train, eval")),
            ({"eval_split": "tset"}, ("--eval_split=tset", "validation")),
            ({"max_seconds": "nan"}, ("--max_seconds=nan",)),
            ({"checkpoint_file": "x.h5"}, ("--checkpoint_file", "--init_checkpoint")),
        ]
        for flags, parts in wrong:
            with self.subTest(flags):
                self.refuse("unmade", *parts, status=2, **flags)
        self.assertFalse(os.path.exists(self.path("unmade")))

    def test_checked_beforehand(self):
        """--mode=check says what a training would be refused for, and writes nothing."""
        run = self.trained()
        before = contents(self.path(run))
        self.assertIn("at step 10", self.run_to(0, run, mode="check").output)
        self.refuse(run, "z_size is 6, not 7", mode="check", hparams="z_size=7")
        self.assertEqual(contents(self.path(run)), before)
        job = self.run_to(0, "unmade", 2, mode="check", log_dir=self.path("logs"))
        self.assertIn("can be trained", job.output)
        self.refuse("unmade", "the largest batch that fits is --hparams=batch_size=", mode="check",
                    hparams="batch_size=100000")
        self.refuse("unmade", "less than one window for each of 14 ranks", mode="check", num_ranks=14)
        self.refuse("unmade", "not a data set", mode="check", examples_path=self.path())
        self.refuse("unmade", "/nowhere.h5", ranks=2, mode="check", init_checkpoint="/nowhere.h5")
        self.refuse("unmade", "z_size is 6, not 9", mode="check", init_checkpoint=self.path(run), hparams="z_size=9")
        self.assertIn("can be trained", self.run_to(0, "unmade", mode="check", init_checkpoint=self.path(run)).output)
        damaged = self.checkpoint(run, 10)
        flip(damaged, 0.7)
        self.refuse("unmade", damaged, "damaged", mode="check", init_checkpoint=damaged)
        self.refuse("unmade", "z_sise", status=2, mode="check", hparams="z_sise=3")
        self.refuse("unmade", "--num_ranks is for --mode=check", status=2, num_ranks=2)
        self.refuse("unmade", "--config is missing", status=2, mode="check", config=None)
        job = self.run_to(0, "unmade", mode="check", examples_path=self.path("later"))
        self.assertIn("is not there yet, so the batch size was not checked", job.output)
        self.assertIn("are valid", self.run_to(0, "unmade", mode="check", examples_path=None).output)
        for name in ("unmade", "logs", "later"):
            self.assertFalse(os.path.exists(self.path(name)))

    def test_command_line_of_several_ranks(self):
        self.refuse("unmade", "--num_steps=0", status=2, ranks=3, num_steps=0)

    def test_hparams(self):
        wrong = [
            ("batch_sise=13", ("batch_sise", "batch_size")),
            ("z_size=0", ("z_size=0", "1 to 16384")),
            ("dropout_keep_prob=1.5", ("dropout_keep_prob=1.5", "0.01 to 1")),
            ("learning_rate=fast", ("learning_rate=fast",)),
            ("enc_rnn_size=[16", ("enc_rnn_size",)),
        ]
        contradiction, *parts_of_contradiction = "min_learning_rate=0.5", "min_learning_rate=0.5", "learning_rate=0.01"
        for hparams, parts in wrong:
            with self.subTest(hparams):
                self.refuse("unmade", "--hparams", *parts, status=2, hparams=hparams)
        self.refuse("unmade", "--hparams", *parts_of_contradiction, hparams=contradiction)
        self.refuse(self.trained(), *wrong[0][1], status=2, hparams=wrong[0][0])
        self.refuse("run", *parts_of_contradiction, hparams=contradiction)

    def test_data_set_too_small_for_one_batch(self):
        for ranks in (1, 2):
            message = self.refuse("small", "drums", "fewer than one batch of 5000", "batch_size", ranks=ranks,
                                  hparams="batch_size=5000")
            self.assertRegex(message, r"holds ([0-9]+) windows of 4 bars.* that fits is --hparams=batch_size=\1$")

    def test_more_ranks_than_windows_in_a_batch(self):
        self.refuse("few", "batch_size=2", "3 ranks", ranks=3, hparams="batch_size=2")

    def test_empty_split(self):
        data = os.path.join(harness.DATA, "no_validation")
        self.refuse("empty", "no_validation", "validation", examples_path=data, eval_steps=5)
        self.train("empty", examples_path=data, num_steps=2)
        self.refuse("empty", "no_validation", "validation", examples_path=data, mode="eval", ranks=2)

    def test_data_set_missing_or_damaged(self):
        self.refuse("none", "/nowhere: no such folder", examples_path="/nowhere", ranks=2)
        self.refuse("none", "index.h5: is a file, not a folder",
                    examples_path=os.path.join(harness.DATA, "drums", "index.h5"))
        damaged = self.path("damaged")
        for victim in ("index.h5", "shard-00000-of-00001.h5"):
            shutil.rmtree(damaged, ignore_errors=True)
            shutil.copytree(os.path.join(harness.DATA, "drums"), damaged)
            flip(os.path.join(damaged, victim), 0.5)
            self.refuse("none", os.path.join(damaged, victim), examples_path=damaged)
            os.truncate(os.path.join(damaged, victim), 100)
            self.refuse("none", os.path.join(damaged, victim), examples_path=damaged)
            os.remove(os.path.join(damaged, victim))
            self.refuse("none", victim, examples_path=damaged)

    def test_another_config(self):
        self.refuse(self.trained(), self.path("run"), "groovae_4bar, not groovae_4bar_flat", config="groovae_4bar_flat")

    def test_another_shape(self):
        for hparam in ("z_size=7", "enc_rnn_size=[16,16]", "dec_rnn_size=[12]", "bars=2"):
            with self.subTest(hparam):
                self.refuse(self.trained(), self.path("run"), hparam.split("=", maxsplit=1)[0], hparams=hparam)

    def test_another_data_set(self):
        self.refuse(self.trained(), "other", "not the data set of this run", "--init_checkpoint",
                    examples_path=os.path.join(harness.DATA, "other"))

    def test_another_seed(self):
        self.refuse(self.trained(), "--seed=5", "seed is 0", seed=5)
        self.train("run", num_steps=11, seed=0)

    def test_init_checkpoint_of_another_shape(self):
        run = self.trained()
        path = self.checkpoint(run, 10)
        self.refuse("next", path, "z_size is 6, not 9", init_checkpoint=path, hparams="z_size=9")
        self.refuse("next", path, "decoder is hierarchical, not flat", init_checkpoint=path,
                    config="groovae_4bar_flat")
        self.refuse("next", "/nowhere.h5", init_checkpoint="/nowhere.h5", ranks=2)
        self.environment["DRUMLINE_MODELS"] = "/nowhere"
        self.addCleanup(self.environment.pop, "DRUMLINE_MODELS")
        self.refuse("next", "groovae_4bar_small", "no such file or run", init_checkpoint="groovae_4bar_small")
        self.refuse("next", "drumline-index", init_checkpoint=os.path.join(harness.DATA, "drums", "index.h5"))
        flip(path, 0.7)
        self.refuse("next", path, "damaged", init_checkpoint=path)

    def test_run_in_use(self):
        job = self.start("busy", num_steps=1000000)
        self.wait_for_step(job, "busy", 1)
        for ranks in (1, 2):
            message = self.refuse("busy", self.path("busy"), "in use by process", str(job.process.pid), ranks=ranks)
            self.assertIn("--run_dir", message)
        checked = self.run_to(0, "busy", 2, mode="check").output
        self.assertEqual(checked.count("is in use by process"), 1, checked)
        before = self.last_step("busy")
        self.wait_for_step(job, "busy", before + 1)
        self.assertIsNone(job.process.poll(), "the job that had the run was disturbed")
        job.kill()
        self.train("busy", num_steps=self.last_step("busy") + 5)
        self.assert_tidy("busy")

    def test_run_dir_that_cannot_be_made(self):
        with open(self.path("file"), "w", encoding="ascii"):
            pass
        self.refuse("unused", self.path("file"), run_dir=self.path("file", "below"), ranks=2)
        self.refuse("unused", "/proc/drumline", run_dir="/proc/drumline")

    def test_eval_without_a_checkpoint(self):
        self.refuse("unmade", self.path("unmade"), "no such folder", mode="eval")
        self.refuse(self.trained(), "groovae_4bar, not groovae_4bar_flat", mode="eval", config="groovae_4bar_flat")


class LittleAddressSpace(harness.TrainingTest):
    """A thread of OpenBLAS that finds no room for its buffer tries forever, deaf to signals: so that is refused."""

    def limited(self, kibibytes, command, threads):
        self.environment["OPENBLAS_NUM_THREADS"] = str(threads)
        script = 'ulimit -c 0; ulimit -v "$1"; shift; exec "$@"'
        return self.launch(["sh", "-c", script, "sh", str(kibibytes)] + command).wait()

    def least(self, threads):
        """With how much the program starts at all."""
        for kibibytes in range(50000, 1000000, 10000):
            if self.limited(kibibytes, [harness.TRAIN, "--version"], threads).status == 0:
                return kibibytes
        return self.skipTest("the program does not start under a limit")

    def test_no_room_for_buffers(self):
        for threads in (1, 2):
            least = self.least(threads)
            job = self.limited(least + 10000, self.arguments("none"), threads)
            self.assert_refused(job, "no memory for OpenBLAS's buffers")
            job = self.limited(least + 10000, self.arguments("none", mode="check"), threads)
            self.assertEqual(job.status, 0, job.output)
            self.assertFalse(os.path.exists(self.path("none")))

    def test_no_limit_makes_it_wait(self):
        threads, least = 2, self.least(2)
        enough = least + threads * (128 + 64) * 1024 + 200000
        for kibibytes in range(least, enough, 20000):
            self.limited(kibibytes, self.arguments(f"run{kibibytes}", num_steps=1), threads)
        job = self.limited(enough, self.arguments("enough", num_steps=1), threads)
        self.assertEqual(job.status, 0, job.output)

    def test_threads_that_start_late(self):
        """OpenBLAS's own takes its buffer two seconds after the program has found that there is room for it, and hardly more."""
        threads, least = 2, self.least(2)
        self.environment["LD_PRELOAD"] = os.environ["DRUMLINE_SLOW_THREAD"]
        for kibibytes in range(least + 200000, 1000000, 10000):
            job = self.limited(kibibytes, self.arguments("late", num_steps=1), threads)
            if "no memory for OpenBLAS's buffers" not in job.output:
                return
        self.fail("always refused")


class DamagedCheckpoints(harness.TrainingTest):
    """A damaged checkpoint is reported and skipped in favour of the one before it."""

    def setUp(self):
        if not os.path.exists(self.path("whole")):
            self.train("whole", num_steps=12, save_checkpoint_steps=4)
        shutil.rmtree(self.path("run"), ignore_errors=True)
        shutil.copytree(self.path("whole"), self.path("run"))

    def check_passed_over(self, damaged, **flags):
        """The run resumes from before the damaged checkpoints and ends where the unbroken one did."""
        job = self.train("run", num_steps=12, save_checkpoint_steps=4, **flags)
        warnings = [line for line in job.output.splitlines() if "warning" in line]
        self.assertEqual(len(warnings), len(damaged), job.output)
        for step, warning in zip(sorted(damaged, reverse=True), warnings):
            self.assertIn("damaged checkpoint", warning)
            self.assertIn(self.checkpoint("run", step), warning)
            self.assertTrue(os.path.exists(self.checkpoint("run", step) + ".damaged"))
        self.assertIn(f"resuming from {self.checkpoint('run', min(damaged) - 4)}", job.output)
        self.assert_bit_identical(self.checkpoint("run", 12), self.checkpoint("whole", 12))

    def test_flipped_bits(self):
        """In a tensor, where the file stays well-formed: half-way through the model's largest one."""
        flip_in_tensor(self.checkpoint("run", 12), "model/encoder/forward/layer_0/kernel")
        self.check_passed_over([12])

    def test_flipped_bits_in_a_moment(self):
        flip_in_tensor(self.checkpoint("run", 12), "optimizer/v/decoder/output/kernel")
        self.check_passed_over([12])

    def test_ranks_pass_over_the_same_one(self):
        flip_in_tensor(self.checkpoint("run", 12), "optimizer/m/encoder/mu/kernel")
        job = self.train("run", ranks=2, num_steps=12, save_checkpoint_steps=4)
        self.assertEqual(job.output.count("damaged checkpoint"), 1, job.output)
        self.assert_same_losses(self.losses("run"), self.losses("whole"), range(1, 13))

    def test_flipped_bits_anywhere(self):
        size = os.path.getsize(self.checkpoint("run", 12))
        for place in (40, 600, size - 1):
            self.setUp()
            flip(self.checkpoint("run", 12), place / size)
            self.check_passed_over([12])

    def test_cut(self):
        os.truncate(self.checkpoint("run", 12), os.path.getsize(self.checkpoint("run", 12)) // 2)
        self.check_passed_over([12])

    def test_empty(self):
        os.truncate(self.checkpoint("run", 12), 0)
        self.check_passed_over([12])

    def test_two_damaged(self):
        os.truncate(self.checkpoint("run", 12), 1000)
        shutil.copy(os.path.join(harness.DATA, "drums", "index.h5"), self.checkpoint("run", 8))
        self.check_passed_over([8, 12])

    def test_damaged_ones_do_not_push_sound_ones_out(self):
        """Of three checkpoints the newest is damaged; with room for one, the step written next must stay, and be the
        only one."""
        os.truncate(self.checkpoint("run", 12), 1000)
        job = self.run_to(0, "run", num_steps=10, checkpoints_to_keep=1)
        self.assertIn("damaged checkpoint", job.output)
        self.assertEqual(self.checkpoints("run"), [10])
        self.assert_tidy("run", "checkpoint-00000012.h5.damaged")
        job = self.run_to(0, "run", num_steps=12, checkpoints_to_keep=1)
        self.assertIn(f"resuming from {self.checkpoint('run', 10)}", job.output)
        self.assertEqual(self.checkpoints("run"), [12])
        self.assert_bit_identical(self.checkpoint("run", 12), self.checkpoint("whole", 12))

    def test_all_damaged(self):
        for step in (4, 8, 12):
            flip_in_tensor(self.checkpoint("run", step), "model/decoder/output/bias")
        for ranks in (1, 2):
            self.refuse("run", self.path("run"), "none of the 3 checkpoints is valid", "--run_dir", ranks=ranks)
        self.refuse("run", "none of the 3 checkpoints is valid", mode="eval")
        self.assertEqual(self.checkpoints("run"), [4, 8, 12])
        self.assert_tidy("run")


def contents(folder):
    """path -> when it was written, and its bytes."""
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                found[path] = (os.stat(path).st_mtime_ns, file.read())
    return found


def flip(path, share):
    """Turns over a bit of the byte at that share of the file."""
    with open(path, "r+b") as file:
        place = int(share * os.path.getsize(path))
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 0x10]))


def flip_in_tensor(path, name):
    """Turns over a bit of a tensor where it lies in the file."""
    with harness.h5py.File(path, "r") as file:
        chunk = file[name].id.get_chunk_info(0)
        place = chunk.byte_offset + file.userblock_size + chunk.size // 2
    flip(path, (place + 0.5) / os.path.getsize(path))


if __name__ == "__main__":
    harness.main()
