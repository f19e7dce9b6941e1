/* Paths, folders and whole files. */
#ifndef DRUMLINE_BASE_IO_FILES_H
#define DRUMLINE_BASE_IO_FILES_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* "FOLDER/NAME", owned by the caller; one '/' between them. */
char *path_join(const char *folder, const char *name);

/* The folder in which `path` lies: what is before its last '/', or "."; owned by the caller. */
char *path_folder(const char *path);

/* The part after the last '/', inside `path`. */
const char *path_name(const char *path);

bool file_exists(const char *path);
bool folder_exists(const char *path);

/* Whether there is something of that name, links followed. Fails where the system can't say (no permission, an error of the
 * disk): then there may be. */
bool path_look(bool *is_there, const char *path, struct error *error);

/* Fails where it is not a folder, and says what it is. */
bool folder_check(const char *path, struct error *error);

/* Makes the folder and those above it; an existing one is fine. Fails where it is not a folder or is not writable. */
bool folder_make(const char *path, struct error *error);

/* Whether there is nothing in the folder; a missing one is empty. Fails where it can't be read. */
bool folder_is_empty(bool *empty, const char *path, struct error *error);

enum path_skip {
    PATH_FOLDER,            /* with the name of a file; not searched either */
    PATH_BROKEN_LINK,       /* to nothing */
    PATH_NOT_REGULAR,       /* a FIFO, a socket, a device */
    PATH_UNREADABLE,        /* what it is can't be seen */
    PATH_UNREADABLE_FOLDER, /* some or all of its entries are missing in the list */
};

/* "broken link", ... */
const char *path_skip_text(enum path_skip reason);

struct skipped_path {
    char *path; /* relative to the folder */
    enum path_skip reason;
    int error_number; /* errno of what is unreadable or a broken link, else 0 */
};

struct file_list {
    char **paths; /* relative to the folder, sorted by bytes; owned */
    size_t count;
    struct skipped_path *skipped; /* has a matching name, but can't be read; sorted likewise; owned */
    size_t num_skipped;
};

/* Regular files (links to files too) below `folder` whose names end in one of the NULL-ended `suffixes`, in any case; in
 * the folder itself or, if `recursive`, in those below it too (links to folders too, each folder once however many
 * links lead to it). Names that begin with
 * '.' are ignored. What can't be read is listed in `skipped`, for the caller to report; `folder` itself must be readable. On
 * failure the list is empty. */
bool file_list_make(struct file_list *list, const char *folder, bool recursive, const char *const *suffixes,
                    struct error *error);
void file_list_free(struct file_list *list);

/* The whole file, owned by the caller, with a NUL after its last byte (not counted). Fails above max_size bytes. */
bool file_read(uint8_t **bytes, size_t *size, const char *path, size_t max_size, struct error *error);

#endif
