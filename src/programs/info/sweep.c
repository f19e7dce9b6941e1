/* Reads a sweep: a folder of runs, ranked by their lowest val_loss, with what they differ in; print_sweep.c prints it. */
#include "base/io/files.h"
#include "base/text.h"
#include "model/checkpoint.h"
#include "programs/info/info.h"
#include "programs/info/kinds.h"
#include "programs/info/state.h"
#include "run/hparams_file.h"
#include "run/json_members.h"
#include "run/metrics_history.h"
#include "run/run_folder.h"
#include "run/sweep_folder.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool info_is_sweep(const char *folder)
{
    size_t count;
    struct error ignored;
    char **names = sweep_folder_list(folder, &count, &ignored);
    sweep_folder_free(names, count);
    return count > 0;
}

/* Of a run without hparams.json, which the first version made. */
static bool read_newest_checkpoint(struct checkpoint *checkpoint, const char *run_dir)
{
    struct checkpoint_list list;
    struct error ignored;
    char *folder = run_train_folder(run_dir);
    bool found = false;
    if (checkpoint_list_make(&list, folder, &ignored)) {
        for (size_t i = 0; i < list.count && !found; i++)
            found = checkpoint_read(checkpoint, list.paths[i], &ignored);
        checkpoint_list_free(&list);
    }
    free(folder);
    return found;
}

/* The config, the data set and all hparams, as text; nothing where they are not known. */
static void read_hparams(json_t *run, const char *run_dir)
{
    enum { HASH_CHARACTERS = 12 };
    struct checkpoint state;
    json_t *all = json_object();
    if (hparams_file_read(&state, run_dir) || read_newest_checkpoint(&state, run_dir)) {
        for (size_t i = 0; i < hparams_table.count; i++) {
            char text[SETTING_TEXT_MAX];
            const struct setting *row = &hparams_table.rows[i];
            json_object_set_new(all, row->name, json_clean_text(setting_format(row, &state.hparams, text)));
        }
        state.content_sha256[HASH_CHARACTERS] = '\0';
        json_object_set_new(run, "config", json_clean_text(state.config));
        json_object_set_new(run, "data_set", json_clean_text(state.content_sha256));
    }
    json_object_set_new(run, "hparams", all);
}

/* The lowest val_loss and its step, the last training loss, and the step reached. */
static void read_losses(json_t *run, const char *run_dir)
{
    struct metrics_history history;
    struct error error;
    if (!metrics_history_read(&history, run_dir, &error)) {
        info_add_damage(run, error.message);
        return;
    }
    int val = metrics_history_find(&history, "val_loss"), loss = metrics_history_find(&history, "loss");
    double best = INFINITY, last = NAN;
    int64_t best_step = 0;
    for (size_t row = 0; row < history.num_rows; row++) {
        const double *values = history.values + row * history.num_columns;
        if (val >= 0 && values[val] < best) {
            best = values[val];
            best_step = history.steps[row];
        }
        if (loss >= 0 && isfinite(values[loss]))
            last = values[loss];
    }
    if (isfinite(best)) {
        json_object_set_new(run, "val_loss", json_real(best));
        json_object_set_new(run, "best_step", json_integer(best_step));
    }
    if (isfinite(last))
        json_object_set_new(run, "loss", json_real(last));
    metrics_history_free(&history);
}

/* Where the run stands, and of one that failed why. */
static void copy_state(json_t *run, const json_t *object)
{
    const json_t *progress = json_object_get(object, "progress"), *sessions = json_object_get(object, "sessions");
    const json_t *session = json_array_get(sessions, json_array_size(sessions) - 1);
    json_t *message = json_object_get(session, "message");
    json_object_set_new(run, "step", json_integer(member_int(progress, "step")));
    json_object_set_new(run, "num_steps", json_integer(member_int(progress, "num_steps")));
    if (message && strcmp(member_string(object, "state"), "failed") == 0)
        json_object_set(run, "message", message);
}

