#include "programs/info/report_plots.h"

#include "programs/info/report_text.h"

#include <math.h>

enum { WIDTH = 360, LEFT = 84, RIGHT = 6, TOP = 6, BOTTOM = 18, HISTOGRAM_HEIGHT = 150, ROW_HEIGHT = 15 };

/* Of the parts that have anything. */
static void put_legend(FILE *out, const struct report_bar *bars, size_t count, const char *const *names, int num_parts)
{
    fprintf(out, "<span class=\"legend\">");
    for (int part = 0; part < num_parts; part++) {
        double sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += bars[i].parts[part];
        if (sum > 0)
            fprintf(out, "<span style=\"--colour: var(--s%d)\">%s</span>", part, names[part]);
    }
    fprintf(out, "</span>");
}

static void put_caption(FILE *out, const char *title)
{
    fprintf(out, "<figure aria-label=\"");
    report_put_text(out, title);
    fprintf(out, "\"><figcaption>");
    report_put_text(out, title);
}

static double sum_of(const struct report_bar *bar, int num_parts)
{
    double sum = 0;
    for (int part = 0; part < num_parts; part++)
        sum += bar->parts[part];
    return sum;
}

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

void report_put_bars(FILE *out, const char *title, const struct report_bar *bars, size_t count,
                     const char *const *names, int num_parts)
{
    double longest = 0, whole = 0;
    for (size_t i = 0; i < count; i++) {
        longest = fmax(longest, sum_of(&bars[i], num_parts));
        whole += sum_of(&bars[i], num_parts);
    }
    put_caption(out, title);
    if (num_parts > 1)
        put_legend(out, bars, count, names, num_parts);
    fprintf(out, "</figcaption>\n<table class=\"bars\">\n");
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "<tr><th>");
        report_put_text(out, bars[i].label);
        fprintf(out, "<td><div class=\"stack\">");
        for (int part = 0; part < num_parts; part++)
            if (bars[i].parts[part] > 0)
                fprintf(out, "<i style=\"width: %.2f%%; --colour: var(--s%d)\" title=\"%s %.0f\"></i>",
                        percent(bars[i].parts[part], longest), part, num_parts > 1 ? names[part] : "",
                        bars[i].parts[part]);
        fprintf(out, "</div><td class=\"number\">%.0f<td class=\"number\">%.1f %%</tr>\n", sum_of(&bars[i], num_parts),
                percent(sum_of(&bars[i], num_parts), whole));
    }
    fprintf(out, "</table></figure>\n");
}

static void put_axis(FILE *out, const struct report_axis *axis, double left, int bottom)
{
    const struct {
        const char *text, *anchor;
        double x;
    } places[] = {
        {axis->left,   "start",  left                             },
        {axis->middle, "middle", left + (WIDTH - RIGHT - left) / 2},
        {axis->right,  "end",    WIDTH - RIGHT                    }
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i].text)
            fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>", places[i].x, bottom + 12,
                    places[i].anchor, places[i].text);
}

void report_put_histogram(FILE *out, const char *title, const double *counts, size_t count, double from, double to,
                          const struct report_axis *axis)
{
    enum { PLOT = HISTOGRAM_HEIGHT - TOP - BOTTOM, LEAST_LEFT = 40 };
    double highest = 0, whole = 0, width = (double)(WIDTH - LEAST_LEFT - RIGHT) / (double)count;
    for (size_t i = 0; i < count; i++) {
        highest = fmax(highest, counts[i]);
        whole += counts[i];
    }
    put_caption(out, title);
    fprintf(out, "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Histogram of %zu bins\">", WIDTH,
            HISTOGRAM_HEIGHT, count);
    fprintf(out, "<line class=\"gridline\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>", LEAST_LEFT, WIDTH - RIGHT, TOP,
            TOP);
    fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.3g %%</text>", LEAST_LEFT - 4, TOP + 6,
            percent(highest, whole));
    for (size_t i = 0; i < count; i++) {
        double height = highest > 0 ? PLOT * counts[i] / highest : 0, step = (to - from) / (double)count;
        if (counts[i] > 0)
            fprintf(
                out,
                "<rect class=\"column\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%.4g to %.4g: %.0f "
                "(%.2g %%)</title></rect>",
                LEAST_LEFT + width * (double)i, TOP + PLOT - height, fmax(1, width - 1), height,
                from + step * (double)i, from + step * (double)(i + 1), counts[i], percent(counts[i], whole));
    }
    fprintf(out, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>", LEAST_LEFT, WIDTH - RIGHT,
            TOP + PLOT, TOP + PLOT);
    put_axis(out, axis, LEAST_LEFT, TOP + PLOT);
    fprintf(out, "</svg></figure>\n");
}

void report_put_heat_map(FILE *out, const char *title, const double *counts, const char *const *rows, size_t num_rows,
                         size_t num_columns, const struct report_axis *axis)
{
    double width = (double)(WIDTH - LEFT - RIGHT) / (double)num_columns;
    int height = TOP + (int)num_rows * ROW_HEIGHT;
    put_caption(out, title);
    fprintf(out, "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Heat map of %zu rows\">", WIDTH,
            height + BOTTOM, num_rows);
    for (size_t row = 0; row < num_rows; row++) {
        const double *values = counts + row * num_columns;
        double highest = 0, whole = 0;
        int y = TOP + (int)row * ROW_HEIGHT;
        for (size_t column = 0; column < num_columns; column++) {
            highest = fmax(highest, values[column]);
            whole += values[column];
        }
        fprintf(out, "<text class=\"name\" x=\"0\" y=\"%d\">%s</text>", y + ROW_HEIGHT - 4, rows[row]);
        fprintf(out, "<rect class=\"lane\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", LEFT, y,
                WIDTH - LEFT - RIGHT, ROW_HEIGHT - 1);
        for (size_t column = 0; column < num_columns; column++)
            if (values[column] > 0)
                fprintf(out,
                        "<rect class=\"column\" fill-opacity=\"%.2f\" x=\"%.1f\" y=\"%d\" width=\"%.2f\" "
                        "height=\"%d\"><title>%s: %.0f (%.2g %%)</title></rect>",
                        sqrt(values[column] / highest), LEFT + width * (double)column, y, width, ROW_HEIGHT - 1,
                        rows[row], values[column], percent(values[column], whole));
        fprintf(out, "\n");
    }
    put_axis(out, axis, LEFT, height);
    fprintf(out, "</svg></figure>\n");
}
