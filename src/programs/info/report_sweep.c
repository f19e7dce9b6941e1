/* The page of a sweep: its runs ranked, the hparams in which they differ, and their val_loss curves in one chart. */
#include "base/io/files.h"
#include "base/text.h"
#include "programs/info/info.h"
#include "programs/info/kinds.h"
#include "programs/info/report_charts.h"
#include "programs/info/report_page.h"
#include "programs/info/report_pages.h"
#include "programs/info/report_text.h"
#include "run/json_members.h"

#include <stdlib.h>

static void put_number(FILE *out, const json_t *run, const char *key)
{
    if (json_object_get(run, key))
        fprintf(out, "<td class=\"number\">%.6g", member_number(run, key));
    else
        fprintf(out, "<td class=\"number\">-");
}

static void put_row(FILE *out, const json_t *run, const json_t *differing, size_t rank)
{
    size_t i;
    json_t *name;
    fprintf(out, "<tr><td class=\"number\">%zu<td>", rank);
    if (rank <= REPORT_MOST_OVERLAID)
        fprintf(out, "<span class=\"legend\"><span style=\"--colour: var(--s%zu)\"></span></span>", rank - 1);
    report_put_text(out, member_string(run, "run"));
    put_number(out, run, "val_loss");
    put_number(out, run, "best_step");
    put_number(out, run, "loss");
    char step[INFO_STEP_TEXT_SIZE];
    fprintf(out, "<td class=\"number\">%s<td>", info_sweep_step(step, run));
    report_put_text(out, member_string(run, "state"));
    json_array_foreach(differing, i, name)
    {
        fprintf(out, "<td>");
        report_put_text(out, info_sweep_value(run, json_string_value(name)));
    }
    fprintf(out, "</tr>\n");
}

static void put_table(FILE *out, const json_t *runs, const json_t *differing)
{
    size_t i;
    json_t *item;
    fprintf(out, "<div class=\"scroll\"><table><tr><th class=\"number\">rank<th>run<th class=\"number\">lowest val_loss"
                 "<th class=\"number\">at step<th class=\"number\">loss<th class=\"number\">step<th>state");
    json_array_foreach(differing, i, item)
    {
        fprintf(out, "<th>");
        report_put_text(out, json_string_value(item));
    }
    fprintf(out, "</tr>\n");
    json_array_foreach(runs, i, item) put_row(out, item, differing, i + 1);
    fprintf(out, "</table></div>\n");
}

/* Why runs failed. */
static void put_failures(FILE *out, const json_t *runs)
{
    size_t i;
    json_t *run;
    json_array_foreach(runs, i, run)
    {
        if (!json_object_get(run, "message"))
            continue;
        fprintf(out, "<p>");
        report_put_text(out, member_string(run, "run"));
        fprintf(out, " failed: ");
        report_put_text(out, member_string(run, "message"));
        fprintf(out, "</p>\n");
    }
}

/* A run's metrics. Names are shown, and known here, without what is not printable: a folder of another name is not found. */
static bool read_history(struct metrics_history *history, const char *folder, const char *name, struct error *error)
{
    char *path = path_join(folder, name);
    *history = (struct metrics_history){0};
    bool ok = (folder_exists(path) || error_set(error, "its folder's name has characters that can't be shown")) &&
              metrics_history_read(history, path, error);
    if (!ok)
        *history = (struct metrics_history){0};
    free(path);
    return ok;
}

static void put_curves(FILE *out, const char *folder, const json_t *runs)
{
    struct metrics_history histories[REPORT_MOST_OVERLAID];
    const char *names[REPORT_MOST_OVERLAID];
    int count = 0;
    size_t i;
    json_t *run;
    json_array_foreach(runs, i, run)
    {
        struct error reason;
        if (count == REPORT_MOST_OVERLAID)
            break;
        names[count] = member_string(run, "run");
        if (!read_history(&histories[count], folder, names[count], &reason)) {
            fprintf(out, "<p class=\"faint\">No curve of ");
            report_put_text(out, names[count]);
            fprintf(out, ": ");
            report_put_text(out, reason.message);
            fprintf(out, "</p>\n");
        }
        count++;
    }
    report_put_overlay(out, "val_loss", histories, names, count);
    for (int h = 0; h < count; h++)
        metrics_history_free(&histories[h]);
}

bool report_put_sweep(FILE *out, const char *folder, const struct report_options *options, struct error *error)
{
    (void)options;
    json_t *object = info_describe(folder, error);
    if (!object)
        return false;
    const json_t *runs = json_object_get(object, "runs"), *differing = json_object_get(object, "differing");
    report_put_head(out, member_string(object, "path"), 0);
    fprintf(out, "<p>%zu run%s, lowest val_loss first, with the hparams in which they differ.</p>\n",
            json_array_size(runs), PLURAL(json_array_size(runs)));
    char *note = info_sweep_note(object);
    if (note) {
        fprintf(out, "<p>Note: ");
        report_put_text(out, note);
        fprintf(out, ".</p>\n");
    }
    free(note);
    put_table(out, runs, differing);
    put_failures(out, runs);
    fprintf(out, "<h2>val_loss by step</h2>\n");
    if (json_array_size(runs) > REPORT_MOST_OVERLAID)
        fprintf(out, "<p class=\"faint\">Of the first %d.</p>\n", REPORT_MOST_OVERLAID);
    put_curves(out, folder, runs);
    report_put_damage(out, object);
    report_put_foot(out);
    json_decref(object);
    return true;
}
