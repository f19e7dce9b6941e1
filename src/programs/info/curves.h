/* Curves drawn with characters, for terminals: a legend, the plot with its scale on the left, and a line with the first and the
 * last x.
 *
 *     loss 812.3   o val_loss 640.1 (lowest 633.2 at step 4000)
 *       2000 |⡀
 *            |⠈⠑⠢⠤o⣀o⣀
 *        600 |         o⠉o⠉
 *             1                                  5000
 *
 * Braille characters show 2 x 4 dots each; where they can't be shown, ' . and : show 1 x 2. */
#ifndef DRUMLINE_PROGRAMS_INFO_CURVES_H
#define DRUMLINE_PROGRAMS_INFO_CURVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct curve {
    const char *name;
    const double *x, *y; /* [count], not owned; x ascending; a y that is not finite is skipped */
    size_t count;
    bool is_marked; /* an "o" at its points instead of a line; the legend then gives its lowest y too */
};

struct curves_canvas {
    int columns, rows; /* of the whole, legend and scales included */
    bool braille;      /* else ASCII */
};

/* The least that curves_print draws in. */
enum { CURVES_LEAST_COLUMNS = 24, CURVES_LEAST_ROWS = 6 };

/* Prints exactly canvas->rows lines of at most canvas->columns characters. Where more than one point falls on a column of dots,
 * their mean is drawn. The scale is logarithmic, and the legend says so, where all y are above 0 and the highest is more than
 * ten times the lowest. Prints nothing where the canvas is too small, no curve has a point, or there is no memory. */
void curves_print(FILE *out, const struct curve *curves, int num_curves, const struct curves_canvas *canvas);

/* Whether braille can be shown: the locale's characters are UTF-8, and the terminal is not Linux's console, whose fonts lack
 * them. */
bool curves_can_braille(void);

#endif
