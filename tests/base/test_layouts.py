#!/usr/bin/env python3
"""test_layouts.py READ_FILES DATA_DIR CHECKPOINT: shards and checkpoints that h5py stored in other chunks, with other filters and other
types of elements hold the same for Drumline, which undoes the filters of chunks itself.

READ_FILES is the program made of tests/base/read_files.c; DATA_DIR holds a data set of one shard."""
import os
import subprocess
import sys
import tempfile
import unittest
import zlib

try:
    import h5py
    import numpy
except ImportError:
    sys.exit(77)

READ_FILES, DATA, CHECKPOINT = sys.argv[1:4]
SHUFFLE, DEFLATE, FLETCHER32 = "shuffle", "deflate", "fletcher32"


def all_rows(shape):
    return shape


def more_than_all(shape):
    return tuple(size + 3 for size in shape)


def a_few(shape):
    return tuple(min(size, 5 - i) for i, size in enumerate(shape))


def a_few_whole_rows(shape):
    return (min(shape[0], 7), *shape[1:])


# How a dataset's chunks follow from its shape, and its filters, in their order.
LAYOUTS = {
    "contiguous": (None, ()),
    "one chunk": (all_rows, ()),
    "whole rows": (a_few_whole_rows, ()),
    "parts of rows": (a_few, ()),
    "a chunk larger than the dataset": (more_than_all, ()),
    "checksums": (a_few, (FLETCHER32,)),  # of odd numbers of bytes, too
    "a checksum of much": (more_than_all, (FLETCHER32,)),
    "shuffled": (a_few, (SHUFFLE,)),
    "compressed": (a_few_whole_rows, (DEFLATE,)),
    "as Drumline's": (a_few_whole_rows, (SHUFFLE, DEFLATE, FLETCHER32)),
    "parts of rows, all filters": (a_few, (SHUFFLE, DEFLATE, FLETCHER32)),
    "larger, all filters": (more_than_all, (SHUFFLE, DEFLATE, FLETCHER32)),
    "checksums first": (a_few_whole_rows, (FLETCHER32, DEFLATE)),
    "shuffled last": (a_few, (DEFLATE, SHUFFLE)),
}


def make(file, name, values, layout):
    chunk, filters = layout
    file.require_group(os.path.dirname("/" + name))
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if chunk and values.size > 0:
        properties.set_chunk(chunk(values.shape))
        for number in filters:
            if number == DEFLATE:
                properties.set_deflate(6)
            elif number == SHUFFLE:
                properties.set_shuffle()
            else:
                properties.set_fletcher32()
    space = h5py.h5s.create_simple(values.shape, (h5py.h5s.UNLIMITED,) * values.ndim if chunk and values.size > 0 else values.shape)
    dataset = h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(values.dtype, logical=True), space, properties)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, values)


def without_deflate(file, name, values, _):
    """A filter may be left out chunk by chunk, as HDF5 does where it would make one longer: here, every other one is."""
    rows = 7
    if values.size == 0 or values.ndim == 0:
        file.create_dataset(name, data=values)
        return
    dataset = file.create_dataset(name, shape=values.shape, dtype=values.dtype, maxshape=(None,) * values.ndim,
                                  chunks=(rows, *values.shape[1:]), compression="gzip")
    for number, first in enumerate(range(0, len(values), rows)):
        chunk = numpy.zeros((rows, *values.shape[1:]), values.dtype)
        chunk[:len(values[first:first + rows])] = values[first:first + rows]
        stored, mask = (chunk.tobytes(), 1) if number % 2 == 0 else (zlib.compress(chunk.tobytes()), 0)
        dataset.id.write_direct_chunk((first,) + (0,) * (values.ndim - 1), stored, filter_mask=mask)


def copy(source, target, put_dataset, layout, change=lambda values: values, **options):
    """Copies the file `source`, without its seal, with its datasets put by put_dataset, into one made with these options."""
    with h5py.File(source, "r") as old, h5py.File(target, "w", **options) as new:
        for name, value in old.attrs.items():
            new.attrs[name] = value

        def put(name, thing):
            if isinstance(thing, h5py.Dataset) and thing.ndim > 0:
                put_dataset(new, name, change(thing[()]), layout)
            elif isinstance(thing, h5py.Dataset):
                new.create_dataset(name, data=thing[()])

        old.visititems(put)


def big_endian(values):
    return values.astype(values.dtype.newbyteorder(">"))


class Layouts(unittest.TestCase):
    def read_same(self, source, put_dataset, layout, change=lambda values: values, **options):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, os.path.basename(source))
            copy(source, path, put_dataset, layout, change, **options)
            lines = subprocess.run([READ_FILES, source, path], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        (_, verdict, expected), (_, other_verdict, found) = (line.split("\t", 2) for line in lines[:2])
        self.assertEqual((verdict, other_verdict, found), ("accepted", "accepted", expected))

    def test_layouts(self):
        for source in (os.path.join(DATA, "shard-00000-of-00001.h5"), CHECKPOINT):
            for name, layout in LAYOUTS.items():
                with self.subTest(source=source, layout=name):
                    self.read_same(source, make, layout)
                with self.subTest(source=source, layout=name, order="big-endian"):
                    self.read_same(source, make, layout, big_endian)
            with self.subTest(source=source, layout="without deflate"):
                self.read_same(source, without_deflate, None)

    def test_kinds_of_strings(self):
        """str, bytes and numpy's strings in attributes: variable UTF-8, variable ASCII and fixed ASCII, as h5py writes them."""
        for kind in (str, str.encode, lambda value: numpy.bytes_(value.encode())):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, os.path.basename(CHECKPOINT))
                copy(CHECKPOINT, path, make, LAYOUTS["contiguous"])
                with h5py.File(path, "a") as file:
                    for name, value in file.attrs.items():
                        if isinstance(value, str):
                            file.attrs[name] = kind(value)
                lines = subprocess.run([READ_FILES, CHECKPOINT, path], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
            self.assertEqual(lines[0].split("\t")[1:], lines[1].split("\t")[1:])

    def test_versions_of_the_format(self):
        """Headers of objects with and without a checksum, with many attributes, an order and a block before the file."""
        for options in ({"libver": "v110"}, {"libver": "latest"}, {"track_order": True}, {"userblock_size": 2048},
                        {"userblock_size": 512, "libver": "latest", "track_order": True}):
            for name in ("index.h5", "shard-00000-of-00001.h5"):
                with self.subTest(options=options, name=name):
                    self.read_same(os.path.join(DATA, name), make, LAYOUTS["as Drumline's"], **options)
            with self.subTest(options=options):
                self.read_same(CHECKPOINT, make, LAYOUTS["as Drumline's"], **options)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
