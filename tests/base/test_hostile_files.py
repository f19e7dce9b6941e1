#!/usr/bin/env python3
"""test_hostile_files.py BIN_DIR DATA_DIR CHECKPOINT: shards, indexes and checkpoints in which h5py put what could read other
files, load code or take any amount of memory are refused by name and with the reason, in bounded time and memory.

DATA_DIR holds a data set of one shard."""
import os
import resource
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import zlib

try:
    import h5py
    import numpy
except ImportError:
    sys.exit(77)

SECONDS = 30
MEBIBYTES = 400
BIN, DATA, CHECKPOINT = sys.argv[1:4]


def copy(source, target, replaced, make):
    """Copies the file `source` without a seal; in the place of the dataset `replaced`, make(file, name, values) puts another."""
    with h5py.File(source, "r") as old, h5py.File(target, "w") as new:
        for name, value in old.attrs.items():
            new.attrs[name] = value

        def put(name, thing):
            if name == replaced:
                make(new, name, thing[()])
            elif isinstance(thing, h5py.Dataset) and thing.is_virtual:
                sources = h5py.VirtualLayout(shape=thing.shape, dtype=thing.dtype)
                for part in thing.virtual_sources():
                    sources[...] = h5py.VirtualSource(part.file_name, part.dset_name, shape=thing.shape)
                new.create_virtual_dataset(name, sources)
            elif isinstance(thing, h5py.Dataset):
                new.create_dataset(name, data=thing[()])

        old.visititems(put)


def virtual(file_name, dataset):
    """Makes a virtual dataset over all of one in another file."""
    def make(file, name, values):
        layout = h5py.VirtualLayout(shape=values.shape, dtype=values.dtype)
        layout[...] = h5py.VirtualSource(file_name, dataset or name, shape=values.shape)
        file.create_virtual_dataset(name, layout)
    return make


def external(file, name, values):
    file.require_group(os.path.dirname("/" + name))
    file.create_dataset(name, shape=values.shape, dtype=values.dtype, external=[("/etc/passwd", 0, values.nbytes)])


def soft_link(file, name, values):
    file.create_dataset("elsewhere", data=values)
    file[name] = h5py.SoftLink("/elsewhere")


def external_link(file, name, values):
    del values
    file[name] = h5py.ExternalLink("/dev/zero", "/x")


def filtered(*filters):
    """Makes a dataset with these filters: pairs of a number and its values."""
    def make(file, name, values):
        file.require_group(os.path.dirname("/" + name))
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk(values.shape)
        for number, options in filters:
            properties.set_filter(number, h5py.h5z.FLAG_OPTIONAL, options)
        space = h5py.h5s.create_simple(values.shape)
        dataset = h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(values.dtype), space, properties)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, values)
    return make


def large_chunk(file, name, values):
    rows = (100 << 20) // values[:1].nbytes
    file.create_dataset(name, data=values, maxshape=(None,) + values.shape[1:], chunks=(rows,) + values.shape[1:],
                        compression="gzip")


def one_chunk(store, twice=True, **filters):
    """Makes a dataset of one chunk, twice as large as the values or as large; store(values' bytes) is what is written as the chunk, and
    a mask of the filters that were left out."""
    def make(file, name, values):
        rows, *others = values.shape
        dataset = file.create_dataset(name, shape=values.shape, dtype=values.dtype, maxshape=(None, *others),
                                      chunks=((1 + twice) * rows, *others), **filters)
        stored, mask = store(values.tobytes())
        dataset.id.write_direct_chunk((0,) * values.ndim, stored, filter_mask=mask)
    return make


