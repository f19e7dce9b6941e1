"""--tensorboard: event files that another reader of them finds right."""
import json
import sys

import harness

try:
    import event_files
except ImportError as reason:
    print("skipped:", reason)
    sys.exit(77)

FLAGS = {"tensorboard": True, "log_tensors": True, "log_steps": 2, "eval_steps": 4}


class TensorBoard(harness.TrainingTest):
    def expected(self, run, folder):
        """(name, step) -> the last number that metrics.jsonl has of it."""
        return {(name, line["step"]): value for line in self.metrics(run, folder) if "event" not in line
                for name, value in line.items() if isinstance(value, (int, float)) and name != "step"}

    def check_scalars(self, run, folder):
        found = event_files.scalars(self.path(run, folder))
        expected = self.expected(run, folder)
        self.assertTrue(expected)
        for key, value in expected.items():
            self.assertLessEqual(abs(found[key] - value), 1e-6 * abs(value) + 1e-30, key)
        return {key: value for key, value in found.items() if key not in expected}

    def values(self, run, field):
        return [(event.step, value) for event in event_files.events(self.path(run, "train"))
                for value in event.summary.value if value.HasField(field)]

    def test_a_run_and_its_resumption(self):
        """It is resumed from the checkpoint of step 4, though it came to step 6."""
        self.train("run", 2, num_steps=4, **FLAGS)
        self.train("run", 2, num_steps=6, save_checkpoint_secs=0, **FLAGS)
        harness.os.unlink(self.checkpoint("run", 6))
        self.train("run", 2, num_steps=8, **FLAGS)
        self.assertEqual(len(event_files.files(self.path("run", "train"))), 3)
        others = self.check_scalars("run", "train")
        self.assertEqual(self.check_scalars("run", "eval"), {})
        with open(self.path("run", "train", "tensors.jsonl"), encoding="utf-8") as file:
            norms = {line["step"]: line for line in map(json.loads, file)}
        for (tag, step), value in others.items():
            kind, name = tag.split("/", 1)
            self.assertLessEqual(abs(norms[step][name][kind] / value - 1), 1e-6, tag)
        self.assertEqual({step for _, step in others}, {2, 4, 6, 8})

    def test_hparams_histograms_and_pictures(self):
        self.train("model", num_steps=4, **FLAGS)
        (_, value), = self.values("model", "metadata")
        self.assertEqual(value.tag, "_hparams_/session_start_info")
        self.assertEqual(value.metadata.plugin_data.plugin_name, "hparams")
        session = value.metadata.plugin_data.content.session_start_info
        found = {entry.key: entry.value for entry in session.hparams}
        with open(self.path("model", "hparams.json"), encoding="utf-8") as file:
            hparams = json.load(file)["hparams"]
        self.assertEqual(set(found), set(hparams))
        self.assertEqual(found["batch_size"].number_value, hparams["batch_size"])
        self.assertEqual(found["humanize"].bool_value, hparams["humanize"])
        self.assertEqual(found["decoder"].string_value, hparams["decoder"])

        with open(self.path("model", "train", "tensors.jsonl"), encoding="utf-8") as file:
            norms = list(map(json.loads, file))[-1]
        histograms = self.values("model", "histo")
        self.assertEqual(len(histograms), len(norms) - 1)
        for step, value in histograms:
            histogram = value.histo
            self.assertEqual(step, 4)
            self.assertEqual(sum(histogram.bucket), histogram.num)
            self.assertEqual(sorted(histogram.bucket_limit), list(histogram.bucket_limit))
            self.assertLessEqual(histogram.max, histogram.bucket_limit[-1])
            norm = norms[value.tag.split("/", 1)[1]]["grad_norm"]
            self.assertLessEqual(abs(histogram.sum_squares ** 0.5 - norm), 1e-6 * norm)

        (step, value), = self.values("model", "image")
        self.assertEqual((step, value.tag), (4, "samples"))
        self.assertEqual(value.image.encoded[:8], b"\x89PNG\r\n\x1a\n")
        self.assertGreater(min(value.image.width, value.image.height), 100)

    def test_a_model_that_needs_an_input(self):
        self.train("humanize", config="groovae_2bar_humanize", num_steps=4, **FLAGS)
        (_, value), = self.values("humanize", "image")
        self.assertEqual(value.tag, "reconstructions")


if __name__ == "__main__":
    harness.main()
