#include "programs/info/run_curves.h"

#include "base/clock.h"
#include "base/text.h"
#include "run/metrics_history.h"

#include <math.h>
#include <stdlib.h>

enum { NUM_CURVES = 2 };
static const char *const names[NUM_CURVES] = {"loss", "val_loss"};

struct run_curves {
    char *run_dir;             /* owned */
    double *x, *y;             /* [num_rows] and [NUM_CURVES, num_rows], y NaN where a curve has no point; owned */
    bool is_there[NUM_CURVES]; /* has a point at all */
    size_t num_rows;
    double next; /* of the clock: when to read again */
};

struct run_curves *run_curves_make(const char *run_dir)
{
    struct run_curves *curves = calloc(1, sizeof *curves);
    if (curves)
        curves->run_dir = format_text("%s", run_dir);
    return curves;
}

static void clear(struct run_curves *curves)
{
    free(curves->x);
    free(curves->y);
    curves->x = curves->y = NULL;
    curves->num_rows = 0;
}

void run_curves_free(struct run_curves *curves)
{
    if (!curves)
        return;
    clear(curves);
    free(curves->run_dir);
    free(curves);
}

static void take(struct run_curves *curves, const struct metrics_history *history)
{
    size_t count = history->num_rows;
    clear(curves);
    curves->x = calloc(count + 1, sizeof *curves->x);
    curves->y = calloc(NUM_CURVES * (count + 1), sizeof *curves->y);
    if (!curves->x || !curves->y) {
        clear(curves);
        return;
    }
    for (size_t row = 0; row < count; row++)
        curves->x[row] = (double)history->steps[row];
    for (size_t c = 0; c < NUM_CURVES; c++) {
        int column = metrics_history_find(history, names[c]);
        curves->is_there[c] = column >= 0;
        for (size_t row = 0; row < count; row++)
            curves->y[c * count + row] =
                column >= 0 ? history->values[row * history->num_columns + (size_t)column] : NAN;
    }
    curves->num_rows = count;
}

void run_curves_read(struct run_curves *curves, bool now)
{
    struct metrics_history history;
    struct error ignored;
    double begin = clock_seconds();
    if (!now && begin < curves->next)
        return;
    if (metrics_history_read(&history, curves->run_dir, &ignored)) {
        take(curves, &history);
        metrics_history_free(&history);
    } else {
        clear(curves);
    }
    double end = clock_seconds();
    curves->next = end + 9 * (end - begin);
}

void run_curves_print(FILE *out, const struct run_curves *curves, const struct curves_canvas *canvas)
{
    struct curve drawn[NUM_CURVES];
    int count = 0;
    for (int c = 0; c < NUM_CURVES; c++)
        if (curves->is_there[c])
            drawn[count++] = (struct curve){.name = names[c],
                                            .x = curves->x,
                                            .y = curves->y + (size_t)c * curves->num_rows,
                                            .count = curves->num_rows,
                                            .is_marked = c > 0};
    curves_print(out, drawn, count, canvas);
}
