#include "programs/info/info.h"
#include "programs/info/report_charts.h"
#include "programs/info/report_music.h"
#include "programs/info/report_page.h"
#include "programs/info/report_pages.h"
#include "programs/info/report_quality.h"
#include "programs/info/report_text.h"
#include "programs/info/state.h"
#include "run/json_members.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void put_summary(FILE *out, const json_t *object)
{
    const json_t *progress = json_object_get(object, "progress"), *newest = json_object_get(object, "newest");
    const json_t *sessions = json_object_get(object, "sessions");
    const json_t *session = json_array_get(sessions, json_array_size(sessions) - 1);
    int64_t step = member_int(progress, "step"), num_steps = member_int(progress, "num_steps");
    char state[128];
    info_name_state(state, sizeof state, object);
    fprintf(out, "<div class=\"facts\">\n");
    report_put_fact(out, "State", "%s", state);
    report_put_fact(out, "Step", "%" PRId64 " of %" PRId64, step, num_steps);
    if (newest) {
        report_put_fact(out, "Config", "%s", member_string(newest, "config"));
        report_put_fact(out, "Parameters", "%" PRId64, member_int(newest, "num_parameters"));
        report_put_fact(out, "Latest valid checkpoint, step", "%" PRId64, member_int(newest, "step"));
        report_put_fact(out, "Data set (content_sha256)", "%s", member_string(newest, "content_sha256"));
    }
    if (session)
        report_put_fact(out, "Ranks", "%" PRId64 " on %.40s", member_int(session, "num_ranks"),
                        member_string(session, "host"));
    if (json_object_get(progress, "windows_per_second"))
        report_put_fact(out, "Throughput", "%.4g windows/s", member_number(progress, "windows_per_second"));
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
    report_put_damage(out, object);
}

bool report_put_run(FILE *out, const char *run_dir, const struct report_options *options, struct error *error)
{
    struct metrics_history history = {0};
    const struct run_model_source source = {.run_dir = run_dir, .checkpoint = RUN_CHECKPOINT_BEST};
    json_t *object = info_describe(run_dir, error);
    bool ok = object && metrics_history_read(&history, run_dir, error);
    if (ok) {
        bool running = strcmp(member_string(object, "state"), "running") == 0;
        report_put_head(out, member_string(object, "path"), running ? options->refresh : 0);
        put_summary(out, object);
        fprintf(out, "<h2>Metrics</h2>\n");
        report_put_charts(out, &history);
        report_put_ranks(out, run_dir);
        report_put_quality(out, run_dir);
        report_put_music(out, &source, options->soundfont, NULL);
        put_sessions(out, object);
        put_checkpoints(out, object);
        report_put_hparams(out, json_object_get(object, "newest"));
        report_put_foot(out);
    }
    metrics_history_free(&history);
    json_decref(object);
    return ok;
}
