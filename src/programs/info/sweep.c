/* Sweeps: a folder of runs, ranked by their lowest val_loss, with the hparams in which they differ. */
#include "base/io/files.h"
#include "base/text.h"
#include "model/checkpoint.h"
#include "programs/info/info.h"
#include "programs/info/kinds.h"
#include "programs/info/state.h"
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

/* All hparams of the run's newest readable checkpoint, as text. */
static void read_hparams(json_t *run, const char *run_dir)
{
    struct checkpoint_list list;
    struct error ignored;
    char *folder = run_train_folder(run_dir);
    json_t *all = json_object();
    if (checkpoint_list_make(&list, folder, &ignored)) {
        struct checkpoint checkpoint;
        bool found = false;
        for (size_t i = 0; i < list.count && !found; i++)
            found = checkpoint_read(&checkpoint, list.paths[i], &ignored);
        for (size_t i = 0; found && i < hparams_table.count; i++) {
            char text[SETTING_TEXT_MAX];
            const char *name = hparams_table.rows[i].name;
            json_object_set_new(all, name,
                                json_clean_text(setting_format(&hparams_table.rows[i], &checkpoint.hparams, text)));
        }
        if (found)
            json_object_set_new(run, "config", json_clean_text(checkpoint.config));
        checkpoint_list_free(&list);
    }
    json_object_set_new(run, "hparams", all);
    free(folder);
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
        json_object_set_new(run, "step", json_integer(member_int(json_object_get(object, "progress"), "step")));
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

/* The names of the hparams in which the runs differ. */
static json_t *find_differing(json_t *const *runs, size_t count)
{
    json_t *differing = json_array();
    for (size_t i = 0; i < hparams_table.count; i++) {
        const char *name = hparams_table.rows[i].name, *first = NULL;
        bool differs = false;
        for (size_t run = 0; run < count; run++) {
            const char *text = json_string_value(json_object_get(json_object_get(runs[run], "hparams"), name));
            differs = differs || (text && first && strcmp(text, first) != 0);
            first = first ? first : text;
        }
        if (differs)
            json_array_append_new(differing, json_string(name));
    }
    return differing;
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
        for (size_t i = 0; i < count; i++)
            json_array_append_new(sorted, runs[i]);
        json_object_set(object, "runs", sorted);
    }
    json_decref(sorted);
    free(runs);
    sweep_folder_free(names, count);
    return ok;
}

static void print_number(FILE *out, const json_t *run, const char *key)
{
    if (json_is_integer(json_object_get(run, key)))
        fprintf(out, "%10" PRId64, member_int(run, key));
    else if (json_object_get(run, key))
        fprintf(out, "%10.4g", member_number(run, key));
    else
        fprintf(out, "%10s", "-");
}

/* The columns of the names of the runs, which are told apart by their ends as often as by their beginnings. */
static int width_of_names(const json_t *runs)
{
    size_t i, longest = 22;
    json_t *run;
    json_array_foreach(runs, i, run)
    {
        size_t length = strlen(member_string(run, "run"));
        longest = length > longest ? length : longest;
    }
    return (int)(longest < 60 ? longest : 60) + 2;
}

/* The columns that an hparam needs: the longest of its name and its values, and two of space. */
static int width_of(const json_t *runs, const char *hparam)
{
    size_t i, longest = strlen(hparam);
    json_t *run;
    json_array_foreach(runs, i, run)
    {
        size_t length = strlen(member_string(json_object_get(run, "hparams"), hparam));
        longest = length > longest ? length : longest;
    }
    return (int)(longest < 40 ? longest : 40) + 2;
}

void info_print_sweep(FILE *out, const json_t *object)
{
    const json_t *runs = json_object_get(object, "runs"), *differing = json_object_get(object, "differing");
    size_t i, h;
    json_t *run, *name;
    int columns = width_of_names(runs);
    fprintf(out, "%s: sweep of %zu run%s, lowest val_loss first\n\n", member_string(object, "path"),
            json_array_size(runs), PLURAL(json_array_size(runs)));
    info_print_column(out, "run", columns);
    fprintf(out, "%10s%10s%10s%10s  ", "val_loss", "at step", "loss", "step");
    json_array_foreach(differing, h, name)
        info_print_column(out, json_string_value(name), width_of(runs, json_string_value(name)));
    fprintf(out, "state\n");
    json_array_foreach(runs, i, run)
    {
        info_print_column(out, member_string(run, "run"), columns);
        print_number(out, run, "val_loss");
        print_number(out, run, "best_step");
        print_number(out, run, "loss");
        print_number(out, run, "step");
        fprintf(out, "  ");
        json_array_foreach(differing, h, name)
            info_print_column(out, member_string(json_object_get(run, "hparams"), json_string_value(name)),
                              width_of(runs, json_string_value(name)));
        fprintf(out, "%s\n", member_string(run, "state"));
    }
}

/* RFC 4180: in quotes where it has to be. */
static void put_csv_text(FILE *out, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++)
        fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    putc('"', out);
}

bool info_print_sweep_csv(FILE *out, const char *folder, struct error *error)
{
    static const char *const numbers[] = {"val_loss", "best_step", "loss", "step"};
    json_t *object = json_object(), *run, *name;
    size_t i, h;
    bool ok = info_read_sweep(object, folder, error);
    const json_t *differing = json_object_get(object, "differing");
    fprintf(out, ok ? "run,val_loss,best_step,loss,step,state" : "");
    json_array_foreach(differing, h, name) fprintf(out, ",%s", json_string_value(name));
    fprintf(out, ok ? "\r\n" : "");
    json_array_foreach(json_object_get(object, "runs"), i, run)
    {
        put_csv_text(out, member_string(run, "run"));
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
            putc(',', out);
            if (json_object_get(run, numbers[n]))
                fprintf(out, "%.9g", member_number(run, numbers[n]));
        }
        putc(',', out);
        put_csv_text(out, member_string(run, "state"));
        json_array_foreach(differing, h, name)
        {
            putc(',', out);
            put_csv_text(out, member_string(json_object_get(run, "hparams"), json_string_value(name)));
        }
        fprintf(out, "\r\n");
    }
    json_decref(object);
    return ok;
}
