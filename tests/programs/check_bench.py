#!/usr/bin/env python3
"""check_bench.py BIN_DIR PERFORMANCES MPIEXEC NUMPROC_FLAG: drumline-bench as its users meet it, with a tiny model.

Every mode at one and two ranks, as a table and as JSON, and what it refuses. PERFORMANCES makes a folder of MIDI files.
"""
import json
import math
import os
import subprocess
import sys
import tempfile

BIN, PERFORMANCES, MPIEXEC, NUMPROC = sys.argv[1:]
HPARAMS = "--hparams=bars=1,enc_rnn_size=8,dec_rnn_size=[6,4],z_size=4,batch_size=40"
SMALL = [HPARAMS, "--steps=2", "--num_outputs=18", "--micro_batch_size=12"]


def run(ranks, *words, status=0):
    command = [MPIEXEC, NUMPROC, str(ranks), os.path.join(BIN, "drumline-bench"), *words]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == status, f"{words}: status {result.returncode}\n{result.stdout}{result.stderr}"
    return result


def figures(ranks, *words):
    """{(mode, name, unit): row} of a run with --json, every number of which is sane."""
    result = run(ranks, *words, "--json")
    answer = json.loads(result.stdout)
    assert answer["ranks"] == ranks and answer["batch_size"] >= 40 and answer["threads"] >= 1, answer
    rows = {(row["mode"], row["name"], row["unit"]): row for row in answer["figures"]}
    assert len(rows) == len(answer["figures"]), "a name twice"
    for key, row in rows.items():
        assert math.isfinite(row["value"]) and row["value"] >= 0, row
        if "reference" in row:
            assert row["reference_value"] >= 0 and row["ratio"] >= 0, (key, row)
    return rows


def value(rows, *key):
    return rows[key]["value"]


def check_train(ranks):
    rows = figures(ranks, "train", *SMALL, "--peer_windows_per_second=1000")
    rate, step = rows["train", "windows_per_second", "1/s"], value(rows, "train", "step", "s")
    assert abs(rate["value"] * step - 40) < 1e-3, (rate, step)
    assert abs(rate["ratio"] - rate["value"] / 1000) < 1e-6 * rate["ratio"], rate
    flops, peak = value(rows, "train", "a_window", "MFLOP"), value(rows, "train", "sgemm_peak_of_all_ranks", "GFLOP/s")
    made = rows["train", "step", "GFLOP/s"]
    assert abs(made["value"] - flops * 40 / step / 1e3) < 1e-3 * made["value"], made
    assert abs(made["reference_value"] - peak) < 1e-6 * peak and 0 < made["ratio"] < 2, made
    assert 1 < value(rows, "train", "resident_memory_of_a_rank", "MB") < 2000
    phases = [row["value"] for row in rows.values() if row.get("reference") == "a step"]
    assert len(phases) == 9 and sum(phases) > 0, phases
    exposed = rows.get(("train", "exposed_sum_of_gradients", "ms"))
    assert (exposed is not None) == (ranks > 1), exposed
    assert ranks == 1 or exposed["reference_value"] > 0, exposed
    assert sum(1 for _, _, unit in rows if unit == "GFLOP/s") == 2 + 4


def check_speed_over_one(rows, mode, ranks, what="speed"):
    """Two ranks on this machine may be slower than one with work as small as this, but not by orders of magnitude."""
    row = rows.get((mode, f"{what}_of_2_ranks_over_one", "times"))
    assert (row is not None) == (ranks == 2), (mode, ranks, row)
    if row:
        assert row["reference_value"] == 2 and abs(row["ratio"] - row["value"] / 2) < 1e-6, row
        assert 0.01 < row["value"] < 20, row


