/* HDF5 files of a test's own format. */
#ifndef DRUMLINE_TESTS_BASE_HDF5_FIXTURE_H
#define DRUMLINE_TESTS_BASE_HDF5_FIXTURE_H

#include "base/hdf5/hdf5.h"
#include "base/hdf5/seal.h"
#include "tests/support/save.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#define FORMAT "drumline-example"

static inline hid_t create(const char *path)
{
    struct error error;
    hid_t file;
    assert_ok(hdf5_create(&file, path, FORMAT, &error), error);
    return file;
}

/* Writes it to `path`, without fsync, and closes it. */
static inline bool save(hid_t *file, const char *path, struct error *error)
{
    struct atomic_file to;
    return SAVE(path, &to, hdf5_save(file, &to, error), error);
}

/* Written, closed and opened for reading. */
static inline struct hdf5_reader *open_again(hid_t file, const char *path)
{
    struct error error;
    struct hdf5_reader *reader;
    assert_ok(save(&file, path, &error), error);
    assert_true(file == H5I_INVALID_HID);
    assert_ok(hdf5_open(&reader, path, FORMAT, &error), error);
    return reader;
}

#endif
