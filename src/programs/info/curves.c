#include "programs/info/curves.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_COLUMNS = 9, MOST_COLUMNS = 400, MOST_ROWS = 100, MARK = 1 << 8 };

/* The plot: cells of dots. */
struct plot {
    int columns, rows;           /* of cells */
    int cell_width, cell_height; /* dots of a cell */
    uint16_t *cells;             /* [rows, columns]: a bit for each dot, and MARK */
    double x0, x1, y0, y1;       /* y as it is drawn: the logarithm where is_log */
    bool is_log;
};

static double scaled(const struct plot *plot, double y)
{
    return plot->is_log ? log10(y) : y;
}

/* The range of all points; false where there are none. */
static bool measure(struct plot *plot, const struct curve *curves, int num_curves)
{
    plot->x0 = plot->y0 = INFINITY;
    plot->x1 = plot->y1 = -INFINITY;
    for (int c = 0; c < num_curves; c++)
        for (size_t i = 0; i < curves[c].count; i++) {
            double x = curves[c].x[i], y = curves[c].y[i];
            if (!isfinite(y) || !isfinite(x))
                continue;
            plot->x0 = fmin(plot->x0, x);
            plot->x1 = fmax(plot->x1, x);
            plot->y0 = fmin(plot->y0, y);
            plot->y1 = fmax(plot->y1, y);
        }
    if (!(plot->y1 >= plot->y0))
        return false;
    plot->is_log = plot->y0 > 0 && plot->y1 > 10 * plot->y0;
    plot->y0 = scaled(plot, plot->y0);
    plot->y1 = scaled(plot, plot->y1);
    if (!(plot->x1 > plot->x0))
        plot->x1 = plot->x0 + 1;
    if (!(plot->y1 > plot->y0)) {
        double pad = plot->y0 != 0 ? 0.05 * fabs(plot->y0) : 1;
        plot->y0 -= pad;
        plot->y1 += pad;
    }
    return true;
}

/* Places from 0 to count - 1. Halves before the difference, which may be larger than a double. */
static int place(double value, double from, double to, int count)
{
    double fraction = (value / 2 - from / 2) / (to / 2 - from / 2);
    return fraction >= 1 ? count - 1 : fraction > 0 ? (int)(fraction * (count - 1) + 0.5) : 0;
}

static void set_dot(struct plot *plot, int x, int y)
{
    static const uint8_t braille[4][2] = {
        {0x01, 0x08},
        {0x02, 0x10},
        {0x04, 0x20},
        {0x40, 0x80}
    };
    uint16_t *cell = &plot->cells[y / plot->cell_height * plot->columns + x / plot->cell_width];
    *cell |= braille[y % plot->cell_height][x % plot->cell_width];
}

/* A line from dot to dot, whose every column of dots and, where it is steep, every row has one. */
static void draw_line(struct plot *plot, int x0, int y0, int x1, int y1)
{
    int steps = abs(x1 - x0) > abs(y1 - y0) ? abs(x1 - x0) : abs(y1 - y0);
    for (int i = 0; i <= steps; i++) {
        double fraction = steps > 0 ? (double)i / steps : 0;
        set_dot(plot, x0 + (int)lround(fraction * (x1 - x0)), y0 + (int)lround(fraction * (y1 - y0)));
    }
}

/* The mean y of each of `width` columns; NaN where a column has no point. */
static void average(double *means, size_t *counts, int width, const struct plot *plot, const struct curve *curve)
{
    memset(counts, 0, (size_t)width * sizeof *counts);
    for (int x = 0; x < width; x++)
        means[x] = NAN;
    for (size_t i = 0; i < curve->count; i++) {
        if (!isfinite(curve->y[i]) || !isfinite(curve->x[i]))
            continue;
        int x = place(curve->x[i], plot->x0, plot->x1, width);
        double y = scaled(plot, curve->y[i]);
        counts[x]++;
        means[x] = counts[x] == 1 ? y : means[x] + (y / (double)counts[x] - means[x] / (double)counts[x]);
    }
}

static void draw_curve(struct plot *plot, const struct curve *curve, double *means, size_t *counts)
{
    int width = curve->is_marked ? plot->columns : plot->columns * plot->cell_width;
    int height = curve->is_marked ? plot->rows : plot->rows * plot->cell_height;
    int last_x = -1, last_y = 0;
    average(means, counts, width, plot, curve);
    for (int x = 0; x < width; x++) {
        if (!isfinite(means[x]))
            continue;
        int y = height - 1 - place(means[x], plot->y0, plot->y1, height);
        if (curve->is_marked)
            plot->cells[y * plot->columns + x] |= MARK;
        else
            draw_line(plot, last_x < 0 ? x : last_x, last_x < 0 ? y : last_y, x, y);
        last_x = x;
        last_y = y;
    }
}

