#define _XOPEN_SOURCE 700 /* nftw */
#include "programs/bench/folder.h"

#include "base/host.h"
#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_GRACE = 60 }; /* seconds in which whoever made a folder has locked it */

static const char suffix[] = "XXXXXX";

struct bench_folder {
    char *path;     /* owned */
    int descriptor; /* the folder, locked with flock: the lock ends with the process, however that ends */
};

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static bool remove_tree(const char *path)
{
    enum { MOST_OPEN_FOLDERS = 16 };
    return nftw(path, remove_entry, MOST_OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0;
}

/* What the names of this host's folders begin with; owned by the caller. */
static char *make_prefix(void)
{
    char host[HOST_NAME_SIZE];
    host_name(host);
    return format_text("drumline-bench-%s-", host);
}

/* The folder, locked, where it is this user's, older than LOCK_GRACE and locked by no living process; else -1. */
static int lock_abandoned(const char *path)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0)
        return -1;
    if (fstat(descriptor, &status) == 0 && status.st_uid == geteuid() && time(NULL) - status.st_mtime > LOCK_GRACE &&
        flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

static void remove_abandoned(const char *parent)
{
    char *prefix = make_prefix();
    size_t length = strlen(prefix);
    DIR *stream = opendir(parent);
    for (struct dirent *entry = stream ? readdir(stream) : NULL; entry; entry = readdir(stream)) {
        if (strncmp(entry->d_name, prefix, length) != 0 || strlen(entry->d_name) != length + strlen(suffix))
            continue;
        char *path = path_join(parent, entry->d_name);
        int descriptor = lock_abandoned(path);
        if (descriptor >= 0) {
            if (remove_tree(path))
                log_info("%s: removed, left behind by a killed drumline-bench", path);
            close(descriptor);
        }
        free(path);
    }
    if (stream)
        closedir(stream);
    free(prefix);
}

static void free_folder(struct bench_folder *folder)
{
    if (folder->descriptor >= 0)
        close(folder->descriptor);
    free(folder->path);
    free(folder);
}

struct bench_folder *bench_folder_make(const char *parent, struct error *error)
{
    struct bench_folder *folder = malloc(sizeof *folder);
    if (!folder) {
        error_set(error, "no memory for a temporary folder");
        return NULL;
    }
    if (!parent)
        parent = getenv("TMPDIR");
    if (!parent || !*parent)
        parent = "/tmp";
    remove_abandoned(parent);
    char *prefix = make_prefix(), *name = format_text("%s%s", prefix, suffix);
    *folder = (struct bench_folder){path_join(parent, name), -1};
    free(name);
    free(prefix);
    if (!mkdtemp(folder->path)) {
        error_set_errno(error, errno, "%s: can't create a temporary folder; give --temporary_dir DIR", folder->path);
        free_folder(folder);
        return NULL;
    }
    folder->descriptor = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->descriptor < 0 || flock(folder->descriptor, LOCK_EX | LOCK_NB) != 0)
        log_warning("%s: can't be locked (%s), so another drumline-bench may take it for abandoned", folder->path,
                    strerror(errno));
    return folder;
}

const char *bench_folder_path(const struct bench_folder *folder)
{
    return folder->path;
}

void bench_folder_remove(struct bench_folder *folder)
{
    if (!folder)
        return;
    if (!remove_tree(folder->path))
        log_warning("%s: not removed completely: %s", folder->path, strerror(errno));
    free_folder(folder);
}
