/* Pictures of drumming: a drum roll of one or several grids on a sheet, as PNG or SVG, drawn by cairo.
 *
 * A roll has a lane for each of the nine drums, cymbals above and the kick below. Time runs to the right in systems of a few
 * bars each, like a score. The grid of sixteenths, beats and bars lies behind; a hit stands at its true time, and a thin
 * line leads from its step to it, so that early and late show. Colour and height are the velocity. */
#ifndef DRUMLINE_RENDER_DRUM_ROLL_H
#define DRUMLINE_RENDER_DRUM_ROLL_H

#include "base/error.h"
#include "data/music/grid.h"
#include "render/bytes.h"

struct drum_roll {
    const char *title;       /* UTF-8, not owned; NULL: none */
    const struct grid *grid; /* not owned */
};

struct drum_roll_sheet {
    const char *title;             /* of the whole sheet; UTF-8, not owned; NULL: none */
    const struct drum_roll *rolls; /* [num_rolls], not owned; row by row */
    int num_rolls;                 /* from 1 */
    int columns;                   /* rolls side by side, from 1 */
    int bars_per_system;           /* 0: four */
    bool dark;                     /* light on dark in place of dark on light */
};

/* Whether pictures can be drawn: this build knows cairo, and it is installed. */
bool drum_roll_available(void);

/* Draws the sheet. `out` is the caller's (render_bytes_free); empty on failure: no cairo, a sheet of more than
 * 32,000 pixels a side (the message has the number of bars), or no memory. The same sheet gives the same SVG and, with the
 * same fonts, the same PNG. */
bool drum_roll_png(struct render_bytes *out, const struct drum_roll_sheet *sheet, struct error *error);
bool drum_roll_svg(struct render_bytes *out, const struct drum_roll_sheet *sheet, struct error *error);

#endif
