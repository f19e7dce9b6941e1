/* Where the files of a foreign model come from: a folder, or an archive (tar, zip, either compressed with gzip), which is
 * read into memory. Nothing is ever written, and names lead nowhere but to files of that folder or archive. */
#ifndef DRUMLINE_EXCHANGE_FILE_SOURCE_H
#define DRUMLINE_EXCHANGE_FILE_SOURCE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* A file of an archive. */
struct source_file {
    char *name;     /* owned; "groovae_2bar_humanize/model.ckpt-3061.index" */
    uint8_t *bytes; /* owned; NULL once they were taken */
    size_t size;
};

/* All zero is none. */
struct file_source {
    char *path; /* of the folder or the archive; owned */
    bool is_archive;
    struct source_file *files; /* of an archive; of a folder names alone; owned */
    size_t count, capacity;
};

/* Lists the files of a folder, not of those below it. */
bool file_source_open_folder(struct file_source *source, const char *path, struct error *error);

/* Reads an archive. Fails where it holds a name that leads out of it (absolute, with ".."), a link, too many files, more than
 * FOREIGN_MAX_BYTES, or far more than its own size: weights can't be compressed much. */
bool file_source_open_archive(struct file_source *source, const char *path, struct error *error);

/* Whether the first bytes of a file are those of an archive: tar, zip or gzip. */
bool file_source_is_archive(const uint8_t *head, size_t size);

/* The whole file of that name, owned by the caller, with a NUL behind it. Each can be taken once. Fails above max_size, where
 * there is none, or where the name leads out of the source; the message names archive and file. */
bool file_source_take(struct file_source *source, const char *name, size_t max_size, uint8_t **bytes, size_t *size,
                      struct error *error);

/* Puts the name of a file of the source before the message that is there, and returns false: "FOLDER/NAME" or "ARCHIVE: NAME". */
bool file_source_prefix(const struct file_source *source, const char *name, struct error *error);

bool file_source_has(const struct file_source *source, const char *name);

void file_source_close(struct file_source *source);

#endif
