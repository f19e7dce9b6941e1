#include "run/retention.h"

#include "model/checkpoint.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void retention_choose(bool *remove, const double *times, size_t count, size_t to_keep, double hours)
{
    double last_kept = -INFINITY;
    for (size_t i = count; i-- > 0;) {
        bool due = hours > 0 && times[i] - last_kept >= hours * 3600;
        remove[i] = i >= to_keep && !due;
        if (i >= to_keep && due)
            last_kept = times[i];
    }
}

bool retention_apply(const char *folder, size_t to_keep, double hours, struct error *error)
{
    struct checkpoint_list list;
    if (!checkpoint_list_make(&list, folder, error))
        return false;
    bool *remove = calloc(list.count + 1, sizeof *remove);
    double *times = calloc(list.count + 1, sizeof *times);
    bool ok = (remove && times) || error_set(error, "%s: out of memory", folder);
    for (size_t i = 0; ok && i < list.count; i++) {
        struct stat status;
        times[i] = stat(list.paths[i], &status) == 0 ? (double)status.st_mtime : 0;
    }
    if (ok)
        retention_choose(remove, times, list.count, to_keep, hours);
    for (size_t i = 0; remove && i < list.count; i++)
        if (remove[i] && unlink(list.paths[i]) != 0 && errno != ENOENT)
            ok = error_set_errno(error, errno, "%s: can't delete", list.paths[i]);
    free(remove);
    free(times);
    checkpoint_list_free(&list);
    return ok;
}
