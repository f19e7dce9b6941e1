/* Preloaded by tools/torture.py where strace can't be used: one of the program's calls on the files of a folder is disturbed.
 *
 *   TORTURE_FOLDER  the folder, an absolute path; only calls on what is in it count
 *   TORTURE_LOG     each such call is appended to this file: PID NAME(PATH), with (INJECTED) behind it where it was disturbed
 *   TORTURE_FAULT   which call is disturbed, and how: NAME NUMBER STEP ERROR SIGNAL. NUMBER counts from 1 in each process; with
 *                   a STEP of 1 all that follow are disturbed too. With an ERROR the call is not made and sets errno; with a SIGNAL
 *                   the process gets it first. Without the variable calls are only logged.
 *
 * Names are those of Linux's system calls, as strace's are. What libc calls itself, for fread say, is not seen, and the process that reads
 * HDF5 may not write to the log. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_FILES = 1024, LOG_AT_LEAST = 200, NAME_SIZE = 16 };

static char folder[PATH_MAX];
static size_t folder_length; /* 0: nothing is watched */
static int log_file = -1;
static struct {
    char name[NAME_SIZE];
    long number;
    int step, error, signal;
} fault;
static atomic_long num_calls; /* of the fault's name */
static _Atomic(char *)
    places[MOST_FILES]; /* of open files: where in the folder, NULL elsewhere. Not freed: others may be reading */

/* What is behind the folder in a path, NULL where it leads elsewhere. */
static const char *below(const char *path)
{
    bool is_in = folder_length > 0 && path && strncmp(path, folder, folder_length) == 0;
    return is_in && (path[folder_length] == '/' || !path[folder_length]) ? path + folder_length : NULL;
}

static const char *of_file(int file)
{
    return file >= 0 && file < MOST_FILES ? places[file] : NULL;
}

/* A relative path counts as its folder, which is enough to be found. */
static const char *of_path(int at, const char *path)
{
    return path[0] == '/' ? below(path) : of_file(at);
}

static int note(int file, const char *place)
{
    if (file >= 0 && file < MOST_FILES)
        places[file] = place ? strdup(place) : NULL;
    return file;
}

__attribute__((constructor)) static void start(void)
{
    const char *where = getenv("TORTURE_FOLDER"), *log = getenv("TORTURE_LOG"), *what = getenv("TORTURE_FAULT");
    if (!where || !log)
        return;
    if (what &&
        sscanf(what, "%15s %ld %d %d %d", fault.name, &fault.number, &fault.step, &fault.error, &fault.signal) != 5)
        abort();
    snprintf(folder, sizeof folder, "%s", where);
    folder_length = strlen(folder);
    int file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    log_file = fcntl(file, F_DUPFD_CLOEXEC, LOG_AT_LEAST);
    syscall(SYS_close, file);
    for (int i = 0; i < LOG_AT_LEAST; i++) { /* those that the program was started with */
        char link[64], path[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", i);
        long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
        path[length < 0 ? 0 : length] = '\0';
        note(i, below(path));
    }
}

/* Before a call at a place, NULL where that is not in the folder. Whether the call fails, in which case errno is set. */
static bool fails(const char *name, const char *place)
{
    char line[NAME_SIZE + PATH_MAX + 64];
    int before = errno;
    bool is_due = false;
    if (!place)
        return false;
    if (strcmp(name, fault.name) == 0) {
        long number = atomic_fetch_add(&num_calls, 1) + 1;
        is_due = number == fault.number || (fault.step > 0 && number > fault.number);
    }
    int length = snprintf(line, sizeof line, "%d %s(%s)%s\n", (int)getpid(), name, place, is_due ? " (INJECTED)" : "");
    syscall(SYS_write, log_file, line, length);
    if (is_due && fault.signal)
        raise(fault.signal);
    errno = is_due && fault.error ? fault.error : before;
    return is_due && fault.error;
}

static int open_at(int at, const char *path, int flags, va_list list)
{
    bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; /* O_TMPFILE holds O_DIRECTORY */
    mode_t mode = has_mode ? va_arg(list, mode_t) : 0;
    const char *place = of_path(at, path);
    return fails("openat", place) ? -1 : note((int)syscall(SYS_openat, at, path, flags, mode), place);
}

int open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    int file = open_at(AT_FDCWD, path, flags, list);
    va_end(list);
    return file;
}

int openat(int at, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    int file = open_at(at, path, flags, list);
    va_end(list);
    return file;
}

