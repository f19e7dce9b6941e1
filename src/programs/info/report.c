#include "programs/info/report.h"

#include "base/clock.h"
#include "base/io/atomic_file.h"
#include "base/io/files.h"
#include "base/text.h"
#include "base/version.h"
#include "programs/info/info.h"
#include "programs/info/kinds.h"
#include "programs/info/report_charts.h"
#include "programs/info/report_music.h"
#include "programs/info/report_quality.h"
#include "programs/info/report_text.h"
#include "programs/info/state.h"
#include "run/json_members.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const char report_css[], report_js[];

static void put_fact(FILE *out, const char *label, const char *text)
{
    fprintf(out, "<div><b>%s</b>", label);
    report_put_text(out, text);
    fprintf(out, "</div>\n");
}

static void put_fact_int(FILE *out, const char *label, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    put_fact(out, label, text);
}

static void put_head(FILE *out, const char *run_dir, bool running, const struct report_options *options)
{
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
            "script-src 'unsafe-inline'; media-src data:; img-src data:\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    if (running && options->refresh > 0)
        fprintf(out, "<meta http-equiv=\"refresh\" content=\"%.0f\">\n", fmax(1, options->refresh));
    fprintf(out, "<title>");
    report_put_text(out, run_dir);
    fprintf(out, " - Drumline</title>\n<style>\n%s</style>\n</head>\n<body>\n", report_css);
}

static void put_summary(FILE *out, const json_t *object)
{
    const json_t *progress = json_object_get(object, "progress"), *newest = json_object_get(object, "newest");
    const json_t *sessions = json_object_get(object, "sessions");
    const json_t *session = json_array_get(sessions, json_array_size(sessions) - 1);
    int64_t step = member_int(progress, "step"), num_steps = member_int(progress, "num_steps");
    char state[128], text[64];
    info_name_state(state, sizeof state, object);
    fprintf(out, "<h1>");
    report_put_text(out, member_string(object, "path"));
    fprintf(out, "</h1>\n<div class=\"facts\">\n");
    put_fact(out, "State", state);
    snprintf(text, sizeof text, "%" PRId64 " of %" PRId64, step, num_steps);
    put_fact(out, "Step", text);
    if (newest) {
        put_fact(out, "Config", member_string(newest, "config"));
        put_fact_int(out, "Parameters", member_int(newest, "num_parameters"));
        put_fact_int(out, "Latest valid checkpoint, step", member_int(newest, "step"));
        put_fact(out, "Data set (content_sha256)", member_string(newest, "content_sha256"));
    }
    if (session) {
        snprintf(text, sizeof text, "%" PRId64 " on %.40s", member_int(session, "num_ranks"),
                 member_string(session, "host"));
        put_fact(out, "Ranks", text);
    }
    if (json_object_get(progress, "windows_per_second")) {
        snprintf(text, sizeof text, "%.4g windows/s", member_number(progress, "windows_per_second"));
        put_fact(out, "Throughput", text);
    }
    fprintf(out, "</div>\n<div class=\"bar\"><i style=\"width: %.1f%%\"></i></div>\n",
            num_steps > 0 ? fmin(100, 100.0 * (double)step / (double)num_steps) : 0);
}

static void put_sessions(FILE *out, const json_t *object)
{
    size_t i;
    json_t *session;
    fprintf(out, "<h2>Sessions</h2>\n<div class=\"scroll\"><table><tr><th>start (UTC)<th class=\"number\">from step"
                 "<th class=\"number\">to step<th class=\"number\">steps repeated<th class=\"number\">ranks<th>host"
                 "<th>Slurm job<th>ended</tr>\n");
    json_array_foreach(json_object_get(object, "sessions"), i, session)
    {
        fprintf(out, "<tr><td>");
        report_put_text(out, member_string(session, "began"));
        fprintf(out,
                "<td class=\"number\">%" PRId64 "<td class=\"number\">%" PRId64 "<td class=\"number\">%" PRId64
                "<td class=\"number\">%" PRId64 "<td>",
                member_int(session, "from_step"), member_int(session, "last_step"), member_int(session, "steps_lost"),
                member_int(session, "num_ranks"));
        report_put_text(out, member_string(session, "host"));
        fprintf(out, "<td>");
        report_put_text(out, member_string(session, "slurm_job"));
        fprintf(out, "<td class=\"wide\">");
        report_put_text(out, member_string(session, "reason"));
        if (*member_string(session, "message")) {
            fprintf(out, ": ");
            report_put_text(out, member_string(session, "message"));
        }
        fprintf(out, "</tr>\n");
    }
    fprintf(out, "</table></div>\n");
}

