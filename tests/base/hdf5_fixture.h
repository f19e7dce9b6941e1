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

/* A file that another program made, with no attributes but those given. */
static inline void put_foreign(const char *path, const char *format, int64_t version)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    struct error error;
    assert_true(file >= 0);
    if (format)
        assert_ok(hdf5_write_string(file, "format", format, &error), error);
    if (version >= 0)
        assert_ok(hdf5_write_int(file, "version", version, &error), error);
    H5Fclose(file);
}

static inline hid_t text_type(size_t size, H5T_str_t padding)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    assert_true(H5Tset_size(type, size) >= 0 && H5Tset_strpad(type, padding) >= 0);
    return type;
}

#endif
