#include "base/io/files.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

char *format_text(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (!text) {
        fprintf(stderr, "drumline: no memory for a line of text\n");
        abort();
    }
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

char *path_join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    bool needs_slash = length > 0 && folder[length - 1] != '/';
    return format_text("%s%s%s", folder, needs_slash ? "/" : "", name);
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

bool folder_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool folder_check(const char *path, struct error *error)
{
    struct stat status;
    if (stat(path, &status) == 0)
        return S_ISDIR(status.st_mode) || error_set(error, "%s: is a file, not a folder", path);
    if (errno == ENOENT || errno == ENOTDIR)
        return error_set(error, "%s: no such folder", path);
    return error_set_errno(error, errno, "%s: can't look at the folder", path);
}

/* Other ranks may make the same folders at the same time, so one that is there already is no failure. */
static bool make_one_folder(const char *path, struct error *error)
{
    if (mkdir(path, 0777) == 0)
        return true;
    int error_number = errno;
    if (folder_exists(path))
        return true;
    if (error_number == EEXIST)
        return error_set(error, "%s: is there, but is no folder", path);
    return error_set_errno(error, error_number, "%s: can't make the folder", path);
}

bool folder_make(const char *path, struct error *error)
{
    if (path[0] == '\0')
        return error_set(error, "the name of a folder is empty");
    char *part = format_text("%s", path);
    bool ok = true;
    for (char *slash = strchr(part + 1, '/'); ok && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        ok = make_one_folder(part, error);
        *slash = '/';
    }
    ok = ok && make_one_folder(part, error);
    free(part);
    if (ok && access(path, W_OK | X_OK) != 0)
        ok = error_set_errno(error, errno, "%s: can't write into the folder", path);
    return ok;
}

/* Paths, growing; used for the files found and for the folders still to be read. */
struct path_stack {
    char **paths;
    size_t count, capacity;
};

static bool push(struct path_stack *stack, char *path, struct error *error)
{
    if (stack->count == stack->capacity) {
        size_t capacity = stack->capacity ? 2 * stack->capacity : 64;
        char **paths = realloc(stack->paths, capacity * sizeof *paths);
        if (!paths) {
            free(path);
            return error_set(error, "no memory for a list of %zu files", capacity);
        }
        stack->paths = paths;
        stack->capacity = capacity;
    }
    stack->paths[stack->count++] = path;
    return true;
}

static void free_stack(struct path_stack *stack)
{
    for (size_t i = 0; i < stack->count; i++)
        free(stack->paths[i]);
    free(stack->paths);
}

static bool has_suffix(const char *name, const char *const *suffixes)
{
    size_t length = strlen(name);
    for (; *suffixes; suffixes++) {
        size_t suffix_length = strlen(*suffixes);
        if (length >= suffix_length && strcasecmp(name + length - suffix_length, *suffixes) == 0)
            return true;
    }
    return false;
}

/* DT_REG and so on; DT_UNKNOWN for what can't be looked at. Most file systems tell it with the name, without a system call. */
static unsigned char type_of_entry(DIR *stream, const struct dirent *entry)
{
    struct stat status;
    if (entry->d_type != DT_UNKNOWN || fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return entry->d_type;
    return S_ISDIR(status.st_mode)   ? DT_DIR
           : S_ISLNK(status.st_mode) ? DT_LNK
           : S_ISREG(status.st_mode) ? DT_REG
                                     : DT_UNKNOWN;
}

/* Sorts one entry of `relative` (below the listed folder, "" for itself) into files or folders, or leaves it out. */
static bool take_entry(struct path_stack *files, struct path_stack *folders, DIR *stream, const char *relative,
                       const struct dirent *entry, const char *const *suffixes, struct error *error)
{
    struct stat status;
    const char *name = entry->d_name;
    if (name[0] == '.')
        return true;
    unsigned char type = type_of_entry(stream, entry);
    if (folders && type == DT_DIR)
        return push(folders, path_join(relative, name), error);
    if (!has_suffix(name, suffixes))
        return true;
    if (type == DT_LNK && fstatat(dirfd(stream), name, &status, 0) != 0) {
        log_debug_here("%s%s%s: a link to nowhere, left out", relative, *relative ? "/" : "", name);
        return true;
    }
    if (type != DT_REG && !(type == DT_LNK && S_ISREG(status.st_mode))) {
        log_debug_here("%s%s%s: no regular file, left out", relative, *relative ? "/" : "", name);
        return true;
    }
    return push(files, path_join(relative, name), error);
}

/* `folders` is NULL where those below are not wanted. */
static bool read_folder(struct path_stack *files, struct path_stack *folders, const char *folder, const char *relative,
                        const char *const *suffixes, struct error *error)
{
    char *path = *relative ? path_join(folder, relative) : format_text("%s", folder);
    bool ok = true;
    DIR *stream = opendir(path);
    if (!stream) {
        int error_number = errno;
        ok = *relative != '\0';
        if (ok)
            log_warning("%s: can't read the folder (%s), left out", path, strerror(error_number));
        else
            error_set_errno(error, error_number, "%s: can't read the folder", path);
        free(path);
        return ok;
    }
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry) {
            if (errno != 0)
                ok = error_set_errno(error, errno, "%s: can't read the folder", path);
            break;
        }
        ok = take_entry(files, folders, stream, relative, entry, suffixes, error);
        if (!ok)
            break;
    }
    closedir(stream);
    free(path);
    return ok;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool file_list_make(struct file_list *list, const char *folder, bool recursive, const char *const *suffixes,
                    struct error *error)
{
    struct path_stack files = {0}, folders = {0};
    *list = (struct file_list){0};
    bool ok = push(&folders, format_text("%s", ""), error);
    while (ok && folders.count > 0) {
        char *relative = folders.paths[--folders.count];
        ok = read_folder(&files, recursive ? &folders : NULL, folder, relative, suffixes, error);
        free(relative);
    }
    free_stack(&folders);
    if (!ok) {
        free_stack(&files);
        return false;
    }
    if (files.count > 0)
        qsort(files.paths, files.count, sizeof *files.paths, compare_paths);
    *list = (struct file_list){.paths = files.paths, .count = files.count};
    return true;
}

void file_list_free(struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (struct file_list){0};
}

/* Opens a regular file. Without O_NONBLOCK, opening a pipe that has no writer would wait for ever. */
static bool open_regular(int *descriptor, size_t *size, const char *path, size_t max_size, struct error *error)
{
    *descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (*descriptor < 0)
        return error_set_errno(error, errno, "%s: can't open", path);
    struct stat status;
    bool ok = true;
    if (fstat(*descriptor, &status) != 0)
        ok = error_set_errno(error, errno, "%s: can't read", path);
    else if (!S_ISREG(status.st_mode))
        ok = error_set(error, "%s: %s", path, S_ISDIR(status.st_mode) ? "is a folder" : "is no regular file");
    else if ((uintmax_t)status.st_size > max_size)
        ok = error_set(error, "%s: is %jd bytes long; at most %zu are read", path, (intmax_t)status.st_size, max_size);
    if (!ok) {
        close(*descriptor);
        return false;
    }
    *size = (size_t)status.st_size;
    return true;
}

bool file_read(uint8_t **bytes, size_t *size, const char *path, size_t max_size, struct error *error)
{
    int descriptor;
    size_t capacity = 0;
    uint8_t *buffer = NULL;
    size_t used = 0;
    bool ok = false;
    if (!open_regular(&descriptor, &capacity, path, max_size, error))
        return false;
    buffer = malloc(capacity + 1);
    if (!buffer) {
        error_set(error, "%s: no memory for its %zu bytes", path, capacity);
        goto done;
    }
    while (used < capacity) {
        ssize_t count = read(descriptor, buffer + used, capacity - used);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            error_set_errno(error, errno, "%s: can't read", path);
            goto done;
        }
        if (count == 0)
            break; /* it was cut since its size was asked for */
        used += (size_t)count;
    }
    buffer[used] = 0;
    *bytes = buffer;
    *size = used;
    buffer = NULL;
    ok = true;
done:
    free(buffer);
    close(descriptor);
    return ok;
}

/* 0, or the reason in errno's numbers. */
static int write_all(int descriptor, const void *bytes, size_t size)
{
    const char *from = bytes;
    while (size > 0) {
        ssize_t written = write(descriptor, from, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        if (written == 0)
            return ENOSPC;
        from += written;
        size -= (size_t)written;
    }
    return 0;
}

bool file_write(const char *path, const char *shown_path, const void *bytes, size_t size, struct error *error)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int reason = descriptor < 0 ? errno : write_all(descriptor, bytes, size);
    if (descriptor >= 0 && close(descriptor) != 0 && reason == 0)
        reason = errno;
    return reason == 0 || error_set_errno(error, reason, "%s: can't write", shown_path);
}

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double date_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void date_now(char text[32])
{
    date_after(0, text);
}

void date_after(double seconds, char text[32])
{
    time_t moment = (time_t)(date_seconds() + seconds);
    struct tm parts = {0};
    gmtime_r(&moment, &parts);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}
