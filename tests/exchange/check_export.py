#!/usr/bin/env python3
"""check_export.py BIN_DIR MAKE_CHECKPOINT: the folder that drumline-train --format=magenta_js writes, read by the rules of
tensorflow.js's manifests, and what is refused.

Files have at most 4 MiB and hold exactly what the manifest lists; weights are those of the checkpoint; an export over another one
leaves nothing of it. Magenta.js itself is asked by magenta_js.cjs."""
import json
import os
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

BIN, MAKE_CHECKPOINT = map(os.path.abspath, sys.argv[1:])
LSTM = "bidirectional_rnn/{}/multi_rnn_cell/cell_0/lstm_cell/{}"


def make(name, config, hparams):
    subprocess.run([MAKE_CHECKPOINT, config, hparams, "5", f"{name}.h5"], check=True)
    return f"{name}.h5"


def export(checkpoint, *flags, status=0):
    """Standard error of an export that must end with that status."""
    done = subprocess.run([f"{BIN}/drumline-train", "--mode=export", f"--checkpoint_file={checkpoint}", *flags],
                          capture_output=True, text=True)
    assert done.returncode == status, (flags, done.returncode, done.stderr)
    return done.stderr


def read(folder, part=""):
    """Names to arrays, from the manifest; every byte of every file is used."""
    here = os.path.join(folder, part)
    dtypes = {None: ("<f4", 4), "float16": ("<f2", 2), "uint8": ("u1", 1)}
    arrays = {}
    with open(os.path.join(here, "weights_manifest.json"), encoding="utf-8") as file:
        groups = json.load(file)
    for group in groups:
        pieces = []
        for path in group["paths"]:
            with open(os.path.join(here, path), "rb") as file:
                pieces.append(file.read())
        assert all(len(piece) == 4 << 20 for piece in pieces[:-1]) and all(len(piece) <= 4 << 20 for piece in pieces)
        data = b"".join(pieces)
        for weight in group["weights"]:
            assert weight["dtype"] == "float32"
            quantization = weight.get("quantization", {})
            dtype, size = dtypes[quantization.get("dtype")]
            size *= int(numpy.prod(weight["shape"]))
            values = numpy.frombuffer(data[:size], dtype).astype("f8" if "scale" in quantization else "f4")
            if "scale" in quantization:
                values = values * quantization["scale"] + quantization["min"]
            assert weight["name"] not in arrays, weight["name"]
            arrays[weight["name"]] = values.reshape(weight["shape"])
            data = data[size:]
        assert not data, "bytes that belong to no weight"
    return arrays


