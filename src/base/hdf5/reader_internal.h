/* What the sources of base/hdf5/reader.h share. */
#ifndef DRUMLINE_BASE_HDF5_READER_INTERNAL_H
#define DRUMLINE_BASE_HDF5_READER_INTERNAL_H

#include "base/hdf5/helper.h"
#include "base/hdf5/reader.h"

struct hdf5_reader {
    char *path;                /* owned */
    struct hdf5_helper helper; /* none where is_lost */
    uint64_t file_size;        /* bytes */
    bool is_lost;
    struct error loss; /* where is_lost: why, for all that is asked later */
    struct hdf5_request request;
    struct hdf5_answer answer; /* the last */
};

/* The reader's request, emptied, for an object `name`; NULL with the error set where the name is too long. */
struct hdf5_request *hdf5_reader_prepare(struct hdf5_reader *file, enum hdf5_request_kind kind, const char *name,
                                         struct error *error);

/* Sends it. The errors of this and what follows have the file's name. */
bool hdf5_reader_send(struct hdf5_reader *file, struct error *error);

/* Waits for the answer, in file->answer, with at most max_size bytes of values. */
bool hdf5_reader_receive(struct hdf5_reader *file, size_t max_size, struct error *error);

/* Sends the request and waits for the answer. */
bool hdf5_reader_ask(struct hdf5_reader *file, size_t max_size, struct error *error);

/* The first `size` bytes of the values that were received last. On failure nothing more can be read of the file. */
bool hdf5_reader_take(struct hdf5_reader *file, void *to, size_t size, struct error *error);

/* "PATH: NAME: WHAT"; returns false. */
bool hdf5_reader_refuse(const struct hdf5_reader *file, const char *name, const char *what, struct error *error);

#endif
