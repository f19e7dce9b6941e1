#include "base/hdf5/library.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_MEMORY = 4 << 20 };

/* HDF5 crashes where it has no memory to begin with. */
static void check_memory(void)
{
    void *volatile memory = malloc(FIRST_MEMORY);
    if (!memory) {
        fprintf(stderr, "drumline: no memory to start HDF5\n");
        exit(EXIT_FAILURE);
    }
    free(memory);
}

void hdf5_start(void)
{
    /* What HDF5 does at a program's end crashes where it had no memory to write a file. Ours are closed long before. This can be
     * set only once. */
    if (H5dont_atexit() >= 0)
        check_memory();
#if !H5_VERSION_GE(1, 10, 7)
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0); /* as hdf5_access_properties does in later versions */
#endif
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    /* Filters that are not built in would be looked for in folders, some of which the environment names, and loaded. */
    H5PLset_loading_state(0);
    /* A link to another file could make a file of ours read any other, or wait on a pipe. Our formats have none. */
    if (H5Lis_registered(H5L_TYPE_EXTERNAL) > 0)
        H5Lunregister(H5L_TYPE_EXTERNAL);
}

hid_t hdf5_access_properties(void)
{
    hid_t properties = H5Pcreate(H5P_FILE_ACCESS);
    if (properties < 0)
        return properties;
    bool ok = H5Pset_libver_bounds(properties, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110) >= 0;
#if H5_VERSION_GE(1, 10, 7)
    ok = ok && H5Pset_file_locking(properties, false, true) >= 0;
#endif
    if (ok)
        return properties;
    H5Pclose(properties);
    return H5I_INVALID_HID;
}