def missing_chunk(file, name, values):
    """The second half of the values was never written."""
    dataset = file.create_dataset(name, shape=values.shape, dtype=values.dtype, chunks=((len(values) + 1) // 2, *values.shape[1:]),
                                  compression="gzip", compression_opts=0)
    dataset[:(len(values) + 1) // 2] = values[:(len(values) + 1) // 2]


def endless(file, name, values):
    file.create_dataset(name, shape=(1 << 40,) + values.shape[1:], dtype=values.dtype, chunks=(64,) + values.shape[1:],
                        compression="gzip")


def variable_length(file, name, values):
    del values
    file.create_dataset(name, data=["x"] * 3, dtype=h5py.string_dtype())


DEFLATE, FLETCHER32, LZF, UNKNOWN = (1, (9,)), (3, ()), (32000, ()), (32015, (1,))
CASES = {
    "virtual, itself": (virtual(".", None), "is a virtual dataset"),
    "virtual, a FIFO": (virtual("fifo", None), "is a virtual dataset"),
    "virtual, another file": (virtual("/etc/passwd", None), "is a virtual dataset"),
    "external storage": (external, "external storage"),
    "soft link": (soft_link, "is reached by a link"),
    "external link": (external_link, "is reached by a link"),
    "LZF": (filtered(LZF), "has a filter that is not read: number 32000"),
    "unknown filter": (filtered(UNKNOWN), "has a filter that is not read: number 32015"),
    "impossible level": (filtered((1, (77,))), "with settings that HDF5 refuses"),
    "two deflates": (filtered(DEFLATE, DEFLATE), "twice"),
    "two checksums": (filtered(FLETCHER32, FLETCHER32), "twice"),
    "large chunk": (large_chunk, "has chunks of"),
    # HDF5 reads what is behind a chunk's end from the memory that comes next.
    "short chunk": (one_chunk(lambda values: (values, 1), fletcher32=True), "(a chunk holds "),
    "short chunk, compressed": (one_chunk(lambda values: (zlib.compress(values), 0), compression="gzip"), "(a chunk holds "),
    "short chunk, shuffled": (one_chunk(lambda values: (zlib.compress(values), 0), compression="gzip", shuffle=True),
                              "(a chunk holds "),
    "short chunk, left uncompressed": (one_chunk(lambda values: (values, 1), compression="gzip"), "(a chunk holds "),
    "long chunk, compressed": (one_chunk(lambda values: (zlib.compress(2 * values), 0), False, compression="gzip"),
                               "hold more than a chunk)"),
    "long chunk": (one_chunk(lambda values: (values + b"x", 1), False, fletcher32=True), "(a chunk holds "),
    "cut chunk, compressed": (one_chunk(lambda values: (zlib.compress(values)[:-5], 0), False, compression="gzip"), "compressed data are damaged)"),
    "damaged chunk, compressed": (one_chunk(lambda values: (zlib.compress(values)[:-4] + b"\0\0\0\0", 0), False,
                                            compression="gzip"), "compressed data are damaged)"),
    "no room for a checksum": (one_chunk(lambda values: (b"abc", 0), False, fletcher32=True), ""),
    "wrong checksum": (one_chunk(lambda values: (values + b"abcd", 0), False, fletcher32=True), "(the checksum of a chunk is wrong)"),
    "missing chunk": (missing_chunk, "the dataset is damaged ("),
    "endless": (endless, "claims to be"),
    "variable length": (variable_length, None),
}


class HostileFiles(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        os.mkfifo(os.path.join(self.folder.name, "fifo"))

    def tearDown(self):
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def refused(self, path, named, reason):
        """drumline-info refuses `path`, naming the file `named` and the reason."""
        with open(self.path("output"), "w+", encoding="utf-8") as output:
            with subprocess.Popen([os.path.join(BIN, "drumline-info"), path], stdout=output, stderr=output,
                                  env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))) as job:
                watchdog = threading.Timer(SECONDS, job.kill)
                watchdog.start()
                _, status, used = os.wait4(job.pid, 0)
                watchdog.cancel()
                job.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            said = " ".join(output.read().split())  # without line breaks
        self.assertEqual(job.returncode, 1, said)
        self.assertIn(named, said)
        if reason:
            self.assertIn(reason, said)
        self.assertLess(used.ru_maxrss, MEBIBYTES << 10, said)
        self.assertLess(used.ru_utime + used.ru_stime, SECONDS / 2, said)

    def test_copies_are_read(self):
        """Nothing but the change makes a file hostile."""
        copy(CHECKPOINT, self.path("checkpoint-00000004.h5"), None, None)
        subprocess.run([os.path.join(BIN, "drumline-info"), self.path("checkpoint-00000004.h5")], check=True,
                       stdout=subprocess.DEVNULL)
        for name in ("shard-00000-of-00001.h5", "index.h5"):
            copy(os.path.join(DATA, name), self.path(name), None, None)
        for name in ("shard-00000-of-00001.h5", "."):
            subprocess.run([os.path.join(BIN, "drumline-info"), self.path(name)], check=True, stdout=subprocess.DEVNULL)

    def test_shards(self):
        path = self.path("shard-00000-of-00001.h5")
        for case, (make, reason) in CASES.items():
            for name in ("hits", "offset"):
                with self.subTest(case=case, name=name):
                    copy(os.path.join(DATA, "shard-00000-of-00001.h5"), path, name, make)
                    self.refused(path, f"shard-00000-of-00001.h5: /{name}", reason)

    def test_tables(self):
        path = self.path("shard-00000-of-00001.h5")
        for case, (make, reason) in CASES.items():
            with self.subTest(case=case):
                copy(os.path.join(DATA, "shard-00000-of-00001.h5"), path, "performances", make)
                self.refused(path, "shard-00000-of-00001.h5: /performances", reason)

    def test_sizes_of_chunks_without_filters(self):
        """HDF5 has two of them: what must be stored, and what the index of chunks says, which it reads."""
        rows = 64
        path = self.path("shard-00000-of-00001.h5")
        copy(os.path.join(DATA, "shard-00000-of-00001.h5"), path, "offset",
             lambda file, name, values: file.create_dataset(name, data=values, chunks=(rows, *values.shape[1:])))
        with open(path, "rb") as file:
            content = file.read()
        with h5py.File(path, "r") as file:
            size = rows * file["offset"][:1].nbytes
        # A node of chunks has a head of 24 bytes, then for each chunk a key (its size, 4 bytes, and more) and an address, 40 bytes in all.
        node = content.index(b"TREE\x01\x00") + 24
        keys = [node, node + 40]
        self.assertEqual([content[at:at + 8] for at in keys], 2 * [struct.pack("<II", size, 0)])
        for sizes in ((size + 1,), (size - 1,), (4,), (0,), (200000,), (1 << 31,), (size + 36, size - 36), (size - 36, size + 36)):
            with self.subTest(sizes=sizes):
                changed = bytearray(content)
                for at, value in zip(keys, sizes):
                    changed[at:at + 4] = struct.pack("<I", value)
                with open(path, "wb") as file:
                    file.write(changed)
                self.refused(path, "shard-00000-of-00001.h5: /offset", None)

    def test_columns_of_variable_length(self):
        path = self.path("shard-00000-of-00001.h5")

        def add_column(file, name, values):
            column = numpy.dtype([*((part, values.dtype[part]) for part in values.dtype.names), ("note", h5py.string_dtype())])
            file.create_dataset(name, shape=values.shape, dtype=column, compression="gzip", chunks=True)

        copy(os.path.join(DATA, "shard-00000-of-00001.h5"), path, "performances", add_column)
        self.refused(path, "shard-00000-of-00001.h5: /performances", "values of variable length")

    def test_types_of_columns(self):
        """HDF5 would read a column outside of the rows from the memory behind them, and texts and floats of any kind."""
        path = self.path("shard-00000-of-00001.h5")
        copy(os.path.join(DATA, "shard-00000-of-00001.h5"), path, None, None)
        with h5py.File(path, "r") as file:
            rows = file["performances"].dtype
        with open(path, "rb") as file:
            content = file.read()

        def place_of(column):
            """Where a column's place in the row is stored: behind its name, which is filled up with NULs to eight bytes or sixteen."""
            name = column.encode().ljust(8, b"\0") + struct.pack("<I", rows.fields[column][1])
            self.assertEqual(content.count(name), 1)
            return content.index(name) + 8

        def refused_with(at, value, reason):
            with open(path, "wb") as file:
                file.write(content[:at] + value + content[at + len(value):])
            self.refused(path, "shard-00000-of-00001.h5: /performances", reason)

        for outside in (rows.fields["drummer"][1] + 1, rows.itemsize, rows.itemsize + (1 << 20), 0xffffffff):
            with self.subTest(outside=outside):
                refused_with(place_of("drummer"), struct.pack("<I", outside), "a column that lies outside of them")
        # Behind the place come 28 bytes of dimensions, of which a column has none; then its type: class, encoding, and so on.
        text, number = place_of("drummer") + 32, place_of("qpm") + 32
        self.assertEqual((content[text], content[number], content[number + 16]), (0x13, 0x11, 127))
        with self.subTest("name"):
            refused_with(content.index(b"drummer\0"), b"drum\xfeer", "a column whose name is not UTF-8")
        with self.subTest("encoding"):
            refused_with(text + 1, b"\xf0", "of another kind")
        with self.subTest("exponent's bias"):
            refused_with(number + 16, b"\x7e", "of another kind")

    def test_encoding_of_an_attribute(self):
        path = self.path("index.h5")
        copy(os.path.join(DATA, "index.h5"), path, None, None)
        with open(path, "rb") as file:
            content = file.read()
        name = b"content_sha256\0\0\x19\x01\x01" # and the type: variable length, a string, UTF-8
        self.assertEqual(content.count(name), 1)
        with open(path, "wb") as file:
            file.write(content.replace(name, name[:-1] + b"\x0f"))
        self.refused(self.folder.name, "index.h5: content_sha256", "the attribute is not a string")

    def test_attributes_that_claim_too_much(self):
        """HDF5 would read what is behind the end of an attribute from the memory behind its object header."""
        path = self.path("checkpoint-00000004.h5")
        copy(CHECKPOINT, path, None, None)
        with open(path, "rb") as file:
            content = file.read()
        # Before a name come the sizes of name, datatype and dataspace, two bytes each; all are filled up to eight bytes each.
        name = b"dec_rnn_size\0"
        self.assertEqual(content.count(name), 1)
        at = content.index(name)
        datatype = at + (len(name) + 7) // 8 * 8
        number_of_values = datatype + (struct.unpack("<H", content[at - 4:at - 2])[0] + 7) // 8 * 8 + 8
        self.assertEqual(content[number_of_values:number_of_values + 8], struct.pack("<Q", 2))
        for place, value in ((at - 6, "<H4096"), (at - 4, "<H4096"), (at - 2, "<H4096"), (at - 2, "<H65535"), (datatype + 4, "<I1024"),
                             (number_of_values, "<Q5"), (number_of_values, "<Q40"), (number_of_values, f"<Q{2 ** 64 - 1}")):
            with self.subTest(place=place - at, value=value):
                packed = struct.pack(value[:2], int(value[2:]))
                with open(path, "wb") as file:
                    file.write(content[:place] + packed + content[place + len(packed):])
                self.refused(path, "checkpoint-00000004.h5", "an attribute does not fit")

    def test_attributes_kept_elsewhere(self):
        path = self.path("checkpoint-00000004.h5")
        copy(CHECKPOINT, path, None, None)
        with h5py.File(path, "a") as file:
            file["type"] = numpy.dtype("<i8")
            file.attrs.create("note", 1, dtype=file["type"])
        self.refused(path, "checkpoint-00000004.h5", "an attribute does not fit")

    def test_checkpoints(self):
        names = []
        with h5py.File(CHECKPOINT, "r") as file:
            file["model"].visititems(lambda name, thing: names.append("model/" + name) if hasattr(thing, "shape") else None)
        path = self.path("checkpoint-00000004.h5")
        for case, (make, reason) in CASES.items():
            with self.subTest(case=case):
                copy(CHECKPOINT, path, names[0], make)
                self.refused(path, f"checkpoint-00000004.h5: /{names[0]}", reason)

    def test_indexes(self):
        """Of an index, the datasets over the shards are read by other programs alone, and must lead to its shards."""
        for source in ("/etc/passwd", "../shard-00000-of-00001.h5", "shard-00000-of-00007.h5", "fifo"):
            with self.subTest(source=source):
                copy(os.path.join(DATA, "index.h5"), self.path("index.h5"), "hits", virtual(source, "/hits"))
                self.refused(self.folder.name, "index.h5: /hits", "other files than the shards")
        with self.subTest("table"):
            copy(os.path.join(DATA, "index.h5"), self.path("index.h5"), "performances", virtual("fifo", "x"))
            self.refused(self.folder.name, "index.h5: /performances", "is a virtual dataset")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
