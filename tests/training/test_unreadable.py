"""A checkpoint that the system can't read is not damaged: the job ends, and nothing is renamed or gone back behind."""
import os
import subprocess

import harness


def can_inject():
    try:
        return subprocess.run(["strace", "-o", "/dev/null", "-e", "inject=getppid:error=EIO", "true"], check=False,
                              capture_output=True).returncode == 0
    except OSError:
        return False


class Unreadable(harness.TrainingTest):
    """Errors that strace puts in the place of what the system answers about the newest of two checkpoints."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.injects = can_inject()

    def setUp(self):
        if not self.injects:
            self.skipTest("no strace that may inject errors")
        if not self.checkpoints("run"):
            self.train("run", num_steps=4, save_checkpoint_steps=2)
        self.assertEqual(self.checkpoints("run"), [2, 4])

    def refused(self, call, error, reason, when="1+", **flags):
        newest = self.checkpoint("run", 4)
        with open(newest, "rb") as file:
            before = file.read()
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", newest,
                   "-e", f"inject={call}:error={error}:when={when}"]
        job = self.launch(command + self.arguments("run", num_steps=6, **flags)).wait()
        self.assertEqual(job.status, 1, job.output)
        errors = [line for line in job.output.splitlines() if "error: " in line]
        self.assertEqual(len(errors), 1, job.output)
        self.assertIn(newest, errors[0])
        self.assertIn(reason, errors[0])
        self.assertNotIn("skipping", job.output)
        self.assertEqual(self.checkpoints("run"), [2, 4])
        with open(newest, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_opening(self):
        for error, reason in (("EACCES", "Permission denied"), ("EIO", "Input/output error"),
                              ("ESTALE", "Stale file handle"), ("ENOMEM", "Cannot allocate memory"),
                              ("EMFILE", "Too many open files")):
            with self.subTest(error=error):
                self.refused("openat", error, reason)

    def test_opening_for_hdf5(self):
        """The file's seal was read then."""
        self.refused("openat", "EIO", "Input/output error", when="2+")

    def test_reading(self):
        self.refused("read", "EIO", "Input/output error")
        self.refused("pread64", "EIO", "Input/output error")

    def test_reading_a_part(self):
        """HDF5 takes what it can't read for what is not there."""
        for when in ("5", "20", "60"):
            with self.subTest(when=when):
                self.refused("pread64", "EIO", "Input/output error", when=when)

    def test_evaluation(self):
        self.refused("openat", "EACCES", "Permission denied", mode="eval")

    def test_it_is_resumed_from_once_it_can_be_read(self):
        self.refused("openat", "EIO", "Input/output error")
        job = self.train("run", num_steps=6)
        self.assertIn("at step 4", job.output)
        self.assertEqual([name for name in os.listdir(self.path("run", "train")) if "damaged" in name], [])
        os.unlink(self.checkpoint("run", 6))


if __name__ == "__main__":
    harness.main()
