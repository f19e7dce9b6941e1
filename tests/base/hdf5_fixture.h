/* HDF5 files of a test's own format. */
#ifndef DRUMLINE_TESTS_BASE_HDF5_FIXTURE_H
#define DRUMLINE_TESTS_BASE_HDF5_FIXTURE_H

#include "base/hdf5/hdf5.h"
#include "base/hdf5/seal.h"
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

/* Written, closed and opened for reading. */
static inline hid_t open_again(hid_t file, const char *path)
{
    struct error error;
    assert_ok(hdf5_close(&file, path, &error), error);
    assert_true(file == H5I_INVALID_HID);
    assert_ok(hdf5_open(&file, path, FORMAT, &error), error);
    return file;
}

#endif
