/* The version of our HDF5 formats. */
#ifndef DRUMLINE_BASE_HDF5_VERSION_H
#define DRUMLINE_BASE_HDF5_VERSION_H

enum { HDF5_FORMAT_VERSION = 1 };

#endif
