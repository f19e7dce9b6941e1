/* What HDF5 1.10 does not check of a group's attributes: that their values lie within the object header that they are stored in.
 * Of one that claims to be longer, it gives out the memory behind the header. */
#ifndef DRUMLINE_PROGRAMS_HDF5_READER_OBJECT_HEADER_H
#define DRUMLINE_PROGRAMS_HDF5_READER_OBJECT_HEADER_H

#include "base/error.h"

#include <hdf5.h>

/* Checks the attributes of the root group of `file`, which was opened with programs/hdf5_reader/descriptor_driver.h, by HDF5's File Format
 * Specification, sections IV.A.1.a (version 1 object headers), IV.A.2.b (dataspaces), IV.A.2.d (datatypes) and IV.A.2.m (attributes).
 * Headers of version 2, which HDF5 writes if asked to (libver="latest" of h5py), pass: their checksum shows damage. Fails, with a reason
 * that names no file, where an attribute does not fit, or some of it is kept elsewhere, or the header can't be read. */
bool object_header_check(hid_t file, struct error *error);

#endif
