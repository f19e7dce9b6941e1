/* A driver by which HDF5 reads a file that is open already: this process may open none. */
#ifndef DRUMLINE_PROGRAMS_HDF5_READER_DESCRIPTOR_DRIVER_H
#define DRUMLINE_PROGRAMS_HDF5_READER_DESCRIPTOR_DRIVER_H

#include <hdf5.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The file, which must outlive what is opened with it. */
struct descriptor_file {
    int descriptor;
    uint64_t size;
    volatile uint64_t *progress; /* one more when a read begins, and when it ends */
    int *failure;                /* errno of a read that failed, which HDF5 may take for something that is missing */
    uint64_t max_values_size;    /* HDF5's reads of more bytes of datasets' values than that fail */
    uint64_t values_size;        /* bytes of its last such read */
};

/* Reads `size` bytes at `address`; those behind the file's end are 0, as for HDF5's own driver. Returns 0, or errno. */
int descriptor_file_read(const struct descriptor_file *file, uint64_t address, size_t size, void *bytes);

/* Has file access `properties` read this file, whatever path is opened with them. */
bool descriptor_driver_set(hid_t properties, struct descriptor_file *file);

/* What `file`, which was opened with such properties, is read from. */
struct descriptor_file *descriptor_driver_file(hid_t file);

#endif
