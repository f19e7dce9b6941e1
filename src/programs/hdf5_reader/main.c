/* drumline-hdf5-reader: reads one HDF5 file for another of Drumline's programs, which starts it (base/hdf5/helper.h). */
#define _GNU_SOURCE /* F_ADD_SEALS */
#include "base/hdf5/hdf5.h"
#include "base/version.h"
#include "programs/hdf5_reader/sandbox.h"
#include "programs/hdf5_reader/serve.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether a program of ours started this one. */
static bool was_asked(void)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(HDF5_READER_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* The window, with its size, which nobody can change any more where it is memory; NULL on failure. */
static unsigned char *open_window(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (ftruncate(HDF5_READER_WINDOW, HDF5_WINDOW_SIZE) != 0)
        return NULL;
#ifdef F_ADD_SEALS
    (void)fcntl(HDF5_READER_WINDOW, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL); /* fails of a file */
#endif
    void *window = mmap(NULL, HDF5_WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, HDF5_READER_WINDOW, 0);
    return window == MAP_FAILED ? NULL : window;
}

int main(void)
{
    struct stat file;
    if (!was_asked()) {
        fprintf(
            stderr,
            "drumline-hdf5-reader %s: Drumline's programs start it to read HDF5 files, each in a process of its own\n",
            drumline_version());
        return 2;
    }
    if (fstat(HDF5_READER_FILE, &file) != 0) {
        perror("drumline-hdf5-reader: can't read the file");
        return EXIT_FAILURE;
    }
    unsigned char *window = open_window();
    if (!window) {
        perror("drumline-hdf5-reader: no memory");
        return EXIT_FAILURE;
    }
    hdf5_start();
    if (!sandbox_limit((uint64_t)file.st_size)) {
        perror("drumline-hdf5-reader: can't limit what it may use");
        return EXIT_FAILURE;
    }
#ifndef DRUMLINE_SANITIZED /* what a crash of HDF5 prints is for nobody */
    dup2(STDOUT_FILENO, STDERR_FILENO);
#endif
    sandbox_filter();
    int status = serve(window, (uint64_t)file.st_size);
    _exit(status); /* HDF5 has nothing to write, and what a file has made of its state is not worth a closing */
}
