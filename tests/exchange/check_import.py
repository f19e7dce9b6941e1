#!/usr/bin/env python3
"""check_import.py BIN_DIR MAKE_CHECKPOINT DATA_SET: models in the formats of other programs, as foreign_formats.py writes
them, become model files of the same weights, bit for bit, which play, evaluate and begin a training; and what is damaged,
hostile or of something else is refused by name."""
import io
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

try:
    import h5py
    import mido
    import numpy
except ImportError:
    sys.exit(77)

import foreign_formats as formats

BIN, MAKE_CHECKPOINT, DATA_SET = sys.argv[1:4]
SECONDS, MEBIBYTES = 60, 700
SIZES = "enc_rnn_size=[8],dec_rnn_size=[6,5],z_size=4"
EQUAL_SIZES = "enc_rnn_size=[8],dec_rnn_size=[6,6],z_size=4" # which is all that Magenta.js can hold
HIERARCHICAL, FLAT = "groovae_4bar", "groovae_4bar_flat"
CONFIGS = {HIERARCHICAL: {"numSteps": 64, "numSegments": 4},
           FLAT: {"numSteps": 64},
           "groovae_2bar_humanize": {"numSteps": 32, "humanize": True},
           "groovae_2bar_tap_fixed_velocity": {"numSteps": 32, "tapify": True},
           "groovae_2bar_tap_fixed_velocity_note_dropout": {"numSteps": 32, "tapify": True},
           "groovae_2bar_add_closed_hh": {"numSteps": 32},
           "groovae_2bar_hits_control": {"numSteps": 32}}


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEBIBYTES << 20, MEBIBYTES << 20))