static json_t *read_run(const char *folder, const char *name)
{
    char *path = path_join(folder, name), text[128];
    json_t *run = json_object(), *object = json_object();
    struct info_state *state = info_state_make(path);
    struct error ignored;
    json_object_set_new(run, "run", json_clean_text(name));
    if (state && info_read_steps(object, path, &ignored)) {
        info_state_read(state, object);
        info_name_state(text, sizeof text, object);
        json_object_set_new(run, "state", json_clean_text(text));
        copy_state(run, object);
    }
    read_losses(run, path);
    read_hparams(run, path);
    info_state_free(state);
    json_decref(object);
    free(path);
    return run;
}

/* Runs without an evaluation come last, by name. */
static int compare_runs(const void *left, const void *right)
{
    const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
    const json_t *loss_a = json_object_get(a, "val_loss"), *loss_b = json_object_get(b, "val_loss");
    if (!loss_a != !loss_b)
        return loss_a ? -1 : 1;
    double x = json_number_value(loss_a), y = json_number_value(loss_b);
    if (loss_a && x != y)
        return x < y ? -1 : 1;
    return strcmp(member_string(a, "run"), member_string(b, "run"));
}

const char *info_sweep_value(const json_t *run, const char *name)
{
    const char *text = json_string_value(json_object_get(json_object_get(run, "hparams"), name));
    return text ? text : member_string(run, name);
}

static void add_if_differing(json_t *differing, const char *name, json_t *const *runs, size_t count)
{
    const char *first = "";
    for (size_t run = 0; run < count; run++) {
        const char *text = info_sweep_value(runs[run], name);
        if (*text && *first && strcmp(text, first) != 0) {
            json_array_append_new(differing, json_string(name));
            return;
        }
        first = *first ? first : text;
    }
}

/* The names of what the runs differ in: "config", "data_set", hparams. */
static json_t *find_differing(json_t *const *runs, size_t count)
{
    json_t *differing = json_array();
    add_if_differing(differing, "config", runs, count);
    add_if_differing(differing, "data_set", runs, count);
    for (size_t i = 0; i < hparams_table.count; i++)
        add_if_differing(differing, hparams_table.rows[i].name, runs, count);
    return differing;
}

/* Those of them with which val_loss is not the same measure. */
static json_t *find_incomparable(json_t *const *runs, size_t count)
{
    json_t *names = json_array();
    add_if_differing(names, "data_set", runs, count);
    for (size_t i = 0; hparams_of_loss[i]; i++)
        add_if_differing(names, hparams_of_loss[i], runs, count);
    return names;
}

/* What was wrong with a run is wrong with the sweep. */
static void copy_damage(json_t *object, json_t *run)
{
    size_t i;
    json_t *message;
    json_array_foreach(json_object_get(run, "damage"), i, message) info_add_damage(object, json_string_value(message));
    json_object_del(run, "damage");
}

bool info_read_sweep(json_t *object, const char *folder, struct error *error)
{
    size_t count;
    char **names = sweep_folder_list(folder, &count, error);
    json_t **runs = names ? calloc(count + 1, sizeof *runs) : NULL, *sorted = json_array();
    bool ok = runs || (names && error_set(error, "%s: out of memory", folder));
    for (size_t i = 0; ok && i < count; i++)
        runs[i] = read_run(folder, names[i]);
    if (ok) {
        qsort(runs, count, sizeof *runs, compare_runs);
        json_object_set_new(object, "differing", find_differing(runs, count));
        json_object_set_new(object, "incomparable", find_incomparable(runs, count));
        for (size_t i = 0; i < count; i++) {
            copy_damage(object, runs[i]);
            json_array_append_new(sorted, runs[i]);
        }
        json_object_set(object, "runs", sorted);
    }
    json_decref(sorted);
    free(runs);
    sweep_folder_free(names, count);
    return ok;
}
