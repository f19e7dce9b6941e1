#include "run/json_lines.h"

#include "base/io/files.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A FIFO without a reader would have us wait in open, deaf to signals. */
static int open_for_appending(const char *path, struct stat *status, struct error *error)
{
    int file = open(path, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0644);
    bool is_seen = file >= 0 && fstat(file, status) == 0;
    int reason = errno;
    if (is_seen && S_ISREG(status->st_mode))
        return file;
    if (file >= 0)
        close(file);
    if (stat(path, status) == 0 && !S_ISREG(status->st_mode))
        error_set(error, "%s: can't write: is not a regular file", path);
    else
        error_set_errno(error, reason, "%s: can't write", path);
    return -1;
}

static bool ends_in_a_line(int file)
{
    char last;
    struct stat status;
    return fstat(file, &status) != 0 || status.st_size == 0 || pread(file, &last, 1, status.st_size - 1) != 1 ||
           last == '\n';
}

/* Where a full disk cut a line before. Another writer's line that is just being written looks like that for a moment. */
static bool ends_in_a_cut_line(int file)
{
    enum { LOOKS = 20, PAUSE_NANOSECONDS = 1000000 };
    for (int i = 0; i < LOOKS; i++) {
        if (ends_in_a_line(file))
            return false;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NANOSECONDS}, NULL);
    }
    return true;
}

/* One write to the end of the file, so that lines of several writers do not mix. Half a line, where the disk is full, is taken
 * back by a single writer; of several none can do so without cutting what another has appended since. */
static bool append_line(const char *path, const char *text, enum json_lines_writers writers, struct error *error)
{
    struct stat status;
    int file = open_for_appending(path, &status, error);
    if (file < 0)
        return false;
    char *line = format_text("%s%s\n", ends_in_a_cut_line(file) ? "\n" : "", text);
    size_t size = strlen(line);
    ssize_t written = write(file, line, size);
    int reason = written < 0 ? errno : ENOSPC;
    bool ok = written == (ssize_t)size;
    if (!ok && written > 0 && writers == ONE_WRITER && ftruncate(file, status.st_size) != 0)
        reason = errno;
    close(file);
    free(line);
    return ok || error_set_errno(error, reason, "%s: can't write", path);
}

bool json_lines_append(const char *folder, const char *name, json_t *object, enum json_lines_writers writers,
                       struct error *error)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9)), *path = path_join(folder, name);
    bool ok = text || error_set(error, "%s: out of memory", path);
    json_decref(object);
    ok = ok && folder_make(folder, error) && append_line(path, text, writers, error);
    free(text);
    free(path);
    return ok;
}
