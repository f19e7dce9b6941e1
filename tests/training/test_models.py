"""Models without optimizer state, of other programs and of ours, and averages of weights."""
import os
import shutil
import subprocess

import h5py
import mido
import numpy

import harness

GENERATE = os.path.join(harness.BIN, "drumline-generate")


def copy_model(source, target, dtype="f4", change=None):
    """The weights and attributes of a checkpoint in a file of h5py's own, so without a seal."""
    with h5py.File(source, "r") as checkpoint, h5py.File(target, "w") as model:
        for name, value in checkpoint.attrs.items():
            model.attrs[name] = value

        def copy(name, item):
            if isinstance(item, h5py.Dataset):
                model.create_dataset(f"model/{name}", data=item[()].astype(dtype))
        checkpoint["model"].visititems(copy)
        if change:
            change(model)


class Models(harness.TrainingTest):
    def run_made(self):
        """The path of a trained checkpoint, which all tests share."""
        if not self.checkpoints("run"):
            self.train("run", num_steps=4, eval_steps=4, fit_latents="false")
        return self.checkpoint("run", 4)

    def generate(self, *arguments, status=0, **environment):
        job = subprocess.run([GENERATE, "--output_dir", self.path("midi"), "--num_outputs=1", "--seed=1", *arguments],
                             capture_output=True, text=True, check=False, env={**os.environ, **environment})
        self.assertEqual(job.returncode, status, job.stderr)
        return job.stderr

    def evaluate(self, path):
        job = self.launch([harness.TRAIN, "--mode=eval", "--checkpoint_file", path, "--examples_path",
                           os.path.join(harness.DATA, "drums")]).wait()
        self.assertEqual(job.status, 0, job.output)
        return [line for line in job.output.splitlines() if line.startswith("eval at")][0], job.output

    def test_unsealed(self):
        checkpoint, model = self.run_made(), self.path("model.h5")
        copy_model(checkpoint, model)
        self.assertIn(f"{model}: has no seal", self.generate("--checkpoint_file", model))
        expected, output = self.evaluate(checkpoint)
        self.assertNotIn("no seal", output)
        found, output = self.evaluate(model)
        self.assertEqual(found, expected)
        self.assertIn(f"{model}: has no seal", output)

    def test_control_sequences(self):
        """A model of anybody's does not clear the screen of who evaluates it."""
        def change(model):
            model.attrs["config"] = "groovae_4bar\x1b[2J\u009b2J"
        copy_model(self.run_made(), self.path("hostile.h5"), change=change)
        _, output = self.evaluate(self.path("hostile.h5"))
        self.assertIn("groovae_4bar?[2J??2J at step 4", output)
        self.assertNotRegex(output, "[\x1b\x9b]")

    def test_half(self):
        checkpoint, model = self.run_made(), self.path("half.h5")
        for kind in ("<f2", ">f2"):
            copy_model(checkpoint, model, kind)
            self.generate("--checkpoint_file", model)
            self.train(f"from{kind[0]}", num_steps=1, init_checkpoint=model, hparams=f"grad_clip=1e-9,"
                       "learning_rate=1e-9,min_learning_rate=0")
            tensors, _ = harness.read_checkpoint(self.checkpoint(f"from{kind[0]}", 1))
            with h5py.File(checkpoint, "r") as trained:
                for name in ("decoder/output/kernel", "encoder/mu/bias"):
                    expected = trained["model"][name][()].astype("f2").astype("f4")
                    self.assertTrue(numpy.all(numpy.abs(tensors[f"model/{name}"] - expected) <= 1e-8), name)

    def test_latent_density(self):
        """Fitted at export to the means that an evaluation of the train split would see; samples are drawn from it."""
        checkpoint, model, data = self.run_made(), self.path("fitted.h5"), os.path.join(harness.DATA, "drums")
        job = self.launch([harness.TRAIN, "--mode=export", "--checkpoint_file", checkpoint, "--examples_path", data,
                           "--output_file", model]).wait()
        self.assertEqual(job.status, 0, job.output)
        self.assertIn("with a latent density", job.output)
        with h5py.File(model, "r") as file:
            mean, factor = file["latents/mean"][()], file["latents/factor"][()]
            size = len(mean)
            temperature = float(file["latents/temperature"][0])
        self.assertIn(round(temperature, 6), (0.8, 0.9, 1, 1.1))
        self.assertEqual(factor.shape, (size, size))
        self.assertTrue(numpy.all(numpy.triu(factor, 1) == 0) and numpy.all(numpy.diag(factor) > 0))
        self.assertTrue(numpy.all(numpy.isfinite(mean)))
        said = self.generate("--checkpoint_file", model, "--latent=fitted")
        self.assertIn(f"fitted latent density, temperature {temperature:.6g}, ", said)
        self.assertIn("latent prior N(0, 1), temperature 0.5", self.generate("--checkpoint_file", model, "--latent=prior"))
        self.assertIn("latent prior N(0, 1), temperature 0.5", self.generate("--checkpoint_file", checkpoint))
        said = self.generate("--checkpoint_file", checkpoint, "--latent=fitted", status=1)
        self.assertIn(f"{checkpoint}: has no fitted latent density", said)
        again = self.path("fitted_again.h5")  # a model that is exported again keeps its density
        job = self.launch([harness.TRAIN, "--mode=export", "--checkpoint_file", model, "--output_file", again]).wait()
        self.assertEqual(job.status, 0, job.output)
        with h5py.File(again, "r") as file:
            self.assertTrue(numpy.array_equal(file["latents/factor"][()], factor))

        def shrink(file):
            del file["latents/mean"]
            file["latents/mean"] = mean[:-1]
        damaged = self.path("damaged.h5")
        copy_model(model, damaged)
        with h5py.File(damaged, "a") as file:
            file["latents/factor"] = factor
            file["latents/mean"] = mean
            shrink(file)
        self.assertIn("latents/mean", self.generate("--checkpoint_file", damaged, status=1))

    def latents(self, status=0, ranks=1, **flags):
        command = [harness.TRAIN] + [f"--{name}={value}" for name, value in
                                     {"mode": "latents", "examples_path": os.path.join(harness.DATA, "drums"), **flags}.items()]
        job = self.launch(command, ranks).wait()
        self.assertEqual(job.status, status, job.output)
        return job.output

    def test_latents_mode(self):
        """Stored in the checkpoint, which differs in nothing else and is resumed as before; the same on two ranks."""
        checkpoint = self.run_made()
        before, before_attributes = harness.read_checkpoint(checkpoint)
        files = [self.path(f"latents-{number}.h5") for number in (1, 2)]
        for ranks, file in zip((1, 2), files):
            shutil.copy(checkpoint, file)
            self.assertIn(f"stored latent densities in {file}", self.latents(ranks=ranks, checkpoint_file=file))
        after, after_attributes = harness.read_checkpoint(files[0])
        for name, value in before.items():
            self.assertEqual(value.tobytes(), after[name].tobytes(), name)
        for name, value in before_attributes.items():
            self.assertEqual(str(value), str(after_attributes[name]), name)
        added = set(after) - set(before)
        self.assertTrue(added and all(name.startswith("latents/") for name in added), added)
        self.assertEqual(after["latents/velocity_sd"].shape, (9,))
        self.check_velocities(files[0], after["latents/velocities/means"], after["latents/velocities/quantiles"])
        names = after_attributes["latent_attributes"].split("\n")
        self.assertIn("density", names)
        self.assertEqual(after["latents/attributes/directions"].shape, (len(names), 6))
        again, _ = harness.read_checkpoint(files[1])
        for name in added:
            tolerance = 1e-6 if name.endswith("_sd") else 0
            self.assertTrue(numpy.all(numpy.abs(after[name] - again[name]) <= tolerance), name)
        self.generate("--checkpoint_file", files[0], "--velocity_noise=1", "--timing_noise=1")
        midi = self.path("midi-of-latents")
        for flags in ((), ("--latent=fitted",), ("--attribute=density:+1,loudness:-0.5",)):
            self.generate("--checkpoint_file", files[0], "--output_dir", midi, *flags)
        one = os.path.join(midi, sorted(os.listdir(midi))[0])
        moved = [self.path(f"moved-{amount}") for amount in (0, 3)]
        for folder, amount in zip(moved, (0, 3)):
            self.generate("--checkpoint_file", files[0], "--mode=attribute", f"--attribute= loudness: {amount} ",
                          "--input_midi_1", one, "--input_bar_1=1", "--output_dir", folder)
        outputs = [open(os.path.join(folder, os.listdir(folder)[0]), "rb").read() for folder in moved]
        self.assertNotEqual(*outputs)
        for flags, parts in (
                (("--mode=attribute", "--input_midi_1", one), ("needs --attribute",)),
                (("--attribute=density",), ("is not NAME:AMOUNT",)), (("--attribute=density:1,",), ("is not NAME:AMOUNT",)),
                (("--attribute=density:nan",), ("is not NAME:AMOUNT",)), (("--attribute=density:11",), ("from -10 to 10",)),
                (("--attribute=groove:1",), ("no attribute 'groove'", "density, ")), (("--style=polka",), ("has no styles", "--mode=latents")),
                (("--style=rock", "--latent=prior"), ("one of --style and --latent",)),
                (("--mode=reconstruct", "--input_midi_1", one, "--style=rock"), ("--style is for --mode=sample",))):
            message = self.generate("--checkpoint_file", files[0], *flags, status=2)
            for part in parts:
                self.assertIn(part, message)
        info = subprocess.run([os.path.join(harness.BIN, "drumline-info"), files[0]], capture_output=True, text=True, check=True)
        self.assertIn("a density of 6 numbers", info.stdout)
        self.assertIn("density, mean", info.stdout)
        self.assertIn("is of config groovae_4bar, not", self.latents(status=1, checkpoint_file=files[0], config="groovae_2bar_humanize"))

    def check_velocities(self, model, means, quantiles):
        """Velocities are distributed as is stored; a file of an earlier version has no such thing, a damaged one is refused."""
        self.assertEqual(means.shape, (9, 8))
        self.assertEqual(quantiles.shape, (9 * 8, 33))
        self.assertTrue(numpy.all(numpy.diff(quantiles.reshape(9, 8, 33), axis=1) >= 0))
        self.assertTrue(numpy.all(numpy.diff(quantiles, axis=1) >= 0) and numpy.all(numpy.diff(means, axis=1) >= 0))
        falling, wild = means.copy(), quantiles.copy()
        falling[3, 2], wild[1, 32] = 0.999, numpy.inf
        for name, changes, part in (
                ("earlier", {"means": None, "quantiles": None, "../temperature": None}, None),
                ("warm", {"../temperature": numpy.array([1.25], "f4")}, None),
                ("cold", {"../temperature": numpy.array([-1], "f4")}, "the temperature of samples is not in [0, 100]"),
                ("whole", {}, None),
                ("falling", {"means": falling}, "velocities of drum 4 are not in rising order"),
                ("wild", {"quantiles": wild}, "not finite"),
                ("short", {"quantiles": quantiles[:-1]}, "latents/velocities/quantiles"),
                ("wide", {"quantiles": numpy.zeros((72, 300), "f4")}, "more than allowed"),
                ("half", {"quantiles": None}, "latents/velocities/quantiles")):
            changed = self.path(f"velocities-{name}.h5")
            def add_latents(file, changes=changes):
                with h5py.File(model, "r") as source:
                    source.copy("latents", file)
                for dataset, value in changes.items():
                    path = os.path.normpath(f"latents/velocities/{dataset}")
                    del file[path]
                    if value is not None:
                        file[path] = value
            copy_model(model, changed, change=add_latents)
            said = self.generate("--checkpoint_file", changed, "--velocity_noise=1", status=1 if part else 0)
            expected = {"earlier": "temperature 0.9,", "warm": "temperature 1.25,"}.get(name, part)
            self.assertIn(expected or "made by groovae_4bar", said)

    def test_latents_at_the_end(self):
        """A training ends by fitting them for best.h5; with --nofit_latents, or where that fails, it just ends."""
        for name, flags in (("fitted", {}), ("unfitted", {"fit_latents": "false"})):
            job = self.train(name, num_steps=2, eval_steps=2, **flags)
            with h5py.File(self.path(name, "train", "best.h5"), "r") as best:
                self.assertEqual("latents" in best, not flags, job.output)
        self.assertNotIn("fitting latent", self.train("fitted", num_steps=2, eval_steps=2).output)
        self.assertIn("stored latent densities", self.train("unfitted", num_steps=2, eval_steps=2).output)

    def test_hostile(self):
        checkpoint = self.run_made()

        def virtual(model):
            shape = model["model/encoder/mu/bias"].shape
            del model["model/encoder/mu/bias"]
            layout = h5py.VirtualLayout(shape, "f4")
            layout[:] = h5py.VirtualSource(checkpoint, "model/encoder/mu/bias", shape)
            model.create_virtual_dataset("model/encoder/mu/bias", layout)

        def replace(values):
            def change(model):
                del model["model/encoder/mu/bias"]
                model["model/encoder/mu/bias"] = values
            return change
        size = 6
        cases = (
            (replace(numpy.full(size, numpy.nan, "f4")), "not finite"),
            (replace(numpy.full(size, numpy.inf, "f2")), "not finite"),
            (replace(numpy.zeros(size + 1, "f4")), "size of dimension 0 is 7, but must be 6"),
            (replace(numpy.zeros((size, 1), "f4")), "number of dimensions"),
            (replace(numpy.zeros(size, "i4")), "neither 32-bit nor 16-bit floats"),
            (replace(numpy.zeros(size, "f8")), "neither 32-bit nor 16-bit floats"),
            (virtual, "is a virtual dataset, which would be read from other files"),
            (lambda model: model.pop("model/encoder/mu/bias"), "missing"),
            (lambda model: model.attrs.__delitem__("config"), "config"),
            (lambda model: model.attrs.__setitem__("bars", 65), "bars"),
            (lambda model: model.attrs.__setitem__("z_size", 7), "size of dimension"),
        )
        for number, (change, reason) in enumerate(cases):
            model = self.path(f"hostile-{number}.h5")
            copy_model(checkpoint, model, change=change)
            message = self.generate("--checkpoint_file", model, "--mode=reconstruct", "--input_midi_1=/nowhere.mid",
                                    status=1)
            self.assertIn(reason, message)
            self.assertIn(model, message)

    def test_no_resume(self):
        checkpoint = self.run_made()
        shutil.copytree(self.path("run"), self.path("model_only"))
        copy_model(checkpoint, self.checkpoint("model_only", 5))
        self.refuse("model_only", self.checkpoint("model_only", 5), "without optimizer state", "--init_checkpoint",
                    num_steps=6)
        self.assertTrue(os.path.exists(self.checkpoint("model_only", 5)))

    def test_begin_from_a_run(self):
        self.run_made()
        job = self.train("next", num_steps=2, init_checkpoint=self.path("run"), hparams=f"free_bits=3")
        self.assertIn(f"initial weights from {self.checkpoint('run', 4)} (groovae_4bar at step 4)", job.output)
        self.assertIn("free_bits is 3 here, 0.5 there", job.output)
        self.assertEqual(self.losses("next").keys(), {1, 2})
        job = self.train("next", num_steps=3, init_checkpoint=self.path("run"))
        self.assertIn("--init_checkpoint is not used", job.output)
        os.mkdir(self.path("empty"))
        self.refuse("other", "has no checkpoint", init_checkpoint=self.path("empty"))

    def test_begin_from_a_model_by_name(self):
        """Its hparams come along, and --hparams changes them."""
        checkpoint, folder = self.run_made(), self.path("shipped")
        os.mkdir(folder)
        shutil.copy(checkpoint, os.path.join(folder, "groovae_4bar.h5"))
        self.environment["DRUMLINE_MODELS"] = folder
        self.addCleanup(self.environment.pop, "DRUMLINE_MODELS")
        command = [word for word in self.arguments("named", init_checkpoint="groovae_4bar", num_steps=1)
                   if not word.startswith("--hparams=")]
        job = self.launch(command + ["--hparams=free_bits=3"]).wait()
        self.assertEqual(job.status, 0, job.output)
        self.assertIn(f"initial weights from {folder}/groovae_4bar.h5 (groovae_4bar at step 4)", job.output)
        attributes = harness.read_checkpoint(self.checkpoint("named", 1))[1]
        expected = harness.read_checkpoint(checkpoint)[1]
        for name in ("enc_rnn_size", "z_size", "batch_size", "dropout_keep_prob"):
            self.assertEqual(attributes[name], expected[name], name)
        self.assertEqual((attributes["free_bits"], expected["free_bits"]), (3, 0.5))

    def export(self, output, status=0, **flags):
        every = {"mode": "export", "run_dir": self.path("run"), "output_file": output, **flags}
        command = [harness.TRAIN] + [f"--{name}={value}" for name, value in every.items() if value is not None]
        job = self.launch(command).wait()
        self.assertEqual(job.status, status, job.output)
        return job.output

    def midi(self, path):
        """What a model generates from one seed, without the text that says how and by which file."""
        folder = self.path("compared")
        shutil.rmtree(folder, ignore_errors=True)
        self.generate("--checkpoint_file", path, "--output_dir", folder)
        tracks = mido.MidiFile(os.path.join(folder, os.listdir(folder)[0])).tracks
        return [str(message) for track in tracks for message in track if message.type != "text"]

    def test_export(self):
        checkpoint, output = self.run_made(), self.path("exported.h5")
        text = self.export(output, licence="CC BY 4.0", attribution="Groove MIDI Dataset, Gillick et al. 2019")
        self.assertIn(f"wrote {output}: groovae_4bar at step 4", text)
        with open(output, "rb") as file:
            self.assertTrue(file.read(64).startswith(b"drumline-seal 1 "))
        expected, expected_attributes = harness.read_checkpoint(checkpoint)
        tensors, attributes = harness.read_checkpoint(output)
        self.assertEqual(set(tensors), {name for name in expected if name.startswith("model/")})
        for name, value in tensors.items():
            self.assertEqual(value.tobytes(), expected[name].tobytes(), name)
        self.assertEqual(attributes["licence"], "CC BY 4.0")
        self.assertEqual(attributes["attribution"], "Groove MIDI Dataset, Gillick et al. 2019")
        recipe = attributes["recipe"]
        for part in ("--config=groovae_4bar", "--num_steps=4", "--seed=0", "z_size=6", "batch_size=13"):
            self.assertIn(part, recipe)
        for name in ("config", "step", "content_sha256", "val_loss", "z_size", "free_bits"):
            self.assertEqual(attributes[name], expected_attributes[name], name)
        self.assertEqual(self.midi(output), self.midi(checkpoint))
        again = self.path("again.h5")
        self.export(again, run_dir=None, checkpoint_file=output)
        self.assertEqual(harness.read_checkpoint(again)[1]["recipe"], recipe)
        self.assertEqual(harness.read_checkpoint(again)[1]["licence"], "CC BY 4.0")

    def test_export_half(self):
        checkpoint, output = self.run_made(), self.path("half_exported.h5")
        self.export(output, dtype="f16")
        expected, _ = harness.read_checkpoint(checkpoint)
        tensors, _ = harness.read_checkpoint(output)
        for name, value in tensors.items():
            self.assertEqual(value.dtype, numpy.float16, name)
            self.assertEqual(value.tobytes(), expected[name].astype("f2").tobytes(), name)
        self.assertGreater(len(self.midi(output)), 5)
        self.assertIn("groovae_4bar at step 4", self.evaluate(output)[1])

    def test_export_overwrites_nothing(self):
        self.run_made()
        output = self.path("there.h5")
        with open(output, "wb") as file:
            file.write(b"mine")
        self.assertIn("--overwrite", self.export(output, status=1))
        with open(output, "rb") as file:
            self.assertEqual(file.read(), b"mine")
        self.export(output, overwrite="True")
        self.assertGreater(os.path.getsize(output), 1000)
        self.assertIn("can't", self.export(self.path("no", "folder.h5"), status=1))
        self.assertIn("--output_file is missing", self.export(None, status=2))
        self.assertIn("longer than", self.export(self.path("long.h5"), status=2, licence="x" * 1024))
        self.assertIn("of config groovae_4bar, not", self.export(self.path("other.h5"), status=1,
                                                                 config="groovae_4bar_flat"))
        self.assertIn("are for --mode=export", self.export(self.path("x.h5"), status=2, mode="eval"))
        self.assertEqual([name for name in os.listdir(self.scratch) if ".tmp" in name], [])

    RECIPE = "optimizer=adamw,weight_decay=0.1,ema_decay=0.9"

    def test_average(self):
        """Resumed at any step, on the same ranks, adamw and the average come out bit for bit."""
        for ranks in (1, 2):
            whole, broken = f"whole{ranks}", f"broken{ranks}"
            self.train(whole, ranks, num_steps=9, hparams=self.RECIPE, eval_steps=3)
            for step in (2, 5, 9):
                self.train(broken, ranks, num_steps=step, hparams=self.RECIPE, eval_steps=3)
            self.assert_bit_identical(self.checkpoint(broken, 9), self.checkpoint(whole, 9))
            tensors, _ = harness.read_checkpoint(self.checkpoint(whole, 9))
            self.assertIn("ema/encoder/mu/kernel", tensors)

    def test_average_is_evaluated_and_exported(self):
        self.train("averaged", num_steps=6, hparams=self.RECIPE, eval_steps=6, log_steps=6, fit_latents="false")
        checkpoint, output = self.checkpoint("averaged", 6), self.path("averaged.h5")
        tensors, attributes = harness.read_checkpoint(checkpoint)
        self.assertIn("(averaged)", self.export(output, run_dir=None, checkpoint_file=checkpoint))
        for path in (output, self.path("averaged", "train", "best.h5")):
            exported, _ = harness.read_checkpoint(path)
            for name, value in exported.items():
                self.assertEqual(value.tobytes(), tensors[name.replace("model/", "ema/", 1)].tobytes(), name)
                self.assertTrue(name.startswith("model/"))
        self.assertNotEqual(tensors["ema/encoder/mu/kernel"].tobytes(), tensors["model/encoder/mu/kernel"].tobytes())
        found, _ = self.evaluate(output)
        self.assertIn(f"val_loss {attributes['val_loss']:.2f}", found)
        self.assertEqual(self.evaluate(checkpoint)[0], found)
        self.assertEqual(self.midi(checkpoint), self.midi(output))

    def test_average_set_on_resume(self):
        self.train("late", num_steps=4)
        self.assertFalse(any(name.startswith("ema/")
                             for name in harness.read_checkpoint(self.checkpoint("late", 4))[0]))
        job = self.train("late", num_steps=5, hparams="ema_decay=0.75")
        self.assertIn("from here on ema_decay is 0.75", job.output)
        before, _ = harness.read_checkpoint(self.checkpoint("late", 4))
        after, _ = harness.read_checkpoint(self.checkpoint("late", 5))
        decay = min(0.75, 6 / 15)
        for name in ("decoder/output/kernel", "encoder/mu/bias"):
            expected = decay * before[f"model/{name}"] + (1 - decay) * after[f"model/{name}"]
            self.assertTrue(numpy.allclose(after[f"ema/{name}"], expected, rtol=1e-4, atol=1e-7), name)

    def test_by_config(self):
        checkpoint, models = self.run_made(), self.path("models")
        os.mkdir(models)
        alone = self.path("alone/build/release/bin")  # without the models that lie beside the program
        os.makedirs(alone)
        job = subprocess.run([shutil.copy(GENERATE, alone), "--config=groovae_4bar", "--models_dir", models, "--output_dir",
                              self.path("midi")], capture_output=True, text=True, check=False,
                             env={**os.environ, "DRUMLINE_MODELS": ""})
        self.assertEqual(job.returncode, 1, job.stderr)
        self.assertIn("no model file groovae_4bar.h5", job.stderr)
        self.assertIn(models, job.stderr)
        shutil.copy(checkpoint, os.path.join(models, "groovae_4bar.h5"))
        self.generate("--config=groovae_4bar", "--models_dir", models)
        self.generate("--config=groovae_4bar", DRUMLINE_MODELS=f"/nowhere:{models}")


if __name__ == "__main__":
    harness.main()
