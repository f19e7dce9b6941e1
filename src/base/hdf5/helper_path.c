#include "base/hdf5/helper_path.h"

#include "base/io/files.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define PROGRAM "drumline-hdf5-reader"

/* The folder of the running program; NULL where it can't be known. Owned by the caller. Without /proc, the path with which it was
 * started has to do. */
static char *own_folder(void)
{
    const char *started_as = (const char *)getauxval(AT_EXECFN);
    char *path = realpath("/proc/self/exe", NULL);
    if (!path && started_as)
        path = realpath(started_as, NULL);
    char *slash = path ? strrchr(path, '/') : NULL;
    if (slash)
        *slash = '\0';
    return path;
}

char *hdf5_helper_path(struct error *error)
{
    const char *named = getenv("DRUMLINE_HDF5_READER");
    if (named && *named)
        return format_text("%s", named);
    char *folder = own_folder();
    char *beside = folder ? format_text("%s/%s/%s", folder, DRUMLINE_LIBEXEC_FROM_BIN, PROGRAM) : NULL;
    char *installed = path_join(DRUMLINE_LIBEXEC, PROGRAM);
    char *found = NULL;
    if (beside && access(beside, X_OK) == 0)
        found = beside;
    else if (access(installed, X_OK) == 0)
        found = installed;
    else
        error_set(error, "%s, which reads HDF5 files, is neither %s%s%s: install it there, or set DRUMLINE_HDF5_READER",
                  PROGRAM, beside ? beside : "", beside ? " nor " : "", installed);
    if (!found)
        error->number = ENOENT;
    if (found != beside)
        free(beside);
    if (found != installed)
        free(installed);
    free(folder);
    return found;
}
