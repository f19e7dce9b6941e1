#define _GNU_SOURCE /* fallocate */
#include "base/hdf5/file.h"

#include "base/hdf5/attributes.h"
#include "base/hdf5/error.h"
#include "base/hdf5/library.h"
#include "base/hdf5/seal.h"
#include "base/hdf5/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MEMORY_STEP = 1 << 20 };

/* A new file is made in memory and written to the disk as one piece by hdf5_save: HDF5 1.10 crashes at the program's end
 * where the disk was full. Its user block takes the seal. */
static hid_t create_in_memory(const char *path)
{
    hid_t file = H5I_INVALID_HID;
    hid_t access = hdf5_access_properties(), creation = H5Pcreate(H5P_FILE_CREATE);
    if (access >= 0 && creation >= 0 && H5Pset_fapl_core(access, MEMORY_STEP, false) >= 0 &&
        H5Pset_userblock(creation, HDF5_SEAL_SIZE) >= 0)
        file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    if (access >= 0)
        H5Pclose(access);
    if (creation >= 0)
        H5Pclose(creation);
    return file;
}

static bool write_format(hid_t *file, const char *format, struct error *error)
{
    if (hdf5_write_string(*file, "format", format, error) &&
        hdf5_write_int(*file, "version", HDF5_FORMAT_VERSION, error))
        return true;
    hdf5_close(file);
    return false;
}

bool hdf5_create(hid_t *file, const char *path, const char *format, struct error *error)
{
    hdf5_start();
    *file = H5I_INVALID_HID;
    *file = create_in_memory(path);
    if (*file < 0)
        return error_set(error, "%s: no memory to create an HDF5 file", path);
    return write_format(file, format, error);
}

bool hdf5_create_on_disk(hid_t *file, const struct atomic_file *to, const char *format, struct error *error)
{
    hdf5_start();
    *file = H5I_INVALID_HID;
    hid_t access = hdf5_access_properties(), creation = H5Pcreate(H5P_FILE_CREATE);
    if (access >= 0 && creation >= 0 && H5Pset_fapl_sec2(access) >= 0 &&
        H5Pset_userblock(creation, HDF5_SEAL_SIZE) >= 0)
        *file = H5Fcreate(to->temporary_path, H5F_ACC_TRUNC, creation, access);
    if (*file < 0)
        hdf5_fail(error, to->path, "can't create");
    if (access >= 0)
        H5Pclose(access);
    if (creation >= 0)
        H5Pclose(creation);
    if (*file >= 0 && hdf5_reserve(*file, 0, error))
        return write_format(file, format, error);
    hdf5_close(file);
    return false;
}

bool hdf5_reserve(hid_t file, size_t size, struct error *error)
{
    enum { METADATA = 1 << 20 }; /* more than HDF5 adds to one write */
    char name[HDF5_FILE_NAME_SIZE];
    void *handle = NULL;
    struct stat status;
    hdf5_file_name(file, name);
    if (H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) < 0 || !handle || fstat(*(int *)handle, &status) != 0)
        return hdf5_fail(error, name, "can't write");
#ifdef FALLOC_FL_KEEP_SIZE
    if (fallocate(*(int *)handle, FALLOC_FL_KEEP_SIZE, status.st_size, (off_t)(size + METADATA)) != 0 &&
        errno != EOPNOTSUPP && errno != ENOSYS && errno != EINTR)
        return error_set_errno(error, errno, "%s: can't write", name);
#endif
    return true;
}

/* In its superblock HDF5 marks a file as open for writing until it is closed (HDF5 File Format Specification, "File
 * Consistency Flags"); the versions are those that HDF5 makes for H5F_LIBVER_EARLIEST. */
static void clear_open_mark(char *superblock)
{
    enum { VERSION = 8, FLAGS = 20, FLAGS_SIZE = 4 };
    if (superblock[VERSION] < 2)
        memset(superblock + FLAGS, 0, FLAGS_SIZE);
}

/* Where the driver that create_in_memory chose has the whole file, user block included; NULL on failure. Not copied: checkpoints
 * are large, and written while training continues. */
static char *image_of(size_t *size, hid_t file, const char *path, struct error *error)
{
    void *handle = NULL;
    ssize_t size_without_block = H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(file, NULL, 0);
    if (size_without_block > 0 && H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 && handle) {
        *size = HDF5_SEAL_SIZE + (size_t)size_without_block;
        return *(char **)handle;
    }
    hdf5_fail(error, path, "can't write");
    return NULL;
}

static bool is_in_memory(hid_t file)
{
    hid_t access = H5Fget_access_plist(file);
    bool in_memory = access >= 0 && H5Pget_driver(access) == H5FD_CORE;
    if (access >= 0)
        H5Pclose(access);
    return in_memory;
}

static bool save_on_disk(hid_t *file, const struct atomic_file *to, struct error *error)
{
    bool ok = H5Fclose(*file) >= 0 || hdf5_fail(error, to->path, "can't write");
    *file = H5I_INVALID_HID;
    return ok && hdf5_seal_write(to, error);
}

bool hdf5_save(hid_t *file, struct atomic_file *to, struct error *error)
{
    size_t size;
    if (!is_in_memory(*file))
        return save_on_disk(file, to, error);
    char *image = image_of(&size, *file, to->path, error);
    bool ok = image != NULL;
    if (ok) {
        clear_open_mark(image + HDF5_SEAL_SIZE);
        hdf5_seal_make(image, image + HDF5_SEAL_SIZE, size - HDF5_SEAL_SIZE);
        ok = atomic_file_put(to, image, size, error);
    }
    hdf5_close(file);
    return ok;
}

void hdf5_close(hid_t *file)
{
    if (*file >= 0)
        H5Fclose(*file);
    *file = H5I_INVALID_HID;
}
