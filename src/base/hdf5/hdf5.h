/* Drumline's HDF5 files: the one header through which the other rooms read and write them. Every failure is returned with the
 * file and the reason. The serial library; no MPI.
 *
 *     hid_t file;
 *     if (!hdf5_open(&file, path, FORMAT, error)) return false;           base/hdf5/file.h
 *     ok = hdf5_read_int(&count, file, "count", error) &&                 base/hdf5/attributes.h
 *          hdf5_read_dataset(values, file, "/values", ..., error);        base/hdf5/reading.h
 *     hdf5_close(&file);
 *
 * All files carry the attributes `format` and `version` on their root group (docs/formats.md). Objects are named by path inside
 * the file. `hid_t` handles are owned by the caller. Inside the room error.h comes first, then attributes.h, reading.h and
 * writing.h, then file.h, then column.h and floats.h: none includes a later one. */
#ifndef DRUMLINE_BASE_HDF5_HDF5_H
#define DRUMLINE_BASE_HDF5_HDF5_H

#include "base/hdf5/attributes.h"
#include "base/hdf5/column.h"
#include "base/hdf5/error.h"
#include "base/hdf5/file.h"
#include "base/hdf5/floats.h"
#include "base/hdf5/reading.h"
#include "base/hdf5/seal.h"
#include "base/hdf5/storage.h"
#include "base/hdf5/types.h"
#include "base/hdf5/writing.h"

#endif
