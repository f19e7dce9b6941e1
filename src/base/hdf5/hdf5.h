/* Drumline's HDF5 files: the one header through which the other folders read and write them. Every failure is returned with the
 * file and the reason. The serial library; no MPI.
 *
 *     struct hdf5_reader *file;
 *     if (!hdf5_open(&file, path, FORMAT, error)) return false;           base/hdf5/reader.h
 *     ok = hdf5_read_int(&count, file, "count", error) &&
 *          hdf5_read_dataset(values, file, "/values", ..., error);
 *     hdf5_reader_close(&file);
 *
 * Files are written in this process, by `hid_t` handles that are owned by the caller, and read in another one, for which the program
 * drumline-hdf5-reader must be there (base/hdf5/helper_path.h). All files carry the attributes `format` and `version` on their root
 * group (docs/formats.md). Objects are named by path inside the file. Inside the folder, what writes is library.h, error.h and types.h,
 * then attributes.h and writing.h, then file.h, then column.h and floats.h; what reads is helper_path.h, then helper.h, then reader.h.
 * None includes a later one. */
#ifndef DRUMLINE_BASE_HDF5_HDF5_H
#define DRUMLINE_BASE_HDF5_HDF5_H

#include "base/hdf5/attributes.h"
#include "base/hdf5/column.h"
#include "base/hdf5/error.h"
#include "base/hdf5/file.h"
#include "base/hdf5/floats.h"
#include "base/hdf5/library.h"
#include "base/hdf5/reader.h"
#include "base/hdf5/seal.h"
#include "base/hdf5/types.h"
#include "base/hdf5/writing.h"

#endif
