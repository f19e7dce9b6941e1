"""Models in the formats of other programs, written from the formats' descriptions with nothing of Drumline's: TensorFlow
checkpoints (bundles), folders of TensorFlow.js weights, safetensors; and Magenta's names for the tensors."""
import json
import os
import struct

import numpy

# --- TensorFlow bundles: a LevelDB table (leveldb/doc/table_format.md) of protocol buffers (tensor_bundle.proto)

MAGIC = 0xDB4775248B80FB57
DTYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19}


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(number):
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, value):
    """A field of a protocol buffer; integers of 0 are omitted, as proto3 does."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value) if value else b""


def block(entries, restart_interval, share):
    """Entries whose keys are what they share with the key before, and the rest; every restart_interval-th shares nothing."""
    out, restarts, last = bytearray(), [], b""
    for i, (key, value) in enumerate(entries):
        shared = 0
        if i % restart_interval == 0:
            restarts.append(len(out))
        elif share:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    restarts = restarts or [0]
    return bytes(out) + b"".join(struct.pack("<I", r) for r in restarts) + struct.pack("<I", len(restarts))


class Table:
    """A sorted table: so many entries a block and a restart, and whether prefixes are shared. `kind`: the data blocks' type."""

    def __init__(self, entries, block_entries=1000, restart_interval=16, share=True, kind=0):
        self.out = bytearray()
        entries = sorted(entries)
        handles = []
        for i in range(0, len(entries), block_entries):
            part = entries[i:i + block_entries]
            handles.append((part[-1][0], self.put(block(part, restart_interval, share), kind)))
        about = self.put(block([], 1, share), 0)
        index = self.put(block(handles, 1, share), 0)
        self.out += (about + index).ljust(40, b"\0") + struct.pack("<Q", MAGIC)

    def put(self, data, kind):
        handle = varint(len(self.out)) + varint(len(data))
        data += bytes([kind])
        self.out += data + struct.pack("<I", masked(data))
        return handle


def entry(values, offset, shard=0, crc=None, size=None, extra=b""):
    """A BundleEntryProto."""
    data = values.tobytes()
    shape = b"".join(field(2, field(1, n)) for n in values.shape)
    return (field(1, DTYPES[str(values.dtype)]) + field(2, shape) + field(3, shard) + field(4, offset)
            + field(5, len(data) if size is None else size)
            + b"\x35" + struct.pack("<I", masked(data) if crc is None else crc) + extra)


HEADER = field(1, 1) + field(3, field(1, 1))


def write_bundle(prefix, tensors, change=None, shards=1, pad=0, **layout):
    """PREFIX.index and PREFIX.data-00000-of-00001. `change(entries, places)` may change the
    table's dict, given where the tensors lie, before it is written."""
    data, entries, places = [bytearray() for _ in range(shards)], {}, {}
    header = field(1, shards) + field(3, field(1, 1))
    for i, name in enumerate(sorted(tensors)):
        shard = i % shards
        places[name] = len(data[shard])
        entries[name.encode()] = entry(tensors[name], len(data[shard]), shard)
        data[shard] += tensors[name].tobytes() + b"\0" * pad
    entries[b""] = header
    if change:
        change(entries, places)
    with open(prefix + ".index", "wb") as file:
        file.write(Table(list(entries.items()), **layout).out)
    for shard in range(shards):
        with open(f"{prefix}.data-{shard:05}-of-{shards:05}", "wb") as file:
            file.write(data[shard])


# --- TensorFlow.js: a manifest of groups, whose weights follow one another in their files


def quantized(values, kind):
    """The bytes of a weight, what the manifest says of their encoding, and the values that they stand for."""
    if kind is None:
        return values.tobytes(), None, values
    if kind == "float16":
        half = values.astype(numpy.float16)
        return half.tobytes(), {"dtype": kind}, half.astype(numpy.float32)
    low, high, steps = float(values.min()), float(values.max()), {"uint8": 255, "uint16": 65535}[kind]
    scale = (high - low) / steps or 1.0
    whole = numpy.round((values.astype(numpy.float64) - low) / scale).astype(kind)
    return whole.tobytes(), {"dtype": kind, "scale": scale, "min": low}, (whole * scale + low).astype(numpy.float32)


