/* A file that is complete or absent, also after a crash: written under a temporary name in the same folder,
 * fsynced, renamed, and the folder fsynced.
 *
 *     struct atomic_file file;
 *     if (!atomic_file_start(&file, path, error)) return false;
 *     ... atomic_file_put(&file, bytes, size, error), as often as needed ...
 *     return atomic_file_commit(&file, error);      or atomic_file_abandon(&file) on failure
 *
 * The temporary name holds a random tag, and the file is made with O_EXCL and O_NOFOLLOW: in a folder that others may write
 * to, nobody can have put a link there. It is fsynced through the descriptor that wrote it, which sees every error of writing
 * back. */
#ifndef DRUMLINE_BASE_IO_ATOMIC_FILE_H
#define DRUMLINE_BASE_IO_ATOMIC_FILE_H

#include "base/error.h"

#include <stddef.h>
#include <time.h>

/* All zero is none. */
struct atomic_file {
    char *path;           /* owned */
    char *temporary_path; /* owned: ".NAME.HOST.TAG.PID.tmp" beside it */
    int descriptor;       /* for writing; open until the file is flushed, then -1 */
};

/* Creates the temporary file, empty. */
bool atomic_file_start(struct atomic_file *file, const char *path, struct error *error);

/* Appends to the temporary file. Frees nothing, also on failure. */
bool atomic_file_put(struct atomic_file *file, const void *bytes, size_t size, struct error *error);

/* Fsyncs the temporary file and closes it: nothing can be appended any more. Commit does so too: this is for a caller that has
 * to check something just before the file gets its name. A second call does nothing. Frees nothing, also on failure. */
bool atomic_file_flush(struct atomic_file *file, struct error *error);

/* Renames the temporary file to `path`, replacing what is there, and frees. On failure the temporary file is removed and what
 * was at `path` stays. */
bool atomic_file_commit(struct atomic_file *file, struct error *error);

/* As commit, but fails with EEXIST's message where `path` exists, with no moment between check and rename. */
bool atomic_file_commit_new(struct atomic_file *file, struct error *error);

/* What commit_new does, in parts, for many files at once: each is started and written; all are flushed together; each is
 * given its name, which need not be the one it was started with; and their folder is flushed. */

/* Flushes files[0..count), several at a time: a file system makes many of them durable in little more time than one. On
 * failure the error names the first that failed; all are still the caller's to abandon. */
bool atomic_file_flush_all(struct atomic_file *files, int count, struct error *error);

/* Names a flushed file `path` in the same folder, and frees; fails with EEXIST's message where that exists. On
 * failure the file is still the caller's, to name otherwise or to abandon. */
bool atomic_file_name_new(struct atomic_file *file, const char *path, struct error *error);

/* Gives a flushed file the name that it was started with, replacing what is there, and frees. On failure the file is still
 * the caller's. */
bool atomic_file_name_over(struct atomic_file *file, struct error *error);

/* Fsyncs `folder`, so that names given in it survive a crash. */
bool atomic_file_flush_folder(const char *folder, struct error *error);

/* Removes the temporary file and frees. */
void atomic_file_abandon(struct atomic_file *file);

/* A whole small file at once. */
bool atomic_file_write(const char *path, const void *bytes, size_t size, struct error *error);

/* Now by the clock that dates the files beside `path`: a file server's, or another node's, may be minutes or an hour away from
 * this host's, which is taken where no file can be made there. */
time_t atomic_file_now(const char *path);

/* Removes all temporary files in `folder`, for a job that alone may write there: what killed writers left, and what one that
 * was taken for dead is still writing, whose commit then fails. */
void atomic_file_sweep(const char *folder);

/* The same for a folder that others may be writing to: removes temporary files whose process is gone, and those of processes
 * out of sight (base/process.h) that are older than an hour by the file system's clock. */
void atomic_file_sweep_shared(const char *folder);

#endif
