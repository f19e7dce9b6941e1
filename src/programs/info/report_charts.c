#include "programs/info/report_charts.h"

#include "base/metric.h"
#include "programs/info/report_text.h"
#include "run/json_members.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 360,
    HEIGHT = 190,
    LEFT = 50,
    RIGHT = 8,
    TOP = 8,
    BOTTOM = 22,
    MOST_POINTS = 2000, /* of a curve in the page; of more, every so many */
    MOST_SERIES = 4,
    MOST_TICKS = 6,
};

static const char *const splits[] = {"validation", "test", "train"};
enum { NUM_SPLITS_SHOWN = sizeof splits / sizeof *splits };

/* A chart's series: columns of the history. */
struct chart {
    const char *name; /* of the first series without its prefix */
    int columns[MOST_SERIES];
    int count;
};

/* How the values of a chart become places in it. y0 and y1 are multiples of `tick`, a round number. */
struct frame {
    double x0, x1, y0, y1, tick;
};

static double value_at(const struct metrics_history *history, size_t row, int column)
{
    return history->values[row * history->num_columns + (size_t)column];
}

/* The name without the prefix of a split. */
static const char *base_name(const char *name)
{
    for (int i = 0; i < NUM_SPLITS_SHOWN; i++) {
        size_t length = strlen(metric_prefix(splits[i]));
        if (strncmp(name, metric_prefix(splits[i]), length) == 0)
            return name + length;
    }
    return name;
}

/* Whether a metric of the table has that name: what --mode=eval measures besides stands in a table of its own. */
static bool is_of_training(const char *name)
{
    struct metric_set set;
    for (size_t r = 0; r < representation_count; r++) {
        metric_set_make(&set, &representation_table[r]);
        for (int i = 0; i < set.count; i++)
            if (strcmp(set.metrics[i].name, base_name(name)) == 0)
                return true;
    }
    return false;
}

static bool is_drawn(const char *name)
{
    return is_of_training(name) && strcmp(name, "seconds_left") != 0 && strcmp(name, "epoch") != 0;
}

/* The chart whose first series is column `first`: it and the later ones of the same name; none where an earlier column has
 * that name. */
static struct chart chart_of(const struct metrics_history *history, int first)
{
    struct chart chart = {.name = base_name(history->names[first])};
    for (int i = 0; i < (int)history->num_columns; i++) {
        if (strcmp(base_name(history->names[i]), chart.name) != 0)
            continue;
        if (i < first)
            return (struct chart){0};
        if (chart.count < MOST_SERIES)
            chart.columns[chart.count++] = i;
    }
    return chart;
}

/* The least of 1, 2, 5, 10 ... times a power of ten that is not below `least`. */
static double round_tick(double least)
{
    double power = pow(10, floor(log10(least)));
    for (int i = 0; i < 3; i++) {
        static const double steps[] = {1, 2, 5};
        if (steps[i] * power >= least * (1 - 1e-9))
            return steps[i] * power;
    }
    return 10 * power;
}

/* Widens the frame to a column of a history; all at infinity is an empty frame. */
static void extend(struct frame *frame, const struct metrics_history *history, int column)
{
    for (size_t row = 0; row < history->num_rows; row++) {
        double y = value_at(history, row, column), x = (double)history->steps[row];
        if (isfinite(y))
            *frame = (struct frame){fmin(frame->x0, x), fmax(frame->x1, x), fmin(frame->y0, y), fmax(frame->y1, y), 0};
    }
}

/* Rounds y0 and y1 to ticks, and makes room where there is none. */
static void finish(struct frame *frame)
{
    if (!(frame->x1 > frame->x0))
        frame->x1 = frame->x0 + 1;
    if (!(frame->y1 > frame->y0)) {
        double pad = fabs(frame->y0) * 0.05;
        frame->y1 = frame->y0 != 0 ? frame->y1 + pad : 1;
        frame->y0 -= pad;
    }
    frame->tick = round_tick((frame->y1 - frame->y0) / (MOST_TICKS - 2));
    frame->y0 = floor(frame->y0 / frame->tick + 1e-9) * frame->tick;
    frame->y1 = ceil(frame->y1 / frame->tick - 1e-9) * frame->tick;
}

