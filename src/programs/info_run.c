/* A run's folder: its checkpoints, and the ends of its metrics. */
#include "base/files.h"
#include "programs/info_parts.h"
#include "programs/run_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The newest sound checkpoint in full, and the name of every file. */
static bool read_checkpoints(json_t *object, const char *run_dir, struct error *error)
{
    struct checkpoint_list list;
    char *folder = run_train_folder(run_dir);
    bool ok = checkpoint_list_make(&list, folder, error), found = false;
    json_t *steps = json_array();
    for (size_t i = 0; ok && i < list.count; i++)
        json_array_append_new(steps, json_integer((json_int_t)list.steps[i]));
    for (size_t i = 0; ok && i < list.count && !found; i++) {
        struct error damage;
        json_t *checkpoint = json_object();
        json_object_set_new(checkpoint, "path", info_text(list.paths[i]));
        bool readable = info_read_checkpoint(checkpoint, list.paths[i], &damage);
        found = readable && json_is_true(json_object_get(checkpoint, "sound"));
        if (found)
            json_object_set(object, "newest", checkpoint);
        else if (readable)
            info_add_damage(object, json_string_value(json_array_get(json_object_get(checkpoint, "damage"), 0)));
        else if (file_exists(list.paths[i]))
            info_add_damage(object, damage.message);
        json_decref(checkpoint);
    }
    json_object_set_new(object, "checkpoints", steps);
    if (ok)
        checkpoint_list_free(&list);
    free(folder);
    return ok;
}

static void read_metrics(json_t *object, const char *key, char *folder)
{
    char *path = path_join(folder, RUN_METRICS_NAME);
    json_t *metrics = info_read_metrics(path);
    if (metrics)
        json_object_set_new(object, key, metrics);
    free(path);
    free(folder);
}

bool info_read_run(json_t *object, const char *run_dir, struct error *error)
{
    if (!read_checkpoints(object, run_dir, error))
        return false;
    read_metrics(object, "train", run_train_folder(run_dir));
    read_metrics(object, "eval", run_eval_folder(run_dir));
    return true;
}

static void print_checkpoints(const json_t *object)
{
    const json_t *newest = json_object_get(object, "newest"), *steps = json_object_get(object, "checkpoints");
    size_t count = json_array_size(steps);
    info_print_field("checkpoints", "%zu%s%s", count, count > 0 ? ", the newest sound one " : "",
                     count == 0 ? ""
                     : newest   ? path_name(info_string(newest, "path"))
                                : "is none");
    if (!newest)
        return;
    info_print_field("config", "%s, %" PRId64 " parameters", info_string(newest, "config"),
                     info_int(newest, "num_parameters"));
    info_print_field("step", "%" PRId64 ", made %s on %" PRId64 " rank%s", info_int(newest, "step"),
                     info_string(newest, "date"), info_int(newest, "num_ranks"),
                     info_int(newest, "num_ranks") == 1 ? "" : "s");
    info_print_field("data set", "%s", info_string(newest, "content_sha256"));
    info_print_validation(json_object_get(newest, "validation"));
    info_print_hparams(json_object_get(newest, "hparams_changed"));
}

/* Where the training stands: from the last line of its metrics. */
static void print_progress(const json_t *train)
{
    const json_t *lines = json_object_get(train, "lines"), *event = json_object_get(train, "event");
    const json_t *last = json_array_get(lines, json_array_size(lines) - 1), *left;
    int64_t num_steps = info_int(event, "num_steps"), step = info_int(last, "step");
    if (!last)
        return;
    if (num_steps > 0)
        info_print_field("progress", "step %" PRId64 " of %" PRId64 ", %.0f %%", step, num_steps,
                         100 * (double)step / (double)num_steps);
    left = json_object_get(last, "seconds_left");
    if (json_is_number(left) && strcmp(info_string(event, "event"), "end") != 0)
        info_print_field("time left", "%.0f:%02.0f:%02.0f when step %" PRId64 " was written, %s",
                         (double)((int64_t)json_number_value(left) / 3600),
                         (double)((int64_t)json_number_value(left) / 60 % 60),
                         (double)((int64_t)json_number_value(left) % 60), step, info_string(last, "time"));
}

void info_print_run(const json_t *object)
{
    bool damaged = json_object_get(object, "damage") != NULL;
    printf("%s: run%s\n", info_string(object, "path"), damaged ? " with DAMAGED checkpoints" : "");
    print_checkpoints(object);
    print_progress(json_object_get(object, "train"));
    info_print_metrics(json_object_get(object, "train"), "train, step");
    info_print_metrics(json_object_get(object, "eval"), "eval, step");
}
