"""Windows without a hit (skip_silent): not trained on, not evaluated, counted."""
import os
import struct
import subprocess

import harness

RESTS = 12  # bars of rest before four of drumming


def song(path):
    """Four bars of kick and snare, rests, four more."""
    def quantity(number):
        digits = [number & 0x7F]
        while number >> 7:
            number >>= 7
            digits.insert(0, 0x80 | (number & 0x7F))
        return bytes(digits)

    track, now = b"\0\xff\x58\x04\x04\x02\x18\x08", 0
    for first in (0, (4 + RESTS) * 4):
        for beat in range(first, first + 16):
            tick = beat * 480
            track += quantity(tick - now) + bytes((0x99, 38 if beat % 2 else 36, 100)) + quantity(30)
            track += bytes((0x89, 38 if beat % 2 else 36, 64))
            now = tick + 30
    track += b"\0\xff\x2f\0"
    with open(path, "wb") as file:
        file.write(b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track)) + track)


class Silence(harness.TrainingTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        source = os.path.join(cls.scratch, "midi")
        os.mkdir(source)
        rows = "midi_filename,split\n"
        for number, split in enumerate(("train", "train", "validation")):
            song(os.path.join(source, f"{number}.mid"))
            rows += f"{number}.mid,{split}\n"
        with open(os.path.join(source, "info.csv"), "w", encoding="ascii") as file:
            file.write(rows)
        subprocess.run([os.path.join(harness.BIN, "drumline-preprocess"), "--input_dir", source, "--output_dir",
                        os.path.join(cls.scratch, "data"), "--log=warning"], check=True, env=cls.environment)

    # Of a song's 20 bars, windows of 4: 17 from every bar, of which 9 are silent; 5 without overlap, 3 silent.
    FLAGS = {"hparams": "batch_size=5", "num_steps": 8, "eval_steps": 4}

    def flags(self, **more):
        return {**self.FLAGS, "examples_path": self.path("data"), **more}

    def test_they_are_skipped_and_counted(self):
        job = self.train("skips", **self.flags())
        self.assertIn(" 16 training windows of 4 bars", job.output)
        self.assertIn("18 training windows without a hit skipped", job.output)
        self.assertRegex(job.output, r"eval at step 4: .*\(3 windows without a hit skipped\)")
        self.assertEqual(self.events("skips")[0]["skipped_windows"], 18)
        self.assertEqual([line["skipped_windows"] for line in self.metrics("skips", "eval")], [3, 3])
        job = self.train("skips", 2, mode="eval", **self.flags())
        self.assertIn("on 2 windows of the validation split", job.output)
        self.assertIn("3 windows without a hit skipped", job.output)
        *_, before, last = self.metrics("skips", "eval")
        self.assertLess(abs(last["val_loss"] / before["val_loss"] - 1), 1e-5)

    def test_resumed_bit_for_bit(self):
        self.train("whole", **self.flags())
        self.train("halves", **self.flags(num_steps=5))
        job = self.train("halves", **self.flags())
        self.assertIn("18 training windows without a hit skipped", job.output)
        self.assert_bit_identical(self.checkpoint("halves", 8), self.checkpoint("whole", 8))

    def test_off_they_are_trained_on(self):
        job = self.train("all", **self.flags(hparams="batch_size=5,skip_silent=false"))
        self.assertIn(" 34 training windows of 4 bars", job.output)
        self.assertNotIn("without a hit", job.output)
        self.assertNotIn("skipped_windows", self.events("all")[0])
        self.assertNotIn("skipped_windows", self.metrics("all", "eval")[0])


if __name__ == "__main__":
    harness.main()