static const struct frame empty_frame = {INFINITY, -INFINITY, INFINITY, -INFINITY, 0};

static struct frame frame_of(const struct metrics_history *history, const struct chart *chart)
{
    struct frame frame = empty_frame;
    for (int s = 0; s < chart->count; s++)
        extend(&frame, history, chart->columns[s]);
    finish(&frame);
    return frame;
}

static double place_x(const struct frame *frame, double x)
{
    return LEFT + (x - frame->x0) / (frame->x1 - frame->x0) * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct frame *frame, double y)
{
    return TOP + (frame->y1 - y) / (frame->y1 - frame->y0) * (HEIGHT - TOP - BOTTOM);
}

/* Every how many rows are drawn. */
static size_t stride_of(const struct metrics_history *history)
{
    return 1 + history->num_rows / MOST_POINTS;
}

static bool is_kept(const struct metrics_history *history, size_t row)
{
    return row % stride_of(history) == 0 || row + 1 == history->num_rows;
}

static void put_axes(FILE *out, const struct frame *frame)
{
    int ticks = (int)lround((frame->y1 - frame->y0) / frame->tick);
    for (int i = 0; i <= ticks && i <= MOST_TICKS; i++) {
        double y = frame->y0 + i * frame->tick, at = place_y(frame, y);
        y = fabs(y) < 1e-9 * frame->tick ? 0 : y;
        fprintf(out, "<line class=\"gridline\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, WIDTH - RIGHT, at,
                at);
        fprintf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.6g</text>", LEFT - 4, at + 3, y);
    }
    fprintf(out, "<text x=\"%d\" y=\"%d\">%.0f</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f</text>\n", LEFT,
            HEIGHT - 6, frame->x0, WIDTH - RIGHT, HEIGHT - 6, frame->x1);
}

static void put_series(FILE *out, const struct metrics_history *history, const struct frame *frame, int column,
                       int number)
{
    fprintf(out, "<polyline class=\"series\" style=\"--colour: var(--s%d)\" points=\"", number);
    for (size_t row = 0; row < history->num_rows; row++) {
        double y = value_at(history, row, column);
        if (isfinite(y) && is_kept(history, row))
            fprintf(out, "%.1f,%.1f ", place_x(frame, (double)history->steps[row]), place_y(frame, y));
    }
    fprintf(out, "\"/>\n");
}

/* Steps at which a later session began. */
static void put_restarts(FILE *out, const struct metrics_history *history, const struct frame *frame)
{
    size_t i;
    json_t *session;
    json_array_foreach(history->sessions, i, session)
    {
        double step = (double)member_step(session, "from_step");
        if (i > 0 && step > frame->x0 && step < frame->x1)
            fprintf(out, "<line class=\"restart\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n",
                    place_x(frame, step), place_x(frame, step), TOP, HEIGHT - BOTTOM);
    }
}

static void put_chart(FILE *out, const struct metrics_history *history, const struct chart *chart)
{
    struct frame frame = frame_of(history, chart);
    fprintf(out, "<figure data-series=\"");
    for (int s = 0; s < chart->count; s++) {
        fprintf(out, s > 0 ? " " : "");
        report_put_text(out, history->names[chart->columns[s]]);
    }
    fprintf(out, "\" aria-label=\"");
    report_put_text(out, chart->name);
    fprintf(out, "\"><figcaption>");
    report_put_text(out, chart->name);
    fprintf(out, "<span class=\"legend\">");
    for (int s = 0; s < chart->count; s++) {
        fprintf(out, "<span style=\"--colour: var(--s%d)\">", s);
        report_put_text(out, history->names[chart->columns[s]]);
        fprintf(out, "</span>");
    }
    fprintf(out, "</span></figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\">", WIDTH, HEIGHT);
    if (isfinite(frame.x0)) {
        put_axes(out, &frame);
        put_restarts(out, history, &frame);
        for (int s = 0; s < chart->count; s++)
            put_series(out, history, &frame, chart->columns[s], s);
    }
    fprintf(out, "</svg><div class=\"value\" aria-live=\"polite\"></div></figure>\n");
}

