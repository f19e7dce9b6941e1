"""--trace: a timeline of steps on all ranks."""
import json

import harness

RANKS, STEPS = 3, 4


class Trace(harness.TrainingTest):
    def test_of_all_ranks(self):
        path = self.path("trace.json")
        self.train("plain", RANKS, num_steps=8, bucket_kib=4)
        job = self.train("run", RANKS, num_steps=8, trace=path, trace_steps=STEPS, bucket_kib=4)
        self.assertIn(f"wrote {path}", job.output)
        self.assertNotIn("did not fit", job.output)
        self.assert_same_losses(self.losses("run"), self.losses("plain"), range(1, 9), 0)
        with open(path, encoding="utf-8") as file:
            events = json.load(file)["traceEvents"]
        names = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
        self.assertEqual(sorted(names), list(range(RANKS)))
        total = None
        for rank in range(RANKS):
            self.assertTrue(names[rank].startswith(f"rank {rank} ("))
            spans = [event for event in events if event["ph"] == "X" and event["pid"] == rank]
            phases = [span for span in spans if span["tid"] == 0]
            self.assertEqual(sum(span["name"] == "optimizer" for span in phases), STEPS)
            self.assertEqual(sum(span["name"] == "waiting for gradients" for span in phases), STEPS)
            self.assertGreaterEqual(sum(span["name"] == "encoder forward" for span in phases), STEPS)
            for before, after in zip(phases, phases[1:]):
                self.assertLessEqual(before["ts"] + before["dur"], after["ts"] + 1)
            allreduces = [span for span in spans if span["tid"] == 1]
            self.assertGreater(len(allreduces), STEPS)
            size = sum(span["args"]["bytes"] for span in allreduces)
            self.assertEqual(total or size, size)
            total = size
            for span in spans:
                self.assertGreaterEqual(span["ts"], 0)
                self.assertGreaterEqual(span["dur"], 0)
        self.assertEqual(total % (4 * STEPS), 0)

    def test_a_session_that_ends_before(self):
        path = self.path("short.json")
        self.train("short", num_steps=3, trace=path)
        with open(path, encoding="utf-8") as file:
            events = json.load(file)["traceEvents"]
        self.assertEqual(sum(event["name"] == "optimizer" for event in events), 1)

    def test_a_file_that_can_not_be_written(self):
        self.refuse("refused", self.path("none", "trace.json"), num_steps=8, trace=self.path("none", "trace.json"))


if __name__ == "__main__":
    harness.main()
