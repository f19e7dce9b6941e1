#define _XOPEN_SOURCE 700 /* nftw */
#include "programs/bench/folder.h"

#include "base/io/files.h"
#include "base/log.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *bench_folder_make(const char *parent, struct error *error)
{
    if (!parent)
        parent = getenv("TMPDIR");
    char *path = path_join(parent && *parent ? parent : "/tmp", "drumline-bench-XXXXXX");
    if (mkdtemp(path))
        return path;
    error_set_errno(error, errno, "%s: a folder for what is written can't be made; give --temporary_dir DIR", path);
    free(path);
    return NULL;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void bench_folder_remove(char *path)
{
    enum { MOST_OPEN_FOLDERS = 16 };
    if (path && nftw(path, remove_entry, MOST_OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0)
        log_warning("%s: could not be removed whole: %s", path, strerror(errno));
    free(path);
}