def check_preprocess(midi, temporary, ranks):
    rows = figures(ranks, "preprocess", HPARAMS, f"--input_dir={midi}", f"--temporary_dir={temporary}")
    check_speed_over_one(rows, "preprocess", ranks)
    files = sum(name.lower().endswith((".mid", ".midi")) for _, _, names in os.walk(midi) for name in names)
    seconds, rate = value(rows, "preprocess", "seconds", "s"), value(rows, "preprocess", "files_per_second", "1/s")
    assert abs(seconds * rate - files) < 1e-3 * files, (seconds, rate, files)
    assert not os.listdir(temporary), os.listdir(temporary)


def check_scaling(rows, batch, ranks):
    check_speed_over_one(rows, "scaling", ranks)
    check_speed_over_one(rows, "scaling", ranks, "sgemm")
    for kind in ("strong", "weak"):
        steps = {n: rows.get(("scaling", f"predicted_{kind}_{n}_ranks", "ms")) for n in (1, 2, 4, 32, 64, 4096)}
        assert abs(steps[1]["ratio"] - 1) < 1e-9, steps
        assert steps[32] and (steps[4096] is not None) == (kind == "weak"), steps
        if kind == "strong":
            assert steps[64] is None, f"{batch} windows can't be shared by 64 ranks"
        else:
            assert steps[4096]["value"] >= steps[2]["value"] > 0, steps
            assert steps[4096]["ratio"] <= steps[2]["ratio"] <= 1 + 1e-9, steps
    assert ("scaling", f"measured_{ranks}_rank{'s' if ranks > 1 else ''}", "ms") in rows or ranks > 1, rows


def check_all(midi, temporary):
    """One run of everything, for people: one table, and nothing left behind."""
    result = run(2, *SMALL, f"--input_dir={midi}", f"--temporary_dir={temporary}")
    for line in ("train\n", "allreduce\n", "scaling\n", "generate\n", "preprocess\n", "windows per second", "64 KiB",
                 "predicted weak 4096 ranks", "windows written per second", "files per second"):
        assert line in result.stdout, f"no '{line}' in\n{result.stdout}"
    assert "predictions" in result.stderr, result.stderr
    assert not os.listdir(temporary), os.listdir(temporary)


def main():
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        midi, temporary = os.path.join(folder, "midi"), os.path.join(folder, "temporary")
        os.makedirs(midi)
        os.makedirs(temporary)
        subprocess.run([PERFORMANCES, "make", midi], check=True)
        check_train(1)
        check_train(2)
        check_preprocess(midi, temporary, 1)
        check_preprocess(midi, temporary, 2)
        check_all(midi, temporary)
        given = ["--latency_us=10", "--bandwidth_gbps=8"]
        rows = figures(1, "scaling", *SMALL, *given)
        check_scaling(rows, 40, 1)
        assert abs(value(rows, "scaling", "latency_of_a_message", "us") - 10) < 1e-6
        assert abs(value(rows, "scaling", "bandwidth_of_a_link", "Gbit/s") - 8) < 1e-6
        check_scaling(figures(2, "scaling", *SMALL, *given), 40, 2)
        rows = figures(1, "--mode=generate", *SMALL, "--config=groovae_2bar_hits_control",
                       f"--temporary_dir={temporary}")
        assert value(rows, "generate", "windows_written_per_second", "1/s") > 0
        assert len(rows) == 3, rows

        assert "mpirun -n 2" in run(1, "allreduce", status=1).stderr
        assert "--latency_us" in run(1, "scaling", status=1).stderr
        assert "less than one window for each of 2 ranks" in run(2, "train", "--hparams=batch_size=1", status=1).stderr
        assert "no such choice" in run(2, "trian", status=2).stderr
        assert "--input_dir" in run(1, "preprocess", f"--input_dir={folder}/none", status=1).stderr
        assert "--temporary_dir" in run(2, "generate", *SMALL, f"--temporary_dir={folder}/none", status=1).stderr
        assert "drumline-bench [MODE]" in run(1, "--help").stdout
        assert not os.listdir(temporary), os.listdir(temporary)


main()