/* "name=value" texts of the hparams that are not the config's own. */
static bool is_changed(const json_t *changed, const char *name)
{
    size_t i, length = strlen(name);
    json_t *text;
    json_array_foreach(changed, i, text)
    {
        const char *given = json_string_value(text);
        if (given && strncmp(given, name, length) == 0 && given[length] == '=')
            return true;
    }
    return false;
}

static void put_hparams(FILE *out, const json_t *newest)
{
    const json_t *changed = json_object_get(newest, "hparams_changed");
    const char *name;
    json_t *value;
    if (!newest)
        return;
    fprintf(out, "<h2>Hparams</h2>\n<p class=\"faint\">Bold: differs from the config.</p>\n<div class=\"facts\">\n");
    json_object_foreach(json_object_get(newest, "hparams"), name, value)
    {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
        fprintf(out, "<div%s><b>", is_changed(changed, name) ? " class=\"changed\"" : "");
        report_put_text(out, name);
        fprintf(out, "</b>");
        report_put_text(out, text ? text : "");
        fprintf(out, "</div>\n");
        free(text);
    }
    fprintf(out, "</div>\n");
}

static void put_checkpoints(FILE *out, const json_t *object)
{
    size_t i;
    json_t *step;
    const json_t *steps = json_object_get(object, "checkpoints");
    fprintf(out, "<h2>Checkpoints</h2>\n<p>");
    if (json_array_size(steps) == 0)
        fprintf(out, "None yet.");
    json_array_foreach(steps, i, step)
        fprintf(out, "%s%lld", i > 0 ? ", " : "Of steps ", (long long)json_integer_value(step));
    fprintf(out, "</p>\n");
    json_array_foreach(json_object_get(object, "damage"), i, step)
    {
        fprintf(out, "<p><b>Damage:</b> ");
        report_put_text(out, json_string_value(step) ? json_string_value(step) : "");
        fprintf(out, "</p>\n");
    }
}

static void put_page(FILE *out, const json_t *object, const struct metrics_history *history, const char *run_dir,
                     const struct report_options *options)
{
    char date[32];
    date_now(date);
    put_head(out, run_dir, strcmp(member_string(object, "state"), "running") == 0, options);
    put_summary(out, object);
    fprintf(out, "<h2>Metrics</h2>\n");
    report_put_charts(out, history);
    report_put_quality(out, run_dir);
    report_put_music(out, run_dir, options->soundfont);
    put_sessions(out, object);
    put_checkpoints(out, object);
    put_hparams(out, json_object_get(object, "newest"));
    fprintf(out, "<p class=\"faint\">Written %s by drumline-info %s.</p>\n<script>\n%s</script>\n</body>\n</html>\n",
            date, drumline_version(), report_js);
}

bool report_write(const char *run_dir, const char *path, const struct report_options *options, struct error *error)
{
    struct metrics_history history = {0};
    char *page = NULL;
    size_t size = 0;
    if (!folder_exists(run_dir) || !info_is_run(run_dir))
        return error_set(error, "%s: is not a run folder: --report makes a page of a run", run_dir);
    json_t *object = info_describe(run_dir, error);
    bool ok = object && metrics_history_read(&history, run_dir, error);
    FILE *out = ok ? open_memstream(&page, &size) : NULL;
    if (ok && !out)
        ok = error_set(error, "%s: out of memory", path);
    if (out) {
        put_page(out, object, &history, run_dir, options);
        ok =
            fclose(out) == 0 ? atomic_file_write(path, page, size, error) : error_set(error, "%s: out of memory", path);
    }
    free(page);
    metrics_history_free(&history);
    json_decref(object);
    return ok;
}

bool report_print_csv(FILE *out, const char *run_dir, struct error *error)
{
    struct metrics_history history;
    if (!folder_exists(run_dir) || !info_is_run(run_dir))
        return error_set(error, "%s: is not a run folder: --csv prints a run's metrics", run_dir);
    if (!metrics_history_read(&history, run_dir, error))
        return false;
    fprintf(out, "step");
    for (size_t column = 0; column < history.num_columns; column++)
        fprintf(out, ",%s", history.names[column]);
    fprintf(out, "\r\n");
    for (size_t row = 0; row < history.num_rows; row++) {
        fprintf(out, "%" PRId64, history.steps[row]);
        for (size_t column = 0; column < history.num_columns; column++) {
            double value = history.values[row * history.num_columns + column];
            if (isnan(value))
                fprintf(out, ",");
            else
                fprintf(out, ",%.9g", value);
        }
        fprintf(out, "\r\n");
    }
    metrics_history_free(&history);
    return true;
}
