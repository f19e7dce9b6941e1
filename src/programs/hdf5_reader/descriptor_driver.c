#include "programs/hdf5_reader/descriptor_driver.h"

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ADDRESS ((haddr_t)INT64_MAX)

struct opened {
    H5FD_t base; /* HDF5's own; must come first */
    struct descriptor_file *file;
    haddr_t end_of_allocation;
};

static H5FD_t *open_file(const char *name, unsigned flags, hid_t properties, haddr_t max_address)
{
    (void)name;
    (void)max_address;
    struct descriptor_file *const *info = H5Pget_driver_info(properties);
    struct opened *opened = info && !(flags & H5F_ACC_RDWR) ? calloc(1, sizeof *opened) : NULL;
    if (!opened)
        return NULL;
    opened->file = *info;
    return &opened->base;
}

static herr_t close_file(H5FD_t *base)
{
    free(base);
    return 0;
}

static herr_t query(const H5FD_t *base, unsigned long *flags)
{
    (void)base;
    *flags = H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE;
    return 0;
}

static haddr_t get_end_of_allocation(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const struct opened *)base)->end_of_allocation;
}

static herr_t set_end_of_allocation(H5FD_t *base, H5FD_mem_t type, haddr_t address)
{
    (void)type;
    ((struct opened *)base)->end_of_allocation = address;
    return 0;
}

static haddr_t get_end(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const struct opened *)base)->file->size;
}

/* In the words of HDF5's own driver, which base/hdf5/error.h looks for. */
static herr_t fail(int number)
{
    H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_IO, H5E_READERROR,
             "file read failed: errno = %d, error message = '%s'", number, strerror(number));
    return -1;
}

int descriptor_file_read(const struct descriptor_file *file, uint64_t address, size_t size, void *bytes)
{
    char *to = bytes;
    if (address > MAX_ADDRESS || size > MAX_ADDRESS - address)
        return EOVERFLOW;
    while (size > 0) {
        ++*file->progress;
        ssize_t count = pread(file->descriptor, to, size, (off_t)address);
        int reason = errno;
        ++*file->progress;
        if (count < 0 && reason == EINTR)
            continue;
        if (count < 0 && reason != EINVAL) /* an address that damage made */
            *file->failure = reason;
        if (count < 0)
            return reason;
        if (count == 0) {
            memset(to, 0, size);
            break;
        }
        to += count;
        address += (haddr_t)count;
        size -= (size_t)count;
    }
    return 0;
}

static herr_t read_bytes(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void *bytes)
{
    struct descriptor_file *file = ((struct opened *)base)->file;
    (void)transfer;
    if (type == H5FD_MEM_DRAW)
        file->values_size = size;
    if (type == H5FD_MEM_DRAW && size > file->max_values_size) {
        H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_IO, H5E_OVERFLOW,
                 "more bytes are stored than there can be");
        return -1;
    }
    int reason = descriptor_file_read(file, address, size, bytes);
    return reason == 0 ? 0 : fail(reason);
}

static herr_t get_handle(H5FD_t *base, hid_t properties, void **handle)
{
    (void)properties;
    *handle = ((struct opened *)base)->file;
    return 0;
}

struct descriptor_file *descriptor_driver_file(hid_t file)
{
    void *handle = NULL;
    return H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 ? handle : NULL;
}

static herr_t refuse_write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size,
                           const void *bytes)
{
    (void)base;
    (void)type;
    (void)transfer;
    (void)address;
    (void)size;
    (void)bytes;
    return fail(EROFS);
}

bool descriptor_driver_set(hid_t properties, struct descriptor_file *file)
{
    static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 2)
        .version = H5FD_CLASS_VERSION,
        .value = (H5FD_class_value_t)511, /* the last of those that HDF5 leaves to others for trying out */
#endif
        .name = "descriptor",
        .maxaddr = MAX_ADDRESS,
        .fc_degree = H5F_CLOSE_WEAK,
        .fapl_size = sizeof(struct descriptor_file *),
        .open = open_file,
        .close = close_file,
        .query = query,
        .get_eoa = get_end_of_allocation,
        .set_eoa = set_end_of_allocation,
        .get_eof = get_end,
        .get_handle = get_handle,
        .read = read_bytes,
        .write = refuse_write,
        .fl_map = H5FD_FLMAP_DICHOTOMY,
    };
    hid_t number = H5FDregister(&driver);
    return number >= 0 && H5Pset_driver(properties, number, &file) >= 0;
}
