#include "dist/leftovers.h"

#include "base/array.h"
#include "base/host.h"
#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The number of the first PID namespace's inode (Linux, PROC_PID_INIT_INO): part of the kernel's interface. */
static const char first_space[] = "pid:[4026531836]";

enum { YOUNG_SECONDS = 60, LINE_SIZE = 8192 };

struct leftover {
    char name[NAME_MAX + 1];
    dev_t device;
    ino_t inode;
};

struct leftovers {
    struct leftover *files; /* [count], owned */
    size_t count, capacity;
};

static bool sees_all_processes(void)
{
    char space[sizeof first_space] = "";
    ssize_t length = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    return length > 0 && strcmp(space, first_space) == 0;
}

/* "vader_segment.HOST.USER.", as Open MPI names it, with the host's name up to its first point; the caller's. */
static char *own_prefix(void)
{
    char host[HOST_NAME_SIZE];
    host_name(host);
    host[strcspn(host, ".")] = '\0';
    return format_text("vader_segment.%s.%lu.", host, (unsigned long)geteuid());
}

static bool take_file(struct leftovers *leftovers, const char *name, const struct stat *status)
{
    struct leftover *files = array_grow(leftovers->files, &leftovers->capacity, leftovers->count, 1, sizeof *files);
    if (!files)
        return false;
    leftovers->files = files;
    struct leftover *file = &files[leftovers->count++];
    *file = (struct leftover){.device = status->st_dev, .inode = status->st_ino};
    snprintf(file->name, sizeof file->name, "%s", name);
    return true;
}

/* Those that may be left over. */
static bool find(struct leftovers *leftovers, DIR *stream, double seconds)
{
    char *prefix = own_prefix();
    bool ok = true;
    for (struct dirent *entry = readdir(stream); ok && entry; entry = readdir(stream)) {
        struct stat status;
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
            fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
            status.st_uid == geteuid() && difftime(time(NULL), status.st_mtime) > seconds &&
            difftime(time(NULL), status.st_ctime) > seconds)
            ok = take_file(leftovers, entry->d_name, &status);
    }
    free(prefix);
    return ok;
}

static void forget(struct leftovers *leftovers, dev_t device, ino_t inode)
{
    for (size_t i = 0; i < leftovers->count; i++)
        if (leftovers->files[i].device == device && leftovers->files[i].inode == inode)
            leftovers->files[i--] = leftovers->files[--leftovers->count];
}

/* Forgets what the process has mapped. False where that can't be seen. */
static bool forget_mapped(struct leftovers *leftovers, int process)
{
    char line[LINE_SIZE];
    int file = openat(process, "maps", O_RDONLY | O_CLOEXEC);
    FILE *stream = file >= 0 ? fdopen(file, "r") : NULL;
    if (!stream) {
        bool is_gone = errno == ENOENT || errno == ESRCH;
        if (file >= 0)
            close(file);
        return is_gone;
    }
    errno = 0;
    while (fgets(line, sizeof line, stream))
        for (size_t i = 0; i < leftovers->count; i++)
            if (strstr(line, leftovers->files[i].name)) {
                forget(leftovers, leftovers->files[i].device, leftovers->files[i].inode);
                break;
            }
    bool ok = !ferror(stream) || errno == ESRCH;
    fclose(stream);
    return ok;
}

/* Forgets what the process has open. False where that can't be seen. */
static bool forget_open(struct leftovers *leftovers, int process)
{
    int folder = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = folder >= 0 ? fdopendir(folder) : NULL;
    if (!stream) {
        bool is_gone = errno == ENOENT || errno == ESRCH;
        if (folder >= 0)
            close(folder);
        return is_gone;
    }
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        struct stat status;
        if (fstatat(dirfd(stream), entry->d_name, &status, 0) == 0)
            forget(leftovers, status.st_dev, status.st_ino);
    }
    closedir(stream);
    return true;
}

/* By its status: the owner of its folder is another where the process does not let itself be looked at. What can't be seen at all
 * is another user's, or gone. */
static bool is_own(int process)
{
    char line[LINE_SIZE];
    unsigned long real, effective;
    bool own = false;
    int file = openat(process, "status", O_RDONLY | O_CLOEXEC);
    FILE *stream = file >= 0 ? fdopen(file, "r") : NULL;
    while (stream && fgets(line, sizeof line, stream))
        if (sscanf(line, "Uid: %lu %lu", &real, &effective) == 2)
            own = real == (unsigned long)geteuid() || effective == (unsigned long)geteuid();
    if (stream)
        fclose(stream);
    else if (file >= 0)
        close(file);
    return own;
}

/* Forgets what a process of this user still uses; false where one can't be looked at. */
static bool forget_used(struct leftovers *leftovers)
{
    DIR *processes = opendir("/proc");
    bool ok = processes != NULL;
    for (struct dirent *entry; ok && leftovers->count > 0 && (entry = readdir(processes));) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        int process = openat(dirfd(processes), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process < 0)
            continue;
        if (is_own(process))
            ok = forget_mapped(leftovers, process) && forget_open(leftovers, process);
        close(process);
    }
    if (processes)
        closedir(processes);
    return ok;
}

size_t leftovers_sweep_older(const char *folder, double seconds)
{
    struct leftovers leftovers = {0};
    size_t removed = 0;
    DIR *stream = opendir(folder);
    if (!stream)
        return 0;
    if (find(&leftovers, stream, seconds) && leftovers.count > 0 && forget_used(&leftovers))
        for (size_t i = 0; i < leftovers.count; i++)
            removed += unlinkat(dirfd(stream), leftovers.files[i].name, 0) == 0;
    closedir(stream);
    free(leftovers.files);
    return removed;
}

size_t leftovers_sweep(const char *folder)
{
    return sees_all_processes() ? leftovers_sweep_older(folder, YOUNG_SECONDS) : 0;
}
