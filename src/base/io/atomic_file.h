/* A file that is there whole or not at all, also after a crash: written under a temporary name in the same folder,
 * flushed and fsynced, renamed, and the folder fsynced.
 *
 *     struct atomic_file file;
 *     if (!atomic_file_start(&file, path, error)) return false;
 *     ... write and close file.temporary_path ...
 *     return atomic_file_commit(&file, error);      or atomic_file_abandon(&file) on failure
 */
#ifndef DRUMLINE_BASE_IO_ATOMIC_FILE_H
#define DRUMLINE_BASE_IO_ATOMIC_FILE_H

#include "base/error.h"

#include <stddef.h>

struct atomic_file {
    char *path;           /* owned */
    char *temporary_path; /* owned: ".NAME.HOST.TAG.PID.tmp" beside it */
};

/* Chooses the temporary name and removes a file of that name. Creates nothing. */
bool atomic_file_start(struct atomic_file *file, const char *path, struct error *error);

/* Gives the disk all of the temporary file, which commit does too: for a caller that has to look at something just before the
 * file gets its name, and to flush may take long. Frees nothing, also on failure. */
bool atomic_file_flush(const struct atomic_file *file, struct error *error);

/* Puts the temporary file in the place of `path`, replacing what is there, and frees. On failure the temporary file is
 * removed and what stood at `path` stays. */
bool atomic_file_commit(struct atomic_file *file, struct error *error);

/* As commit, but fails with EEXIST's message where `path` is there already, without a moment between look and rename. */
bool atomic_file_commit_new(struct atomic_file *file, struct error *error);

/* What commit_new does, in parts, for many files at once: each is started and written; all are flushed together; each is
 * given its name, which need not be the one it was started with; and their folder is flushed. */

/* Gives the disk the temporary files of files[0..count), several at a time: a file system makes many of them durable in
 * little more time than one. On failure the error names the first that failed; all are still the caller's to abandon. */
bool atomic_file_flush_all(const struct atomic_file *files, int count, struct error *error);

/* Names a flushed file `path` in the same folder, and frees; fails with EEXIST's message where that is there already. On
 * failure the file is still the caller's, to name otherwise or to abandon. */
bool atomic_file_name_new(struct atomic_file *file, const char *path, struct error *error);

/* Gives a flushed file the name that it was started with, replacing what is there, and frees. On failure the file is still
 * the caller's. */
bool atomic_file_name_over(struct atomic_file *file, struct error *error);

/* Gives the disk the names of files that have been given theirs in `folder`. */
bool atomic_file_flush_folder(const char *folder, struct error *error);

/* Removes the temporary file and frees. */
void atomic_file_abandon(struct atomic_file *file);

/* A whole small file at once. */
bool atomic_file_write(const char *path, const void *bytes, size_t size, struct error *error);

/* Removes all temporary files in `folder`, for one who alone may write there: what killed writers left, and what one that
 * was taken for dead is still writing, whose commit then fails. */
void atomic_file_sweep(const char *folder);

/* The same for a folder that others may be writing into: removes temporary files whose process is gone, and those of
 * processes out of sight (base/process.h) that are older than an hour. */
void atomic_file_sweep_shared(const char *folder);

#endif
