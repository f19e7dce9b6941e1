/* What this process gives up before it looks at a file. */
#ifndef DRUMLINE_PROGRAMS_HDF5_READER_SANDBOX_H
#define DRUMLINE_PROGRAMS_HDF5_READER_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* Closes all descriptors but the standard ones and those of base/hdf5/protocol.h, and limits address space, CPU time (more
 * for a larger file), files and processes, for good. False where that fails. */
bool sandbox_limit(uint64_t file_size);

/* Where libseccomp was there to build with and the kernel has it: from now on all system calls fail but those that reading from open
 * descriptors and memory need. */
void sandbox_filter(void);

#endif
