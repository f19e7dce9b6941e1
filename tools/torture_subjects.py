"""What tools/torture.py disturbs: commands, each with what it must reach."""
import collections
import glob
import json
import os
import re
import shutil

import h5py

STEPS, EVERY = 6, 2
HPARAMS = "enc_rnn_size=[8],dec_rnn_size=[8],z_size=4,batch_size=8,learning_rate=0.01"


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def bytes_of(array):
    return repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes()


def read_all(path):
    """Every data set of an HDF5 file, checksums checked: name -> bytes."""
    content = {}
    try:
        with h5py.File(path, "r") as file:
            file.visititems(lambda name, item: content.update({name: bytes_of(item[()])})
                            if isinstance(item, h5py.Dataset) else None)
            content["step"] = str(file.attrs.get("step", ""))
    except (OSError, KeyError, RuntimeError) as error:
        raise AssertionError(f"{path}: not valid: {error}") from None
    return content


class Subject:
    """A command with what it must reach. Folder: where its files are."""
    launcher = False  # two ranks
    name = program = ""

    def __init__(self, bench):
        self.bench = bench
        self.seconds = 1.0
        self.calls = {}  # by each way of disturbing them: (name, number, path)

    def arguments(self, folder):
        raise NotImplementedError

    def command(self, folder, wrap=(), rank=0):
        own = [os.path.join(self.bench.bin, self.program)] + self.arguments(folder)
        if not self.launcher:
            return list(wrap) + own
        ranks = [own, own]
        ranks[rank] = list(wrap) + own
        return ["mpirun", "-n", "1"] + ranks[0] + [":", "-n", "1"] + ranks[1]

    def prepare(self, folder):
        os.makedirs(folder)

    def check(self, folder):
        """What has a final name is whole."""

    def check_done(self, folder):
        """All is there, and nothing else."""

    def hidden(self, folder):
        return [name for _, folders, files in os.walk(folder) for name in folders + files if name.startswith(".")]


class Preprocess(Subject):
    name, program = "preprocess", "drumline-preprocess"
    over = None

    def arguments(self, folder):
        return [f"--input_dir={self.bench.midi}", f"--output_dir={folder}/data", "--overwrite", "--recursive"]

    def index(self, folder):
        return os.path.join(folder, "data", "index.h5")

    def check(self, folder):
        if os.path.exists(self.index(folder)):
            content = read_all(self.index(folder))
            expect(content in (self.reference, self.over), "the data set is neither the old nor the new one")
        elif self.over:
            staged = glob.glob(os.path.join(folder, "data", ".*", "index.h5"))
            expect(staged, f"no data set is left: {os.listdir(os.path.join(folder, 'data'))}")

    def check_done(self, folder):
        content = read_all(self.index(folder))
        if not hasattr(self, "reference"):
            self.reference = content
        expect(content == self.reference, "another data set")
        names = [name for name in sorted(os.listdir(os.path.join(folder, "data"))) if not name.startswith(".")]
        expect(names == ["index.h5", self.shards], f"the data set has other files: {names}")

    shards = "shard-00000-of-00001.h5"


class Overwrite(Preprocess):
    name = "overwrite"

    def prepare(self, folder):
        shutil.copytree(self.bench.other, os.path.join(folder, "data"))
        self.over = read_all(self.index(folder))