def write_magenta_js(folder, tensors, converter=None, kind=None, file_size=100000, groups=2, notes=None):
    """A folder for Magenta.js; returns the values that its weights stand for."""
    os.makedirs(folder, exist_ok=True)
    manifest, out = [], {}
    names = sorted(tensors)
    for group in range(groups):
        weights, data = [], b""
        for name in names[group::groups]:
            raw, quantization, out[name] = quantized(tensors[name], kind)
            weights.append({"name": name, "shape": list(tensors[name].shape), "dtype": "float32"})
            if quantization:
                weights[-1]["quantization"] = quantization
            data += raw
        parts = [data[i:i + file_size] for i in range(0, len(data), file_size)]
        paths = [f"group{group + 1}-shard{i + 1}of{len(parts)}" for i in range(len(parts))]
        for path, part in zip(paths, parts):
            with open(os.path.join(folder, path), "wb") as file:
                file.write(part)
        manifest.append({"paths": paths, "weights": weights})
    with open(os.path.join(folder, "weights_manifest.json"), "w", encoding="utf-8") as file:
        json.dump(manifest, file)
    if converter is not None:
        config = {"type": "MusicVAE", "dataConverter": {"type": "GrooveConverter", "args": converter}}
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump({**config, **(notes or {})}, file)
    return out


# --- safetensors


def write_safetensors(path, tensors, metadata=None, change=None):
    kinds = {"float32": "F32", "float16": "F16", "float64": "F64", "int64": "I64"}
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, values in tensors.items():
        begin = len(data)
        data += values.tobytes()
        header[name] = {"dtype": kinds[str(values.dtype)], "shape": list(values.shape), "data_offsets": [begin, len(data)]}
    if change:
        change(header)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


# --- Magenta's variables


def magenta_name(name, hierarchical):
    core = "core_decoder/decoder" if hierarchical else "decoder"
    layer, kind = name.rsplit("/", 1)
    parts = layer.split("/")
    if parts[0] == "encoder" and parts[1] in ("forward", "backward"):
        way = {"forward": "fw", "backward": "bw"}[parts[1]]
        layer = f"encoder/cell_{parts[2][6:]}/bidirectional_rnn/{way}/multi_rnn_cell/cell_0/lstm_cell"
    elif parts[0] == "conductor":
        layer = "decoder/hierarchical_level_0/" + (
            "initial_state" if parts[1] == "initial_state" else f"cell_{parts[1][6:]}/lstm_cell")
    elif layer == "decoder/output":
        layer = core + "/output_projection"
    elif layer == "decoder/initial_state":
        layer = core + "/z_to_initial_state"
    elif parts[0] == "decoder":
        layer = f"{core}/multi_rnn_cell/cell_{parts[1][6:]}/lstm_cell"
    return f"{layer}/{kind}"


def to_magenta(tensors, controls=0, depth=27):
    """Our tensors as Magenta's variables: its decoder's rows are [x, z, controls, h], and its conductor is fed one zero."""
    hierarchical = "conductor/layer_0/kernel" in tensors
    out = {}
    for name, values in tensors.items():
        if name == "decoder/layer_0/kernel" and controls:
            embedding = len(values) - depth - controls - values.shape[1] // 4
            x, c, z, h = numpy.split(values, [depth, depth + controls, depth + controls + embedding])
            values = numpy.concatenate([x, z, c, h])
        elif name == "conductor/layer_0/kernel":
            values = numpy.concatenate([numpy.full((1, values.shape[1]), 7, numpy.float32), values])
        out[magenta_name(name, hierarchical)] = numpy.ascontiguousarray(values)
    return out


def with_training(tensors, step=1234):
    """What TensorFlow's Saver stores of a training beside the variables."""
    out = dict(tensors)
    for name, values in tensors.items():
        out[name + "/Adam"] = values * numpy.float32(0.5)
        out[name + "/Adam_1"] = values * values
    out["beta1_power"] = numpy.array(0.9, numpy.float32)
    out["beta2_power"] = numpy.array(0.999, numpy.float32)
    out["global_step"] = numpy.array(step, numpy.int64)
    return out
