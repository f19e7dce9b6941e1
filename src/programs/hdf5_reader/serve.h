/* Requests, answered. */
#ifndef DRUMLINE_PROGRAMS_HDF5_READER_SERVE_H
#define DRUMLINE_PROGRAMS_HDF5_READER_SERVE_H

#include <stdint.h>

/* Answers all requests that come by HDF5_READER_SOCKET about the file at HDF5_READER_FILE, which has file_size bytes, with values in
 * `window` (base/hdf5/protocol.h), until whoever asks is done. Returns the program's exit status. */
int serve(unsigned char *window, uint64_t file_size);

#endif