def read_config(folder, part=""):
    with open(os.path.join(folder, part, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    assert config["type"] == "MusicVAE" and config["dataConverter"]["type"] == "GrooveConverter"
    return config


def check_flat():
    checkpoint = make("taps", "groovae_2bar_tap_fixed_velocity", "enc_rnn_size=[400],dec_rnn_size=[7,7],z_size=5,input_as_controls=true")
    export(checkpoint, "--format=magenta_js", "--output_dir=made/in/taps")
    config = read_config("made/in/taps")
    arguments = config["dataConverter"]["args"]
    assert arguments["numSteps"] == 32 and arguments["tapify"] is True and arguments["humanize"] is False
    assert "numSegments" not in arguments and config["extraControls"] == [{"name": "input", "depth": 27}]
    assert [pitches[0] for pitches in arguments["pitchClasses"]] == [36, 38, 42, 46, 45, 48, 50, 49, 51]
    assert "z_size=5" in config["drumline"]["hparams"] and config["drumline"]["config"] == "groovae_2bar_tap_fixed_velocity"
    arrays = read("made/in/taps")
    with h5py.File(checkpoint) as file:
        model = file["model"]
        encoder, decoder = model["encoder/backward/layer_0/kernel"][:], model["decoder/layer_0/kernel"][:]
        there = arrays["encoder/cell_0/" + LSTM.format("bw", "kernel")]
        assert (there == numpy.concatenate([encoder[:27], numpy.zeros((27, 1600)), encoder[27:]])).all()
        there = arrays["decoder/multi_rnn_cell/cell_0/lstm_cell/kernel"]
        assert (there == numpy.concatenate([decoder[:27], decoder[54:59], decoder[27:54], decoder[59:]])).all()
        assert (arrays["encoder/sigma/bias"] == model["encoder/sigma/bias"][:]).all()
        assert (arrays["decoder/z_to_initial_state/kernel"] == model["decoder/initial_state/kernel"][:]).all()
    assert os.path.exists("made/in/taps/group1-shard2of2.bin")


def check_hierarchical():
    checkpoint = make("bars", "groovae_4bar", "enc_rnn_size=[8],dec_rnn_size=[7,7],z_size=5")
    export(checkpoint, "--format=magenta_js", "--output_dir=bars")
    assert read_config("bars")["dataConverter"]["args"]["numSegments"] == 4
    assert "numSegments" not in read_config("bars", "encoder")["dataConverter"]["args"]
    arrays, encoder = read("bars"), read("bars", "encoder")
    with h5py.File(checkpoint) as file:
        kernel = file["model/conductor/layer_0/kernel"][:]
        there = arrays["decoder/hierarchical_level_0/cell_0/lstm_cell/kernel"]
        assert (there == numpy.concatenate([numpy.zeros((1, 28)), kernel])).all()
        name = "encoder/cell_0/" + LSTM.format("fw", "kernel")
        assert (encoder[name] == file["model/encoder/forward/layer_0/kernel"][:]).all()
        assert (arrays[name] == encoder[name]).all()
    for level in 0, 1:
        assert arrays[f"encoder/hierarchical_level_{level}/cell_0/" + LSTM.format("fw", "kernel")].size == 0


def check_replaced():
    """A flat model of bytes over a larger hierarchical one; other files in the folder stay."""
    with open("bars/mine.txt", "w", encoding="utf-8") as file:
        file.write("mine")
    before = sorted(os.listdir("bars"))
    assert "is not empty" in export("taps.h5", "--format=magenta_js", "--output_dir=bars", status=1)
    assert sorted(os.listdir("bars")) == before and os.path.exists("bars/encoder/config.json")
    export("taps.h5", "--format=magenta_js", "--output_dir=bars", "--overwrite", "--dtype=u8")
    assert sorted(os.listdir("bars")) == ["config.json", "group1-shard1of1.bin", "group2-shard1of1.bin", "mine.txt",
                                          "weights_manifest.json"], os.listdir("bars")
    exact, rough = read("made/in/taps"), read("bars")
    assert list(exact) == list(rough)
    for name, values in exact.items():
        scale = (max(values.max(), 0) - min(values.min(), 0)) / 255
        assert abs(values - rough[name]).max() <= 0.5001 * scale, name
        assert (rough[name][values == 0] == 0).all(), name


def check_refused():
    def refused(words, *flags, checkpoint="taps.h5", status=1):
        message = export(checkpoint, *flags, status=status)
        assert words in message, message

    layers = make("layers", "groovae_4bar", "enc_rnn_size=[4,4],dec_rnn_size=[4,4],z_size=3")
    sizes = make("sizes", "groovae_4bar", "enc_rnn_size=[4],dec_rnn_size=[4,5],z_size=3")
    refused("encoders of one layer", "--format=magenta_js", "--output_dir=no", checkpoint=layers)
    refused("same size", "--format=magenta_js", "--output_dir=no", checkpoint=sizes)
    refused("no scale for bytes", "--format=safetensors", "--output_file=no", "--dtype=u8", status=2)
    refused("--output_dir", "--format=magenta_js", "--output_file=no", status=2)
    refused("--output_dir is missing", "--format=magenta_js", status=2)
    refused("--output_file", "--format=safetensors", "--output_dir=no", status=2)
    refused("is missing", "--format=safetensors", status=2)
    refused("taps.h5", "--format=magenta_js", "--output_dir=taps.h5")
    assert not os.path.exists("no")
    hats = make("hats", "groovae_2bar_add_closed_hh", "enc_rnn_size=[4],dec_rnn_size=[4,4],z_size=3")
    assert "remove all hits of class 2" in export(hats, "--format=magenta_js", "--output_dir=hats")


def main():
    with tempfile.TemporaryDirectory(prefix="drumline-export-") as folder:
        os.chdir(folder)
        check_flat()
        check_hierarchical()
        check_replaced()
        check_refused()
        os.chdir("/")


if __name__ == "__main__":
    main()
