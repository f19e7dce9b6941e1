/* Files of the formats that are written to a started file, saved at once and without fsync. */
#ifndef DRUMLINE_TESTS_SUPPORT_SAVE_H
#define DRUMLINE_TESTS_SUPPORT_SAVE_H

#include "base/io/atomic_file.h"

/* `call`, which writes to `to`, a struct atomic_file *, and returns whether it could, with the file started before and named
 * `path` after it. */
#define SAVE(path, to, call, error) (atomic_file_start(to, path, error) && save_end(to, call, error))

static inline bool save_end(struct atomic_file *to, bool written, struct error *error)
{
    if (written && atomic_file_name_over(to, error))
        return true;
    atomic_file_abandon(to);
    return false;
}

#endif