static void print_cell(FILE *out, uint16_t cell, bool braille)
{
    static const char ascii[4] = {' ', '\'', '.', ':'};
    int dots = cell & 0xff;
    if (cell & MARK)
        putc('o', out);
    else if (dots == 0 || !braille)
        putc(ascii[dots & 3], out);
    else /* U+2800 and the dots */
        fprintf(out, "\xe2%c%c", 0xa0 | dots >> 6, 0x80 | (dots & 63));
}

static void print_plot(FILE *out, const struct plot *plot, bool braille)
{
    double top = plot->is_log ? pow(10, plot->y1) : plot->y1, bottom = plot->is_log ? pow(10, plot->y0) : plot->y0;
    for (int row = 0; row < plot->rows; row++) {
        int last = plot->columns;
        const uint16_t *cells = plot->cells + (size_t)row * (size_t)plot->columns;
        while (last > 0 && cells[last - 1] == 0)
            last--;
        if (row == 0 || row == plot->rows - 1)
            fprintf(out, "%*.4g |", LABEL_COLUMNS, row == 0 ? top : bottom);
        else
            fprintf(out, "%*s |", LABEL_COLUMNS, "");
        for (int column = 0; column < last; column++)
            print_cell(out, cells[column], braille);
        putc('\n', out);
    }
}

static void add_to_legend(char *text, size_t size, const struct curve *curve)
{
    size_t last = curve->count, lowest = curve->count, used = strlen(text);
    for (size_t i = 0; i < curve->count; i++) {
        if (!isfinite(curve->y[i]))
            continue;
        last = i;
        lowest = lowest == curve->count || curve->y[i] < curve->y[lowest] ? i : lowest;
    }
    if (last == curve->count)
        return;
    snprintf(text + used, size - used, "%s%s%s %.4g", used > 0 ? "   " : "", curve->is_marked ? "o " : "", curve->name,
             curve->y[last]);
    used = strlen(text);
    if (curve->is_marked && lowest != last)
        snprintf(text + used, size - used, " (lowest %.4g at step %.0f)", curve->y[lowest], curve->x[lowest]);
}

static void print_legend(FILE *out, const struct plot *plot, const struct curve *curves, int num_curves, int columns)
{
    char text[512] = "";
    for (int c = 0; c < num_curves; c++)
        add_to_legend(text, sizeof text, &curves[c]);
    size_t used = strlen(text);
    if (plot->is_log)
        snprintf(text + used, sizeof text - used, "   log scale");
    fprintf(out, "  %.*s\n", columns - 2, text);
}

/* The first and the last x below the ends of the plot. */
static void print_x_axis(FILE *out, const struct plot *plot)
{
    char first[32], last[32];
    int used = snprintf(first, sizeof first, "%.0f", plot->x0);
    snprintf(last, sizeof last, "%.0f", plot->x1);
    fprintf(out, "%*s%s%*s\n", LABEL_COLUMNS + 2, "", first, plot->columns > used ? plot->columns - used : 0,
            used + (int)strlen(last) < plot->columns ? last : "");
}

void curves_print(FILE *out, const struct curve *curves, int num_curves, const struct curves_canvas *canvas)
{
    int columns = canvas->columns < MOST_COLUMNS ? canvas->columns : MOST_COLUMNS;
    int rows = canvas->rows < MOST_ROWS ? canvas->rows : MOST_ROWS;
    struct plot plot = {.columns = columns - LABEL_COLUMNS - 2,
                        .rows = rows - 2,
                        .cell_width = canvas->braille ? 2 : 1,
                        .cell_height = canvas->braille ? 4 : 2};
    if (columns < CURVES_LEAST_COLUMNS || rows < CURVES_LEAST_ROWS || !measure(&plot, curves, num_curves))
        return;
    double *means = calloc((size_t)plot.columns * (size_t)plot.cell_width, sizeof *means);
    size_t *counts = calloc((size_t)plot.columns * (size_t)plot.cell_width, sizeof *counts);
    plot.cells = calloc((size_t)plot.columns * (size_t)plot.rows, sizeof *plot.cells);
    if (means && counts && plot.cells) {
        for (int c = 0; c < num_curves; c++)
            draw_curve(&plot, &curves[c], means, counts);
        print_legend(out, &plot, curves, num_curves, columns);
        print_plot(out, &plot, canvas->braille);
        print_x_axis(out, &plot);
    }
    free(plot.cells);
    free(counts);
    free(means);
}

bool curves_can_braille(void)
{
    const char *terminal = getenv("TERM");
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (!locale)
        return false;
    bool is_utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    freelocale(locale);
    return is_utf8 && !(terminal && strcmp(terminal, "linux") == 0);
}