def run(program, *arguments, **flags):
    command = [os.path.join(BIN, program), *arguments]
    command += [f"--{name}={value}" for name, value in flags.items()]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False,
                          env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, preexec_fn=limit_memory)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def tensors_of(path):
    tensors = {}
    with h5py.File(path) as file:
        file["model"].visititems(
            lambda name, item: tensors.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
        return tensors, {name: value.decode() if isinstance(value, bytes) else value for name, value in file.attrs.items()}


def events(path):
    """A MIDI file's events but for the text that says how it was made, which names the model."""
    return [str(event) for track in mido.MidiFile(path).tracks for event in track if event.type != "text"]


class Importing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.mkdtemp(prefix="drumline-import-")
        cls.models, cls.count = {}, 0

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch)

    def path(self, *names):
        return os.path.join(self.scratch, *names)

    def model(self, config, changes=SIZES):
        """A small model of that config: its file and its tensors."""
        key = (config, changes)
        if key not in self.models:
            path = self.path(f"made-{len(self.models)}.h5")
            subprocess.run([MAKE_CHECKPOINT, config, changes, "7", path], check=True, timeout=SECONDS)
            self.models[key] = path
        return tensors_of(self.models[key])[0]

    def import_file(self, path, **flags):
        Importing.count += 1
        output = self.path(f"imported-{self.count}.h5")
        return run("drumline-train", mode="import", input_file=path, output_file=output, **flags), output

    def assert_imported(self, path, expected, **flags):
        """The model file has these weights; returns what was printed and its attributes."""
        result, output = self.import_file(path, **flags)
        self.assertEqual(result.returncode, 0, result.stderr)
        tensors, attributes = tensors_of(output)
        self.assertEqual(sorted(tensors), sorted(expected))
        for name, values in expected.items():
            self.assertEqual(tensors[name].tobytes(), values.tobytes(), name)
        return result.stdout + result.stderr, attributes

    def assert_refused(self, path, *parts, **flags):
        result, output = self.import_file(path, **flags)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        for part in parts:
            self.assertIn(part, result.stderr)
        self.assertFalse(os.path.exists(output))

    def magentas(self, config):
        return formats.to_magenta(self.model(config), controls=9 if config.endswith("hits_control") else 0)

    # --- what is read

    def test_bundles_of_every_config(self):
        for config in CONFIGS:
            with self.subTest(config):
                prefix = self.path("model.ckpt-1")
                formats.write_bundle(prefix, self.magentas(config))
                self.assert_imported(prefix + ".index", self.model(config), config=config)

    def test_layouts_of_bundles(self):
        layouts = [{"restart_interval": 1}, {"restart_interval": 2}, {"restart_interval": 1000}, {"share": False},
                   {"block_entries": 7}, {"block_entries": 1}, {"block_entries": 5, "restart_interval": 3},
                   {"shards": 3}, {"pad": 13}]
        for i, layout in enumerate(layouts):
            with self.subTest(layout):
                prefix = self.path(f"layout-{i}.ckpt")
                formats.write_bundle(prefix, self.magentas(FLAT), **layout)
                self.assert_imported(prefix, self.model(FLAT), config=FLAT)

    def test_what_a_training_stores_is_skipped_and_said(self):
        prefix = self.path("trained.ckpt-1234")
        formats.write_bundle(prefix, formats.with_training(self.magentas(HIERARCHICAL)))
        printed, attributes = self.assert_imported(prefix + ".data-00000-of-00001", self.model(HIERARCHICAL))
        self.assertIn("Adam's moments, global_step", printed)
        self.assertIn("as only that has such tensors", printed)
        self.assertEqual(attributes["recipe"], "imported from trained.ckpt-1234.data-00000-of-00001 "
                                               "(TensorFlow checkpoint, trained.ckpt-1234.index)")
        self.assertEqual(attributes["step"], 1234)
        self.assertEqual(attributes["config"], HIERARCHICAL)
        self.assertEqual(list(attributes["enc_rnn_size"]), [8])
        self.assertEqual(list(attributes["dec_rnn_size"]), [6, 5])
        self.assertEqual(attributes["z_size"], 4)

    def test_archives(self):
        folder = self.path("groovae_2bar_humanize")
        os.makedirs(folder)
        config = "groovae_2bar_humanize"
        formats.write_bundle(os.path.join(folder, "model.ckpt-3"), self.magentas(config))
        for mode in ("w", "w:gz"):
            path = self.path("groovae_2bar_humanize.tar")
            with tarfile.open(path, mode) as archive:
                archive.add(folder, "./groovae_2bar_humanize")
            self.assert_imported(path, self.model(config), config=config)
        path = self.path("groovae.zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__MACOSX/._model.ckpt-3.index", b"not this one")
            for name in os.listdir(folder):
                archive.write(os.path.join(folder, name), "\u00dcbung/b/" + name)
        self.assert_imported(path, self.model(config), config=config)
        self.assert_imported(folder, self.model(config), config=config)

    def test_the_newest_of_a_run(self):
        """A folder of several checkpoints, as a training of Magenta's leaves it."""
        folder, old = self.path("train"), self.magentas("groovae_2bar_hits_control")
        os.makedirs(folder)
        formats.write_bundle(os.path.join(folder, "model.ckpt-2"), self.magentas(HIERARCHICAL))
        formats.write_bundle(os.path.join(folder, "model.ckpt-10"), old)
        self.assert_refused(folder, "has 2 models in it", "train/model.ckpt-10.index")
        with open(os.path.join(folder, "checkpoint"), "w", encoding="utf-8") as file:
            file.write('model_checkpoint_path: "/home/me/train/model.ckpt-2"\n'
                       'all_model_checkpoint_paths: "/home/me/train/model.ckpt-10"\n')
        printed, _ = self.assert_imported(folder, self.model(HIERARCHICAL))
        self.assertIn("model.ckpt-2.index", printed)

    def test_changed_hparams(self):
        changes = SIZES + ",hits_as_controls=true"
        prefix, config = self.path("changed.ckpt"), "groovae_2bar_humanize"
        ours = self.model(config, changes)
        formats.write_bundle(prefix, formats.to_magenta(ours, controls=9))
        self.assert_refused(prefix, "9 controls, not 0", "--hparams=hits_as_controls=true", config=config)
        _, attributes = self.assert_imported(prefix, ours, config=config, hparams="hits_as_controls=true")
        self.assertEqual(attributes["hits_as_controls"], 1)
        self.assertEqual(attributes["humanize"], 1)

    def test_magenta_js(self):
        for config, converter in CONFIGS.items():
            with self.subTest(config):
                folder = self.path("js-" + config)
                formats.write_magenta_js(folder, self.magentas(config), converter)
                is_clear = "tap" not in config
                self.assert_imported(folder, self.model(config), **({} if is_clear else {"config": config}))
        with zipfile.ZipFile(self.path("js.zip"), "w") as archive:
            for name in os.listdir(folder):
                archive.write(os.path.join(folder, name), "tap/" + name)
        self.assert_imported(self.path("js.zip"), self.model(config))
        self.assert_imported(os.path.join(folder, "weights_manifest.json"), self.model(config))

    def test_quantized_magenta_js(self):
        ours = self.model(FLAT)
        for kind in ("uint8", "uint16", "float16"):
            with self.subTest(kind):
                folder = self.path("js-" + kind)
                stored = formats.write_magenta_js(folder, self.magentas(FLAT), CONFIGS[FLAT], kind, groups=3)
                expected = {name: stored[formats.magenta_name(name, False)] for name in ours}
                self.assert_imported(folder, expected)
                for name, values in ours.items():
                    tolerance = {"uint8": 255, "uint16": 65535, "float16": 1024}[kind]
                    scale = max(1e-6, numpy.ptp(values), abs(values).max())
                    self.assertLess(abs(expected[name] - values).max(), scale / tolerance, name)

    def test_safetensors(self):
        ours = self.model("groovae_2bar_hits_control")
        path = self.path("ours.safetensors")
        formats.write_safetensors(path, ours)
        self.assert_imported(path, ours)
        formats.write_safetensors(path, self.magentas("groovae_2bar_hits_control"))
        self.assert_imported(path, ours)
        halves = {name: values.astype(numpy.float16) for name, values in ours.items()}
        formats.write_safetensors(path, halves)
        self.assert_imported(path, {name: values.astype(numpy.float32) for name, values in halves.items()})
        doubles = {name: values.astype(numpy.float64) for name, values in ours.items()}
        formats.write_safetensors(path, doubles)
        self.assert_imported(path, ours)

    def test_there_and_back(self):
        """Out to Magenta.js and to safetensors and back: the same weights, hparams and notes, for every config."""
        for config in CONFIGS:
            self.model(config, EQUAL_SIZES)
            original = self.models[(config, EQUAL_SIZES)]
            tensors, attributes = tensors_of(original)
            for flags in ({"format": "magenta_js", "output_dir": self.path("out-" + config)},
                          {"format": "safetensors", "output_file": self.path(config + ".safetensors")}):
                with self.subTest(config=config, **flags):
                    result = run("drumline-train", mode="export", checkpoint_file=original, licence="CC BY 4.0", **flags)
                    self.assertEqual(result.returncode, 0, result.stderr)
                    path = flags.get("output_dir", flags.get("output_file"))
                    _, imported = self.assert_imported(path, tensors)
                    self.assertEqual(imported["licence"], "CC BY 4.0")
                    for name, value in attributes.items():
                        if name not in ("program_version", "date", "num_ranks", "updates"):
                            numpy.testing.assert_array_equal(imported[name], value, name)

    def test_latents_there_and_back(self):
        self.model(FLAT, EQUAL_SIZES)
        fitted = self.path("fitted.h5")
        result = run("drumline-train", mode="export", checkpoint_file=self.models[(FLAT, EQUAL_SIZES)],
                     examples_path=DATA_SET, output_file=fitted)
        self.assertEqual(result.returncode, 0, result.stderr)
        for flags in ({"format": "magenta_js", "output_dir": self.path("out-latents")},
                      {"format": "safetensors", "output_file": self.path("latents.safetensors")}):
            result = run("drumline-train", mode="export", checkpoint_file=fitted, **flags)
            self.assertEqual(result.returncode, 0, result.stderr)
            result, output = self.import_file(flags.get("output_dir", flags.get("output_file")))
            self.assertEqual(result.returncode, 0, result.stderr)
            with h5py.File(fitted) as before, h5py.File(output) as after:
                for name in ("latents/mean", "latents/factor"):
                    self.assertEqual(before[name][()].tobytes(), after[name][()].tobytes())

    # --- what imported models are good for

    def test_imported_models_play_evaluate_and_begin_a_training(self):
        folder = self.path("js-use")
        formats.write_magenta_js(folder, self.magentas(HIERARCHICAL), CONFIGS[HIERARCHICAL])
        result, output = self.import_file(folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        original = self.models[(HIERARCHICAL, SIZES)]
        outputs = []
        for path in (original, output):
            target = self.path("played-" + os.path.basename(path))
            result = run("drumline-generate", checkpoint_file=path, mode="sample", num_outputs=2, seed=3, latent="prior",
                         output_dir=target)
            self.assertEqual(result.returncode, 0, result.stderr)
            outputs.append([events(os.path.join(target, name)) for name in sorted(os.listdir(target))])
        self.assertEqual(len(outputs[0]), 2)
        self.assertTrue(any("note_on" in event for event in outputs[0][0]))
        self.assertEqual(*outputs)
        result = run("drumline-train", mode="export", checkpoint_file=original, format="safetensors",
                     output_file=self.path("use.safetensors"))
        self.assertEqual(result.returncode, 0, result.stderr)
        _, noted = self.import_file(self.path("use.safetensors")) # of the same seed, which an evaluation draws from
        lines = []
        for path in (original, noted):
            result = run("drumline-train", mode="eval", examples_path=DATA_SET, checkpoint_file=path, eval_split="train")
            self.assertEqual(result.returncode, 0, result.stderr)
            printed = result.stdout + result.stderr
            lines.append([word for word in printed.split() if word.replace(".", "").isdigit()][-4:])
        self.assertEqual(*lines)
        result = run("drumline-train", config=HIERARCHICAL, hparams=SIZES + ",batch_size=2", examples_path=DATA_SET,
                     run_dir=self.path("run"), init_checkpoint=output, num_steps=1, eval_steps=0)
        self.assertEqual(result.returncode, 0, result.stderr)

    # --- what is refused

    def test_configs_that_do_not_fit(self):
        prefix = self.path("unclear.ckpt")
        formats.write_bundle(prefix, self.magentas(FLAT))
        self.assert_refused(prefix, "do not show which config", "--config=groovae_4bar_flat",
                            "--config=groovae_2bar_humanize")
        self.assert_refused(prefix, "decoder is flat, not hierarchical", "what fits: --config=groovae_4bar_flat",
                            config=HIERARCHICAL)
        self.assert_refused(prefix, "0 controls, not 9", config="groovae_2bar_hits_control")
        folder = self.path("js-unclear")
        formats.write_magenta_js(folder, self.magentas(FLAT), CONFIGS["groovae_2bar_humanize"])
        self.assert_refused(folder, "2 bars, not 4", "what fits: --config=groovae_2bar_humanize", config=FLAT)
        path = self.path("noted.safetensors")
        self.model(FLAT)
        run("drumline-train", mode="export", checkpoint_file=self.models[(FLAT, SIZES)], format="safetensors",
            output_file=path)
        self.assert_refused(path, "is of config groovae_4bar_flat, not groovae_4bar", config=HIERARCHICAL)

    def test_tensors_that_do_not_fit(self):
        path, ours = self.path("changed.safetensors"), self.model(FLAT)

        def refuse(tensors, *parts):
            formats.write_safetensors(path, tensors)
            self.assert_refused(path, "changed.safetensors", *parts, config=FLAT)

        refuse({name: values for name, values in ours.items() if name != "encoder/sigma/bias"},
               "lacks tensors of a groovae_4bar_flat: encoder/sigma/bias")
        refuse({**ours, "encoder/sigma/bias": numpy.zeros(3, numpy.float32)}, "encoder/sigma/bias is [3], not [4]")
        refuse({**ours, "encoder/sigma/bias": numpy.zeros(4, numpy.int64)}, "does not hold floating-point numbers")
        refuse({**ours, "nade/w_enc": numpy.zeros(3, numpy.float32)}, "does not have: nade/w_enc")
        refuse({**ours, "encoder/mu/bias": numpy.full(4, numpy.nan, numpy.float32)}, "encoder/mu/bias",
               "not finite")
        refuse({"conv1/weight": numpy.zeros(3, numpy.float32)}, "holds no model of drum performances", "conv1/weight")
        refuse({**ours, "decoder/output/bias": numpy.zeros(512, numpy.float32)}, "512 numbers, not 27")
        refuse({**ours, "decoder/layer_0/bias": numpy.zeros(23, numpy.float32)}, "no bias of an LSTM")

    def test_damaged_bundles(self):
        prefix, tensors = self.path("damaged.ckpt"), self.magentas(FLAT)
        name = b"encoder/mu/bias"

        def refuse(*parts, change=None, **layout):
            formats.write_bundle(prefix, tensors, change, **layout)
            self.assert_refused(prefix, "damaged.ckpt", *parts, config=FLAT)

        def set_entry(**values):
            def change(entries, places):
                place = {"offset": places[name.decode()], **values}
                entries[name] = formats.entry(tensors[name.decode()], **place)
            return change

        refuse("encoder/mu/bias does not match its checksum", change=set_entry(crc=1))
        refuse("overlaps another tensor", change=set_entry(offset=4))
        refuse("lies at byte 9000000", change=set_entry(offset=9000000))
        refuse("lies at byte", change=set_entry(offset=2**63))
        refuse("but 4 values of 4 bytes", change=set_entry(size=12))
        refuse("lies in file 5 of 1", change=set_entry(offset=0, shard=5))
        refuse("partitioned variable", change=set_entry(extra=formats.field(7, b"\x0a\x00")))
        refuse("no header", change=lambda entries, places: entries.pop(b""))
        refuse("big-endian", change=lambda entries, places: entries.update({b"": formats.HEADER + formats.field(2, 1)}))
        late = formats.field(1, 1) + formats.field(3, formats.field(2, 9))
        refuse("version 9", change=lambda entries, places: entries.update({b"": late}))
        refuse("0 files of values", change=lambda entries, places: entries.update({b"": b""}))
        refuse("Snappy", kind=1)
        refuse("unknown type, 2", kind=2)
        refuse("not UTF-8", change=lambda entries, places: entries.update({b"\xff\xfe": entries[name]}))

        formats.write_bundle(prefix, tensors)
        with open(prefix + ".index", "r+b") as file:
            data = file.read()
            file.seek(40)
            file.write(bytes([data[40] ^ 1]))
        self.assert_refused(prefix, "does not match its checksum", config=FLAT)
        with open(prefix + ".index", "wb") as file:
            file.write(data[:-100])
        self.assert_refused(prefix, "does not end as a sorted table does", config=FLAT)
        formats.write_bundle(prefix, tensors)
        with open(prefix + ".data-00000-of-00001", "r+b") as file:
            file.truncate(100)
        self.assert_refused(prefix, "but there are 100 bytes", config=FLAT)
        os.remove(prefix + ".data-00000-of-00001")
        self.assert_refused(prefix, ".data-00000-of-00001", "No such file", config=FLAT)

    def test_damaged_safetensors(self):
        path, ours = self.path("bad.safetensors"), self.model(FLAT)

        def refuse(change, *parts):
            formats.write_safetensors(path, ours, {"a": "b"}, change)
            self.assert_refused(path, "bad.safetensors", *parts, config=FLAT)

        def places(begin, end):
            return lambda header: header["encoder/mu/bias"].update({"data_offsets": [begin, end]})

        refuse(places(0, 16), "inside another tensor")
        refuse(places(5, 10**12), "lies from byte 5 to 1000000000000")
        refuse(places(-1, 4), "encoder/mu/bias")
        refuse(lambda header: header["encoder/mu/bias"].update({"shape": [2**40, 2**40]}), "too many values")
        refuse(lambda header: header["encoder/mu/bias"].update({"shape": [-4]}), "negative dimension")
        refuse(lambda header: header["encoder/mu/bias"].update({"shape": 4}), "no shape")
        refuse(lambda header: header.pop("encoder/mu/bias"), "after a gap")
        refuse(lambda header: header.update({"__metadata__": {"a": 1}}), "not text")
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", 1 << 60) + b"{}")
        self.assert_refused(path, "does not begin as safetensors do")
        empty = b'"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
        text = b"{" + empty + b"," + empty + b"}"
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
        self.assert_refused(path, "duplicate")

    def test_damaged_magenta_js(self):
        folder, tensors = self.path("js-bad"), self.magentas(FLAT)

        def refuse(change, *parts, converter=None):
            formats.write_magenta_js(folder, tensors, converter or CONFIGS[FLAT])
            path = os.path.join(folder, "weights_manifest.json")
            with open(path, encoding="utf-8") as file:
                manifest = json.load(file)
            manifest = change(manifest) or manifest
            with open(path, "w", encoding="utf-8") as file:
                json.dump(manifest, file)
            self.assert_refused(folder, "js-bad", *parts)

        refuse(lambda m: m[0]["weights"][0].update({"shape": [10**9, 10**9]}), "passes the end")
        refuse(lambda m: m[0].update({"weights": m[0]["weights"][:-1]}), "belong to no weight")
        refuse(lambda m: m[0].update({"paths": m[0]["paths"][:-1]}), "passes the end")
        refuse(lambda m: m[0]["paths"].append("../../../etc/passwd"), "names a file outside of it: ../../../etc")
        refuse(lambda m: m[0]["paths"].append("/etc/passwd"), "names a file outside of it: /etc")
        refuse(lambda m: m[0]["paths"].append("nothing"), "nothing")
        refuse(lambda m: m[0]["weights"][0].update({"quantization": {"dtype": "uint4"}}), "unknown quantization")
        refuse(lambda m: m[0]["weights"][0].update({"quantization": {"dtype": "uint8"}}), "without scale and min")
        refuse(lambda m: m[0]["weights"][0].update({"dtype": "string"}), "neither float32 nor int32")
        refuse(lambda m: m[1]["weights"].append(m[0]["weights"][0]), "passes the end")
        refuse(lambda m: {"weights": 1}, "no list of groups")
        refuse(lambda m: None, "splitInstruments", converter={"splitInstruments": True})
        refuse(lambda m: None, "whole bars", converter={"numSteps": 33})
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump({"type": "MusicVAE", "dataConverter": {"type": "TrioConverter"}}, file)
        self.assert_refused(folder, "TrioConverter")
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            file.write("[" * 100000)
        self.assert_refused(folder, "config.json: is not valid JSON")

    def test_hostile_archives(self):
        path = self.path("hostile.tar")

        def refuse(name, part, kind=tarfile.REGTYPE, link=""):
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, link, 4 if kind == tarfile.REGTYPE else 0
            with tarfile.open(path, "w") as archive:
                archive.addfile(member, io.BytesIO(b"data"))
            self.assert_refused(path, "hostile.tar", part)

        refuse("../outside.index", "leads out of it")
        refuse("/tmp/absolute.index", "leads out of it")
        refuse("a/../../b.index", "leads out of it")
        refuse("link.index", "is a link", tarfile.SYMTYPE, "/etc/passwd")
        refuse("hard.index", "is a link", tarfile.LNKTYPE, "other")
        refuse("fifo.index", "is a link or a device", tarfile.FIFOTYPE)
        refuse("readme.txt", "has no weights_manifest.json, .index or .safetensors in it")
        self.assertFalse(os.path.exists("/tmp/absolute.index"))

        with zipfile.ZipFile(self.path("bomb.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("model.safetensors", bytes(300 << 20))
        self.assert_refused(self.path("bomb.zip"), "bomb.zip", "which no archive of its size")
        with zipfile.ZipFile(self.path("two.zip"), "w") as archive:
            archive.writestr("a.index", b"")
            archive.writestr("b.index", b"")
        self.assert_refused(self.path("two.zip"), "has 2 models in it")
        with tarfile.open(path, "w") as archive:
            for _ in range(2):
                archive.addfile(tarfile.TarInfo("a.index"))
        self.assert_refused(path, "holds a.index twice")
        with open(path, "r+b") as file:
            file.write(b"\0" * 100 + b"x" * 200)
        self.assert_refused(path, "hostile.tar")
        with open(self.path("cut.zip"), "wb") as file:
            file.write(b"PK\3\4" + b"\xff" * 100)
        self.assert_refused(self.path("cut.zip"), "cut.zip", "archive")

    def test_what_is_no_model(self):
        self.assert_refused("/nowhere/model.tar", "/nowhere/model.tar", "No such file")
        self.assert_refused("/dev/null", "neither a file nor a folder")
        self.model(FLAT)
        self.assert_refused(self.models[(FLAT, SIZES)], "is an HDF5 file", "need no import")
        text = self.path("text.txt")
        with open(text, "w", encoding="utf-8") as file:
            file.write("no model\n")
        self.assert_refused(text, "is not a model of a known format")
        empty = self.path("empty")
        os.mkdir(empty)
        self.assert_refused(empty, "has no weights_manifest.json")

    def test_command_line(self):
        result = run("drumline-train", mode="import", output_file=self.path("x.h5"))
        self.assertEqual(result.returncode, 2)
        self.assertIn("--input_file is missing", result.stderr)
        result = run("drumline-train", mode="import", input_file="x")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--output_file is missing", result.stderr)
        result = run("drumline-train", mode="export", input_file="x", checkpoint_file="y", output_file="z")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--input_file is for --mode=import", result.stderr)
        path = self.path("there.safetensors")
        formats.write_safetensors(path, self.model(FLAT))
        there = self.path("there.h5")
        with open(there, "w", encoding="utf-8") as file:
            file.write("mine")
        result = run("drumline-train", mode="import", config=FLAT, input_file=path, output_file=there)
        self.assertEqual(result.returncode, 1)
        self.assertIn("is there already", result.stderr)
        self.assertEqual(os.path.getsize(there), 4)
        result = run("drumline-train", "--overwrite", mode="import", config=FLAT, input_file=path, output_file=there)
        self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