/* libc's own function; POSIX has a void pointer hold one. */
#define NEXT(type, name, arguments)                                                                                    \
    static type(*next) arguments;                                                                                      \
    if (!next)                                                                                                         \
    *(void **)&next = dlsym(RTLD_NEXT, #name)

FILE *fopen(const char *restrict path, const char *restrict mode)
{
    NEXT(FILE *, fopen, (const char *, const char *));
    FILE *file = fails("openat", of_path(AT_FDCWD, path)) ? NULL : next(path, mode);
    if (file)
        note(fileno(file), of_path(AT_FDCWD, path));
    return file;
}

DIR *opendir(const char *path)
{
    NEXT(DIR *, opendir, (const char *));
    DIR *stream = fails("openat", of_path(AT_FDCWD, path)) ? NULL : next(path);
    if (stream)
        note(dirfd(stream), of_path(AT_FDCWD, path));
    return stream;
}

struct dirent *readdir(DIR *stream)
{
    NEXT(struct dirent *, readdir, (DIR *));
    return fails("getdents64", of_file(dirfd(stream))) ? NULL : next(stream);
}

/* The streams are closed in any case, as nobody can close them again. */
int fclose(FILE *file)
{
    NEXT(int, fclose, (FILE *));
    int number = fileno(file);
    bool has_failed = fails("close", of_file(number));
    int reason = errno;
    note(number, NULL);
    int status = next(file);
    errno = has_failed ? reason : errno;
    return has_failed ? EOF : status;
}

int closedir(DIR *stream)
{
    NEXT(int, closedir, (DIR *));
    int number = dirfd(stream);
    bool has_failed = fails("close", of_file(number));
    int reason = errno;
    note(number, NULL);
    int status = next(stream);
    errno = has_failed ? reason : errno;
    return has_failed ? -1 : status;
}

int close(int file)
{
    if (fails("close", of_file(file)))
        return -1;
    note(file, NULL);
    return (int)syscall(SYS_close, file);
}

/* The rest are system calls as they are. */
#define IS_CALL(type, name, arguments, call, place, ...)                                                               \
    type name arguments                                                                                                \
    {                                                                                                                  \
        return fails(call, place) ? -1 : (type)syscall(__VA_ARGS__);                                                   \
    }

/* clang-format off */
IS_CALL(ssize_t, read, (int file, void *to, size_t size), "read", of_file(file), SYS_read, file, to, size)
IS_CALL(ssize_t, pread, (int file, void *to, size_t size, off_t at), "pread64", of_file(file), SYS_pread64, file, to, size, at)
IS_CALL(ssize_t, write, (int file, const void *from, size_t size), "write", of_file(file), SYS_write, file, from, size)
IS_CALL(ssize_t, pwrite, (int file, const void *from, size_t size, off_t at), "pwrite64", of_file(file), SYS_pwrite64, file, from, size, at)
IS_CALL(off_t, lseek, (int file, off_t by, int from), "lseek", of_file(file), SYS_lseek, file, by, from)
IS_CALL(int, ftruncate, (int file, off_t size), "ftruncate", of_file(file), SYS_ftruncate, file, size)
IS_CALL(int, fsync, (int file), "fsync", of_file(file), SYS_fsync, file)
IS_CALL(int, fstat, (int file, struct stat *to), "newfstatat", of_file(file), SYS_newfstatat, file, "", to, AT_EMPTY_PATH)
IS_CALL(int, stat, (const char *restrict path, struct stat *restrict to), "newfstatat", of_path(AT_FDCWD, path), SYS_newfstatat, AT_FDCWD, path, to, 0)
IS_CALL(int, lstat, (const char *restrict path, struct stat *restrict to), "newfstatat", of_path(AT_FDCWD, path), SYS_newfstatat, AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW)
IS_CALL(int, fstatat, (int at, const char *restrict path, struct stat *restrict to, int flags), "newfstatat", of_path(at, path), SYS_newfstatat, at, path, to, flags)
IS_CALL(int, access, (const char *path, int mode), "access", of_path(AT_FDCWD, path), SYS_faccessat, AT_FDCWD, path, mode)
IS_CALL(int, mkdir, (const char *path, mode_t mode), "mkdir", of_path(AT_FDCWD, path), SYS_mkdirat, AT_FDCWD, path, mode)
IS_CALL(int, rmdir, (const char *path), "rmdir", of_path(AT_FDCWD, path), SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR)
IS_CALL(int, unlink, (const char *path), "unlink", of_path(AT_FDCWD, path), SYS_unlinkat, AT_FDCWD, path, 0)
IS_CALL(int, unlinkat, (int at, const char *path, int flags), "unlinkat", of_path(at, path), SYS_unlinkat, at, path, flags)
IS_CALL(int, rename, (const char *from, const char *to), "rename", of_path(AT_FDCWD, from), SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0)
IS_CALL(int, link, (const char *from, const char *to), "link", of_path(AT_FDCWD, from), SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0)
IS_CALL(int, utimensat, (int at, const char *path, const struct timespec times[2], int flags), "utimensat", of_path(at, path), SYS_utimensat, at, path, times, flags)
/* clang-format on */
