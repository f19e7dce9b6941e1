/* A group of weights of a tensorflow.js manifest: its variables' bytes one after another, cut into files of equal size but for
 * the last. */
#ifndef DRUMLINE_EXCHANGE_WEIGHT_FILES_H
#define DRUMLINE_EXCHANGE_WEIGHT_FILES_H

#include "base/io/atomic_file.h"

#include <jansson.h>

#include <stddef.h>

/* Where the bytes of a group go. */
struct weight_files {
    const char *folder; /* not owned */
    int group;          /* number in the files' names */
    size_t file_size;   /* bytes */
    int count;          /* of all files: how many bytes there will be is known before */
    size_t written;
    struct atomic_file file; /* the one that is being written, where is_open */
    bool is_open;
};

/* "group1-shard1of2.bin", counted from 1; owned by the caller. */
char *weight_file_name(int group, int number, int count);

/* Begins a group of `size` bytes in all. */
void weight_files_start(struct weight_files *files, const char *folder, int group, size_t size, size_t file_size);

/* Appends. On failure nothing is left open. */
bool weight_files_put(struct weight_files *files, const void *bytes, size_t size, struct error *error);

/* Ends the last file, which must hold all bytes then. */
bool weight_files_finish(struct weight_files *files, struct error *error);

/* The files' names, after `prefix`, as a new JSON array. */
json_t *weight_files_paths(const struct weight_files *files, const char *prefix);

#endif