void report_put_overlay(FILE *out, const char *metric, const struct metrics_history *histories,
                        const char *const *names, int count)
{
    struct frame frame = empty_frame;
    for (int i = 0; i < count; i++) {
        int column = metrics_history_find(&histories[i], metric);
        if (column >= 0)
            extend(&frame, &histories[i], column);
    }
    if (!isfinite(frame.x0)) {
        fprintf(out, "<p class=\"faint\">No run has a %s yet.</p>\n", metric);
        return;
    }
    finish(&frame);
    fprintf(out, "<figure class=\"overlay\" aria-label=\"%s\"><figcaption>%s<span class=\"legend\">", metric, metric);
    for (int i = 0; i < count; i++) {
        fprintf(out, "<span style=\"--colour: var(--s%d)\">", i);
        report_put_text(out, names[i]);
        fprintf(out, "</span> ");
    }
    fprintf(out, "</span></figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\">", WIDTH, HEIGHT);
    put_axes(out, &frame);
    for (int i = 0; i < count; i++) {
        int column = metrics_history_find(&histories[i], metric);
        if (column >= 0)
            put_series(out, &histories[i], &frame, column, i);
    }
    fprintf(out, "</svg></figure>\n");
}

static void put_number(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, "%.7g", value);
    else
        fprintf(out, "null");
}

/* For the script: {"steps": [...], "restarts": [...], "columns": {"loss": [...], ...}}. Names are metrics' names. */
static void put_data(FILE *out, const struct metrics_history *history)
{
    const char *comma = "";
    size_t i;
    json_t *session;
    fprintf(out, "<script type=\"application/json\" id=\"metrics\">{\"steps\":[");
    for (size_t row = 0; row < history->num_rows; row++)
        if (is_kept(history, row)) {
            fprintf(out, "%s%" PRId64, comma, history->steps[row]);
            comma = ",";
        }
    fprintf(out, "],\n\"restarts\":[");
    json_array_foreach(history->sessions, i, session) if (i > 0)
        fprintf(out, "%s%" PRId64, i > 1 ? "," : "", member_step(session, "from_step"));
    fprintf(out, "],\n\"columns\":{");
    for (size_t column = 0; column < history->num_columns; column++) {
        fprintf(out, "%s\"", column > 0 ? ",\n" : "");
        report_put_text(out, history->names[column]);
        fprintf(out, "\":[");
        comma = "";
        for (size_t row = 0; row < history->num_rows; row++)
            if (is_kept(history, row)) {
                fprintf(out, "%s", comma);
                put_number(out, value_at(history, row, (int)column));
                comma = ",";
            }
        fprintf(out, "]");
    }
    fprintf(out, "}}</script>\n");
}

void report_put_charts(FILE *out, const struct metrics_history *history)
{
    if (history->num_rows == 0) {
        fprintf(out, "<p class=\"faint\">No metrics yet.</p>\n");
        return;
    }
    fprintf(
        out,
        "<div class=\"controls\" id=\"controls\" hidden><label><input type=\"checkbox\" id=\"log\"> Log scale</label>"
        "<label>Smoothing <input type=\"range\" id=\"smoothing\" min=\"0\" max=\"0.98\" step=\"0.02\" value=\"0\">"
        "</label><span class=\"faint\">Dashed lines: restarts. Point at a chart, or focus it and use the arrow "
        "keys, for values.</span></div>\n<div class=\"charts\">\n");
    for (int first = 0; first < (int)history->num_columns; first++) {
        struct chart chart = chart_of(history, first);
        if (chart.count > 0 && is_drawn(chart.name))
            put_chart(out, history, &chart);
    }
    fprintf(out, "</div>\n");
    put_data(out, history);
}