class Train(Subject):
    name, program = "train", "drumline-train"
    starts_at = None

    def arguments(self, folder):
        return ["--config=groovae_2bar_humanize", f"--run_dir={folder}/run", f"--examples_path={self.bench.data}",
                f"--hparams={HPARAMS}", f"--num_steps={STEPS}", f"--save_checkpoint_steps={EVERY}", "--log_steps=1",
                f"--eval_steps={EVERY}", "--checkpoints_to_keep=10"]

    def prepare(self, folder):
        os.makedirs(os.path.join(folder, "run", "train"))

    def check(self, folder):
        train = os.path.join(folder, "run", "train")
        for path in glob.glob(os.path.join(train, "*.h5")):
            name = os.path.basename(path)
            content = read_all(path)
            step = content["step"]
            expect(step in self.weights, f"{name}: of step {step}")
            own = {key: value for key, value in content.items() if key.startswith(("model", "optimizer"))}
            wanted = {key: self.weights[step][key] for key in own}
            expect(own == wanted and len(own) > 10, f"{name}: not the weights of step {step} of an undisturbed run")
        expect(not glob.glob(os.path.join(train, "*.damaged")), "a checkpoint is called damaged")
        if self.starts_at:
            expect(glob.glob(os.path.join(train, f"checkpoint-{self.starts_at:08d}.h5")), "a checkpoint is lost")

    def check_done(self, folder):
        train = os.path.join(folder, "run", "train")
        names = {f"checkpoint-{step:08d}.h5" for step in range(EVERY, STEPS + 1, EVERY)} | {"best.h5", "metrics.jsonl"}
        may_stay = {"lock", "rank_times.json"} if self.bench.faulty else {"rank_times.json"}
        found = {name for name in set(os.listdir(train)) - may_stay if name in names or not re.fullmatch(r"\..*|checkpoint-\d+\.h5", name)}
        expect(found == names, f"RUN/train has other files: {sorted(os.listdir(train))}")
        if not hasattr(self, "weights"):
            every = os.path.join(self.bench.folder, f"{self.name}-every-step")
            self.bench.must([word.replace(f"={EVERY}", "=1").replace(folder, every) if "checkpoint_steps" in word or folder in word
                             else word for word in self.command(folder)])
            self.weights = {str(step): read_all(f"{every}/run/train/checkpoint-{step:08d}.h5") for step in range(1, STEPS + 1)}
            self.losses = self.read_losses(train)
        self.check(folder)
        losses = self.read_losses(train)
        if self.bench.faulty:  # the line of metrics that could not be written is missing
            losses = {**self.losses, **losses}
        expect(losses == self.losses, f"other losses: {losses}, not {self.losses}")

    @staticmethod
    def read_losses(train):
        losses = {}
        with open(os.path.join(train, "metrics.jsonl"), encoding="utf-8") as file:
            for line in file:
                values = json.loads(line)
                if "event" not in values and "loss" in values:
                    losses[values["step"]] = values["loss"]
        return losses


class Resume(Train):
    name, starts_at = "resume", STEPS - EVERY

    def prepare(self, folder):
        shutil.copytree(self.bench.partial, os.path.join(folder, "run"))


class TwoRanks(Train):
    name, launcher = "train_2_ranks", True


class Evaluate(Resume):
    name = "evaluate"

    def arguments(self, folder):
        return ["--mode=eval", f"--run_dir={folder}/run", f"--examples_path={self.bench.data}"]

    def check_done(self, folder):
        self.check(folder)
        with open(os.path.join(folder, "run", "eval", "metrics.jsonl"), encoding="utf-8") as file:
            values = json.loads(file.read().splitlines()[-1])
        loss = values["val_loss"]
        self.loss = getattr(self, "loss", loss)
        expect(loss == self.loss, f"val_loss {loss}, not {self.loss}")


class Export(Resume):
    name = "export"

    def arguments(self, folder):
        return ["--mode=export", f"--run_dir={folder}/run", f"--output_file={folder}/model.h5", "--overwrite"]

    def check(self, folder):
        super().check(folder)
        if os.path.exists(f"{folder}/model.h5"):
            content = read_all(f"{folder}/model.h5")
            expect(content == getattr(self, "reference", content), "another model file")

    def check_done(self, folder):
        self.reference = getattr(self, "reference", None) or read_all(f"{folder}/model.h5")
        self.check(folder)
        names = [name for name in sorted(os.listdir(folder)) if not name.startswith(".")]
        expect(names == ["model.h5", "run"], f"other files: {names}")


class Generate(Subject):
    name, program = "generate", "drumline-generate"
    COUNT = 3

    def arguments(self, folder):
        return [f"--run_dir={self.bench.run}", "--mode=sample", f"--num_outputs={self.COUNT}", "--seed=7", f"--output_dir={folder}/new"]

    def sets(self, folder):
        sets = collections.defaultdict(dict)
        for path in glob.glob(os.path.join(folder, "new", "*.mid")):
            found = re.fullmatch(r"(.*)-(\d+)-of-\d+\.mid", os.path.basename(path))
            expect(found, f"{path}: not the name of an output")
            with open(path, "rb") as file:
                sets[found[1]][int(found[2])] = file.read()
        return sets

    def check(self, folder):
        for name, files in self.sets(folder).items():
            for number, content in files.items():
                expect(content == self.reference[number], f"{name}: file {number} is another, or cut")

    def check_done(self, folder):
        sets = self.sets(folder)
        whole = [files for files in sets.values() if len(files) == self.COUNT]
        expect(whole, f"no whole set: {os.listdir(os.path.join(folder, 'new'))}")
        self.reference = getattr(self, "reference", whole[0])
        self.check(folder)


SUBJECTS = (Preprocess, Overwrite, Train, Resume, TwoRanks, Evaluate, Export, Generate)
