/* A folder of a test's own, and what a function prints. */
#ifndef DRUMLINE_TESTS_SUPPORT_SCRATCH_H
#define DRUMLINE_TESTS_SUPPORT_SCRATCH_H

#include "base/descriptor.h"
#include "base/io/files.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes a whole file, replacing one that is there. Messages name `shown_path`. */
static inline bool file_write(const char *path, const char *shown_path, const void *bytes, size_t size,
                              struct error *error)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int reason = descriptor < 0 ? errno : descriptor_write(descriptor, bytes, size);
    if (descriptor >= 0)
        close(descriptor);
    return reason == 0 || error_set_errno(error, reason, "%s: can't write", shown_path);
}

/* A new empty folder, owned by the caller. */
static inline char *scratch_make(void)
{
    const char *parent = getenv("TMPDIR");
    char *path = format_text("%s/drumline-test-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(path)) {
        perror(path);
        abort();
    }
    return path;
}

/* Removes the folder with all that is in it, and frees its name. */
static inline void scratch_remove(char *path)
{
    DIR *stream = opendir(path);
    for (struct dirent *entry = stream ? readdir(stream) : NULL; entry; entry = readdir(stream)) {
        struct stat status;
        char *inner = path_join(path, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || lstat(inner, &status) != 0) {
            free(inner);
        } else if (S_ISDIR(status.st_mode)) {
            scratch_remove(inner);
        } else {
            unlink(inner);
            free(inner);
        }
    }
    if (stream)
        closedir(stream);
    rmdir(path);
    free(path);
}

/* The same before and after a test of cmocka's, whose state the folder's name is. */
static inline int scratch_set_up(void **state)
{
    *state = scratch_make();
    return 0;
}

static inline int scratch_tear_down(void **state)
{
    scratch_remove(*state);
    return 0;
}

/* Files in the folder, hidden ones too, but for "." and "..". */
static inline int scratch_count(const char *path)
{
    int count = 0;
    DIR *stream = opendir(path);
    for (struct dirent *entry = stream ? readdir(stream) : NULL; entry; entry = readdir(stream))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (stream)
        closedir(stream);
    return count;
}

/* What goes to a descriptor (1 or 2) between start and end. */
struct capture {
    int descriptor, saved;
    FILE *file;
};

static inline struct capture capture_start(int descriptor)
{
    fflush(stdout);
    struct capture capture = {.descriptor = descriptor, .saved = dup(descriptor), .file = tmpfile()};
    if (!capture.file || dup2(fileno(capture.file), descriptor) < 0)
        abort();
    return capture;
}

/* Returns the text, owned by the caller. */
static inline char *capture_end(struct capture *capture)
{
    fflush(stdout);
    dup2(capture->saved, capture->descriptor);
    close(capture->saved);
    long size = fseek(capture->file, 0, SEEK_END) == 0 ? ftell(capture->file) : 0;
    char *text = calloc((size_t)size + 1, 1);
    rewind(capture->file);
    if (!text || fread(text, 1, (size_t)size, capture->file) != (size_t)size)
        abort();
    fclose(capture->file);
    return text;
}

#endif
