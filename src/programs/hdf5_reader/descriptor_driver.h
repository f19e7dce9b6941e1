/* A driver by which HDF5 reads a file that is open already: this process may open none. */
#ifndef DRUMLINE_PROGRAMS_HDF5_READER_DESCRIPTOR_DRIVER_H
#define DRUMLINE_PROGRAMS_HDF5_READER_DESCRIPTOR_DRIVER_H

#include <hdf5.h>

#include <stdbool.h>
#include <stdint.h>

/* The file, which must outlive what is opened with it. */
struct descriptor_file {
    int descriptor;
    uint64_t size;
    volatile uint64_t *progress; /* one more when a read begins, and when it ends */
    int *failure;                /* errno of a read that failed, which HDF5 may take for something that is missing */
};

/* Has file access `properties` read this file, whatever path is opened with them. */
bool descriptor_driver_set(hid_t properties, const struct descriptor_file *file);

#endif
