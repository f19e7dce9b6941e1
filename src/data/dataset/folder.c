#include "data/dataset/folder.h"

#include "base/host.h"
#include "base/io/atomic_file.h"
#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "data/dataset/index.h"
#include "data/dataset/shard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STAGING_PREFIX ".drumline-staging-"

enum { STALE_SECONDS = 24 * 60 * 60 };

bool dataset_folder_holds_one(bool *holds, const char *folder, struct error *error)
{
    char *path = path_join(folder, INDEX_NAME);
    bool ok = path_look(holds, path, error);
    free(path);
    return ok;
}

/* Calls `visit` with each name in the folder, without . and ..; stops where it returns false. */
static bool visit_names(const char *folder,
                        bool (*visit)(const char *folder, const char *name, void *user, struct error *error),
                        void *user, struct error *error)
{
    DIR *names = opendir(folder);
    if (names == NULL)
        return error_set_errno(error, errno, "%s: can't be listed", folder);
    const struct dirent *entry = NULL;
    bool ok = true;
    while (ok && (errno = 0, entry = readdir(names)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ok = visit(folder, entry->d_name, user, error);
    if (ok && errno != 0)
        ok = error_set_errno(error, errno, "%s: can't be listed", folder);
    closedir(names);
    return ok;
}

static bool move_file(const char *from_folder, const char *to_folder, const char *name, struct error *error)
{
    char *from = path_join(from_folder, name), *to = path_join(to_folder, name);
    bool ok = rename(from, to) == 0 || error_set_errno(error, errno, "%s: can't be moved to %s", from, to);
    free(to);
    free(from);
    return ok;
}

/* Those that a killed job has moved already are no longer there. */
static bool move_shards(const char *staging, const char *folder, uint32_t num_shards, struct error *error)
{
    bool ok = true, is_there;
    for (uint32_t number = 0; ok && number < num_shards; number++) {
        char *name = shard_name(number, num_shards), *path = path_join(staging, name);
        ok = path_look(&is_there, path, error) && (!is_there || move_file(staging, folder, name, error));
        free(path);
        free(name);
    }
    return ok;
}

static bool remove_file(const char *folder, const char *name, struct error *error)
{
    char *path = path_join(folder, name);
    bool ok = unlink(path) == 0 || errno == ENOENT || error_set_errno(error, errno, "%s: can't be removed", path);
    free(path);
    return ok;
}

/* Shards of another count than the new data set's are the old one's. */
static bool remove_stale_shard(const char *folder, const char *name, void *user, struct error *error)
{
    const char *count = user; /* "-of-00004.h5" */
    if (!shard_is_name(name) || strstr(name, count) != NULL)
        return true;
    return remove_file(folder, name, error);
}

static bool remove_staged(const char *staging, const char *name, void *user, struct error *error)
{
    (void)user;
    return remove_file(staging, name, error);
}

void dataset_folder_discard(const char *staging)
{
    struct error error;
    if (!visit_names(staging, remove_staged, NULL, &error))
        log_warning("%s", error.message);
    else if (rmdir(staging) != 0 && errno != ENOENT)
        log_warning("%s: can't be removed: %s", staging, strerror(errno));
}

static const struct folder_lock_kind folder_kind = {
    .name = ".drumline-lock",
    .noun = "data set folder",
    .flag = "--output_dir",
};

bool dataset_folder_lock(struct folder_lock *lock, const char *folder, struct error *error)
{
    if (!folder_lock_take(lock, folder, &folder_kind, NULL, error))
        return false;
    atomic_file_sweep_shared(folder);
    return true;
}

bool dataset_folder_stage(char **staging, const char *folder, struct error *error)
{
    char token[PROCESS_TOKEN_SIZE];
    process_make_token(token);
    char *path = format_text("%s/" STAGING_PREFIX "%s", folder, token);
    if (mkdir(path, 0777) != 0) {
        error_set_errno(error, errno, "%s: can't be created", path);
        free(path);
        return false;
    }
    *staging = path;
    return true;
}

bool dataset_folder_check(const char *staging, uint32_t num_shards, struct error *error)
{
    bool ok = true, is_there;
    for (uint32_t number = 0; ok && number < num_shards; number++) {
        char *name = shard_name(number, num_shards), *path = path_join(staging, name);
        ok = path_look(&is_there, path, error);
        if (ok && !is_there)
            ok = error_set(error, "%s: does not exist: all hosts must share --output_dir", path);
        free(path);
        free(name);
    }
    return ok;
}

/* Removes the index of a data set that is to be replaced, once the names of what replaces it are on the disk. Where there is
 * none, nothing can be lost, and there is nothing to wait for. */
static bool remove_old_index(const char *folder, const char *staging, struct error *error)
{
    bool holds;
    return dataset_folder_holds_one(&holds, folder, error) &&
           (!holds || (atomic_file_flush_folder(staging, error) && remove_file(folder, INDEX_NAME, error) &&
                       atomic_file_flush_folder(folder, error)));
}

bool dataset_folder_commit(const char *folder, const char *staging, uint32_t num_shards, struct error *error)
{
    bool is_complete;
    if (!dataset_folder_holds_one(&is_complete, staging, error))
        return false;
    if (!is_complete)
        return error_set(error, "%s: not a data set: it has no %s", staging, INDEX_NAME);
    char *count = format_text("-of-%05u.h5", num_shards);
    bool ok = remove_old_index(folder, staging, error) && move_shards(staging, folder, num_shards, error) &&
              visit_names(folder, remove_stale_shard, count, error) && atomic_file_flush_folder(folder, error) &&
              move_file(staging, folder, INDEX_NAME, error) && atomic_file_flush_folder(folder, error);
    free(count);
    if (ok)
        dataset_folder_discard(staging);
    return ok;
}

/* Whether the job that staged in `name` is gone, asked by the holder of the lock: then all are, but those of the first version,
 * which takes no lock and stages in HOST-PID. */
static bool is_abandoned(const char *folder, const char *name)
{
    char host[HOST_NAME_SIZE];
    const char *owner = name + strlen(STAGING_PREFIX), *dash = strrchr(owner, '-');
    if (!dash)
        return true;
    host_name(host);
    long process = strtol(dash + 1, NULL, 10);
    bool here = strlen(host) == (size_t)(dash - owner) && strncmp(owner, host, strlen(host)) == 0;
    if (here && process > 0)
        return process == (long)getpid() || (kill((pid_t)process, 0) != 0 && errno == ESRCH);
    struct stat status;
    char *path = path_join(folder, name);
    bool old = stat(path, &status) == 0 && time(NULL) - status.st_mtime > STALE_SECONDS;
    free(path);
    return old;
}

/* The killed job may have removed the old index a moment ago: that is brought to the disk before shards are moved. */
static bool finish_moves(const char *folder, const char *staging, struct error *error)
{
    struct dataset_index index;
    if (!dataset_index_read(&index, staging, error))
        return false;
    uint32_t num_shards = index.num_shards;
    dataset_index_free(&index);
    return atomic_file_flush_folder(folder, error) && dataset_folder_commit(folder, staging, num_shards, error);
}

static bool recover_staging(const char *folder, const char *name, void *user, struct error *error)
{
    (void)user;
    if (strncmp(name, STAGING_PREFIX, strlen(STAGING_PREFIX)) != 0 || !is_abandoned(folder, name))
        return true;
    bool is_complete, holds;
    char *staging = path_join(folder, name);
    bool ok = dataset_folder_holds_one(&is_complete, staging, error) && dataset_folder_holds_one(&holds, folder, error);
    if (ok && is_complete && !holds) {
        log_info("%s: a killed job left a complete data set here; moving it into place", folder);
        ok = finish_moves(folder, staging, error);
    } else if (ok) {
        dataset_folder_discard(staging);
    }
    free(staging);
    return ok;
}

bool dataset_folder_recover(const char *folder, struct error *error)
{
    return visit_names(folder, recover_staging, NULL, error);
}
