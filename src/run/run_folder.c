#include "run/run_folder.h"

#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "model/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_TRIES = 20 }; /* to use a file that a training beside us deletes or replaces */

char *run_train_folder(const char *run_dir)
{
    return path_join(run_dir, "train");
}

char *run_eval_folder(const char *run_dir)
{
    return path_join(run_dir, "eval");
}

enum finding {
    FOUND_NONE,   /* all are damaged */
    FOUND_ONE,    /* and used it */
    FOUND_GONE,   /* one was deleted meanwhile, as a training beside us does: the list is out of date */
    FOUND_FAILURE /* of the system, for which no checkpoint can be blamed */
};

/* The first of a list that can be used into *path. */
static enum finding choose(const struct run_checkpoint_user *user, char **path, const struct checkpoint_list *list,
                           struct error *error)
{
    for (size_t i = 0; i < list->count; i++) {
        if (user->use(user->context, list->paths[i], error)) {
            *path = format_text("%s", list->paths[i]);
            return FOUND_ONE;
        }
        if (error->number == ENOENT || error->number == ESTALE)
            return FOUND_GONE;
        if (error->number != 0)
            return FOUND_FAILURE;
        log_warning("skipping a damaged checkpoint: %s", error->message);
    }
    return FOUND_NONE;
}

bool run_use_newest_checkpoint(const struct run_checkpoint_user *user, char **path, const char *run_dir,
                               struct error *error)
{
    struct checkpoint_list list = {0};
    struct error reason = {.number = 0};
    char *folder = run_train_folder(run_dir);
    enum finding finding = FOUND_GONE;
    bool ok = true;
    *path = NULL;
    for (int i = 0; ok && finding == FOUND_GONE && i < MOST_TRIES; i++) {
        checkpoint_list_free(&list);
        ok = checkpoint_list_make(&list, folder, error);
        finding = ok ? choose(user, path, &list, &reason) : FOUND_NONE;
    }
    if (ok && (finding == FOUND_FAILURE || finding == FOUND_GONE))
        ok = error_set(error, "%s; the checkpoint may be valid, so no older one is used in its place", reason.message);
    else if (ok && finding == FOUND_NONE && list.count > 0)
        ok = error_set(
            error,
            "%s: none of the %zu checkpoints is valid; delete them to start again from step 0, or give another "
            "--run_dir",
            folder, list.count);
    checkpoint_list_free(&list);
    free(folder);
    return ok;
}

void run_warn_unsealed(const struct checkpoint *checkpoint, const char *path)
{
    if (!checkpoint->is_sealed)
        log_warning("%s: has no seal (written by another program?), so some kinds of damage would go "
                    "unnoticed",
                    path);
}

/* *path is NULL where there is no best.h5, or a damaged one. */
static bool use_best(const struct run_checkpoint_user *user, char **path, const char *best, struct error *error)
{
    bool is_there;
    if (!path_look(&is_there, best, error))
        return false;
    for (int i = 0; is_there && i < MOST_TRIES; i++) {
        if (user->use(user->context, best, error)) {
            log_info("using %s, the model of the lowest val_loss; --checkpoint=newest takes the newest checkpoint",
                     best);
            *path = format_text("%s", best);
            return true;
        }
        if (error->number == 0)
            log_warning("using the newest checkpoint instead: %s", error->message);
        if (error->number == 0 || error->number == ENOENT)
            return true;
        if (error->number != ESTALE) /* else a training beside us has just replaced it */
            break;
    }
    return !is_there || error_append(error, "; it may be valid, so no other checkpoint is used in its place "
                                            "(--checkpoint=newest takes the newest)");
}

bool run_use_best_checkpoint(const struct run_checkpoint_user *user, char **path, const char *run_dir,
                             struct error *error)
{
    char *folder = run_train_folder(run_dir), *best = path_join(folder, RUN_BEST_NAME);
    *path = NULL;
    bool ok = use_best(user, path, best, error);
    free(best);
    free(folder);
    return ok && (*path || run_use_newest_checkpoint(user, path, run_dir, error));
}

bool run_use_checkpoint(const struct run_checkpoint_user *user, char **path, const char *run_dir,
                        enum run_checkpoint_choice choice, struct error *error)
{
    return choice == RUN_CHECKPOINT_BEST ? run_use_best_checkpoint(user, path, run_dir, error)
                                         : run_use_newest_checkpoint(user, path, run_dir, error);
}

bool run_set_damaged_aside(const char *train_folder, uint64_t newest_step, struct error *error)
{
    struct checkpoint_list list;
    bool ok = checkpoint_list_make(&list, train_folder, error);
    for (size_t i = 0; ok && i < list.count && list.steps[i] > newest_step; i++) {
        char *aside = format_text("%s.damaged", list.paths[i]);
        if (rename(list.paths[i], aside) != 0)
            ok = error_set_errno(error, errno, "%s: can't rename the damaged checkpoint to %s", list.paths[i],
                                 path_name(aside));
        free(aside);
    }
    checkpoint_list_free(&list);
    return ok;
}

bool run_refuse_without_checkpoint(const char *run_dir, struct error *error)
{
    struct checkpoint_list list;
    if (!folder_check(run_dir, error))
        return error_prefix(error, "--run_dir");
    if (!checkpoint_list_make(&list, run_dir, error))
        return false;
    size_t count = list.count;
    checkpoint_list_free(&list);
    if (count > 0)
        return error_set(error, "%s: is inside a run: give the run's folder (the one above) as --run_dir", run_dir);
    return error_set(error, "%s: has no checkpoint in train/: is it the --run_dir of a training?", run_dir);
}
