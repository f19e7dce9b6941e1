#include "render/drum_roll.h"

#include "render/library.h"

#include <cairo-svg.h>
#include <cairo.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The functions of cairo that are used: pointers of the names without "cairo_". */
#define CAIRO_FUNCTIONS(USE)                                                                                           \
    USE(create)                                                                                                        \
    USE(destroy)                                                                                                       \
    USE(fill)                                                                                                          \
    USE(image_surface_create)                                                                                          \
    USE(line_to)                                                                                                       \
    USE(move_to)                                                                                                       \
    USE(paint)                                                                                                         \
    USE(rectangle)                                                                                                     \
    USE(select_font_face)                                                                                              \
    USE(set_font_size)                                                                                                 \
    USE(set_line_width)                                                                                                \
    USE(set_source_rgb)                                                                                                \
    USE(show_text)                                                                                                     \
    USE(status)                                                                                                        \
    USE(status_to_string)                                                                                              \
    USE(stroke)                                                                                                        \
    USE(surface_destroy)                                                                                               \
    USE(surface_finish)                                                                                                \
    USE(surface_status)                                                                                                \
    USE(surface_write_to_png_stream)                                                                                   \
    USE(svg_surface_create_for_stream)                                                                                 \
    USE(svg_surface_set_document_unit)

struct cairo {
#define DECLARE(name) __typeof__(&cairo_##name) name;
    CAIRO_FUNCTIONS(DECLARE)
#undef DECLARE
};

/* What is drawn on. */
struct canvas {
    struct cairo lib;
    cairo_t *cairo;
};

static bool load_cairo(struct cairo *lib, struct error *error)
{
#define SYMBOL(name) {"cairo_" #name, &lib->name},
    const struct library_symbol symbols[] = {CAIRO_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    return library_load("libcairo.so.2", "libcairo2", symbols, sizeof symbols / sizeof *symbols, error);
}

/* Everything is in pixels of the PNG. */
enum {
    MARGIN = 14,
    LABEL_WIDTH = 92,
    LANE_HEIGHT = 17,
    STEP_WIDTH = 15,
    RULER_HEIGHT = 16, /* bar numbers above a system */
    SYSTEM_GAP = 10,
    TITLE_HEIGHT = 22,
    SHEET_TITLE_HEIGHT = 30,
    DEFAULT_BARS = 4,
    LARGEST_SIDE = 32000, /* cairo's image surfaces end at 32,767 */
};
static const double hit_width = 0.5 * STEP_WIDTH;

/* Lanes from top to bottom, as classes: crash, ride, high, mid and low tom, open and closed hi-hat, snare, kick. */
static const int lanes[NUM_DRUMS] = {7, 8, 6, 5, 4, 3, 2, 1, 0};

struct colour {
    double red, green, blue;
};

struct theme {
    struct colour paper, ink, faint_ink, lane, step_line, beat_line, bar_line;
    struct colour soft, medium, loud; /* velocities 1, 64 and 127 */
};

static const struct theme light = {
    .paper = {1.00,  1.00,  1.00 },
    .ink = {0.13,  0.13,  0.15 },
    .faint_ink = {0.42,  0.42,  0.45 },
    .lane = {0.965, 0.965, 0.972},
    .step_line = {0.90,  0.90,  0.91 },
    .beat_line = {0.76,  0.76,  0.79 },
    .bar_line = {0.35,  0.35,  0.40 },
    .soft = {0.63,  0.74,  0.90 },
    .medium = {0.25,  0.42,  0.78 },
    .loud = {0.72,  0.10,  0.20 },
};

static const struct theme dark = {
    .paper = {0.09,  0.09,  0.11},
    .ink = {0.93,  0.93,  0.94},
    .faint_ink = {0.64,  0.64,  0.68},
    .lane = {0.125, 0.125, 0.15},
    .step_line = {0.19,  0.19,  0.22},
    .beat_line = {0.32,  0.32,  0.36},
    .bar_line = {0.66,  0.66,  0.71},
    .soft = {0.28,  0.38,  0.56},
    .medium = {0.42,  0.66,  1.00},
    .loud = {1.00,  0.52,  0.40},
};

/* Where everything of a sheet lies. */
struct layout {
    int bars;       /* in a system */
    int roll_width; /* with labels */
    int rows;       /* of rolls */
    int width, height;
};

static void set_colour(struct canvas *canvas, struct colour colour)
{
    canvas->lib.set_source_rgb(canvas->cairo, colour.red, colour.green, colour.blue);
}

static struct colour mix(struct colour from, struct colour to, double share)
{
    return (struct colour){from.red + share * (to.red - from.red), from.green + share * (to.green - from.green),
                           from.blue + share * (to.blue - from.blue)};
}

static struct colour colour_of_velocity(const struct theme *theme, int velocity)
{
    double share = (velocity - 1) / 126.0;
    return share < 0.5 ? mix(theme->soft, theme->medium, 2 * share) : mix(theme->medium, theme->loud, 2 * share - 1);
}

static int bar_steps_of(const struct grid *grid)
{
    int steps = (int)time_signature_bar_steps(grid->time_signature);
    return steps > 0 ? steps : GRID_BAR_STEPS;
}

/* A beat is the signature's unit, and in compound time (6/8, 9/8, 12/8) three of them. */
static int beat_steps_of(struct time_signature time_signature)
{
    int unit = time_signature.denominator > 0 ? GRID_BAR_STEPS / time_signature.denominator : STEPS_PER_QUARTER;
    bool compound =
        time_signature.denominator == 8 && time_signature.numerator > 3 && time_signature.numerator % 3 == 0;
    return unit < 1 ? 1 : compound ? 3 * unit : unit;
}

static int bars_of(const struct grid *grid)
{
    int steps = bar_steps_of(grid);
    return ((int)grid->num_steps + steps - 1) / steps;
}

static int systems_of(const struct grid *grid, int bars_per_system)
{
    int bars = bars_of(grid);
    return bars > 0 ? (bars + bars_per_system - 1) / bars_per_system : 1;
}

static int system_height(void)
{
    return RULER_HEIGHT + NUM_DRUMS * LANE_HEIGHT;
}

static int roll_height(const struct drum_roll *roll, int bars_per_system)
{
    int systems = systems_of(roll->grid, bars_per_system);
    return (roll->title ? TITLE_HEIGHT : 0) + systems * system_height() + (systems - 1) * SYSTEM_GAP;
}

static int row_height(const struct drum_roll_sheet *sheet, int row, int bars_per_system)
{
    int highest = 0;
    for (int i = row * sheet->columns; i < sheet->num_rolls && i < (row + 1) * sheet->columns; i++) {
        int height = roll_height(&sheet->rolls[i], bars_per_system);
        highest = height > highest ? height : highest;
    }
    return highest;
}

static bool lay_out(struct layout *layout, const struct drum_roll_sheet *sheet, struct error *error)
{
    double width, height = MARGIN + (sheet->title ? SHEET_TITLE_HEIGHT : 0);
    int most_steps = 0, most_bars = 0;
    *layout = (struct layout){.bars = sheet->bars_per_system > 0 ? sheet->bars_per_system : DEFAULT_BARS};
    for (int i = 0; i < sheet->num_rolls; i++) {
        const struct grid *grid = sheet->rolls[i].grid;
        int bars = bars_of(grid) < layout->bars ? bars_of(grid) : layout->bars;
        int steps = (bars > 0 ? bars : 1) * bar_steps_of(grid);
        most_steps = steps > most_steps ? steps : most_steps;
        most_bars = bars_of(grid) > most_bars ? bars_of(grid) : most_bars;
    }
    layout->roll_width = LABEL_WIDTH + most_steps * STEP_WIDTH;
    layout->rows = (sheet->num_rolls + sheet->columns - 1) / sheet->columns;
    for (int row = 0; row < layout->rows; row++)
        height += row_height(sheet, row, layout->bars) + MARGIN;
    width = MARGIN + (double)sheet->columns * (layout->roll_width + MARGIN);
    if (width > LARGEST_SIDE || height > LARGEST_SIDE)
        return error_set(error, "too long for one picture: %d rolls of up to %d bars would take %.0f x %.0f pixels",
                         sheet->num_rolls, most_bars, width, height);
    layout->width = (int)width;
    layout->height = (int)height;
    return true;
}

static void draw_text(struct canvas *canvas, double x, double y, double size, bool bold, const char *text)
{
    canvas->lib.select_font_face(canvas->cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                                 bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    canvas->lib.set_font_size(canvas->cairo, size);
    canvas->lib.move_to(canvas->cairo, x, y);
    canvas->lib.show_text(canvas->cairo, text);
}

static void draw_line(struct canvas *canvas, double x0, double y0, double x1, double y1, double width)
{
    canvas->lib.set_line_width(canvas->cairo, width);
    canvas->lib.move_to(canvas->cairo, x0, y0);
    canvas->lib.line_to(canvas->cairo, x1, y1);
    canvas->lib.stroke(canvas->cairo);
}

/* The lanes with their names, and the lines of steps, beats and bars. */
static void draw_background(struct canvas *canvas, const struct theme *theme, double x, double y, int steps,
                            int bar_steps, int first_bar, int beat_steps)
{
    double bottom = y + NUM_DRUMS * LANE_HEIGHT;
    for (int lane = 0; lane < NUM_DRUMS; lane++) {
        double top = y + lane * LANE_HEIGHT;
        if (lane % 2 == 0) {
            set_colour(canvas, theme->lane);
            canvas->lib.rectangle(canvas->cairo, x, top, steps * STEP_WIDTH, LANE_HEIGHT);
            canvas->lib.fill(canvas->cairo);
        }
        set_colour(canvas, theme->ink);
        draw_text(canvas, x - LABEL_WIDTH + 2, top + LANE_HEIGHT - 5, 11, false, drum_name(lanes[lane]));
    }
    for (int step = 0; step <= steps; step++) {
        bool bar = step % bar_steps == 0, beat = step % bar_steps % beat_steps == 0;
        double at = x + step * STEP_WIDTH + 0.5;
        set_colour(canvas, bar ? theme->bar_line : beat ? theme->beat_line : theme->step_line);
        draw_line(canvas, at, bar ? y - 4 : y, at, bottom, 1);
        if (bar && step < steps) {
            char number[16];
            snprintf(number, sizeof number, "%d", first_bar + step / bar_steps + 1);
            set_colour(canvas, theme->faint_ink);
            draw_text(canvas, at + 3, y - 4, 10, false, number);
        }
    }
}

/* The hit's left edge is its time; the line goes there from the step. */
static void draw_hit(struct canvas *canvas, const struct theme *theme, double x, double lane_top, int velocity,
                     double offset)
{
    double time = x - 0.5 * offset * STEP_WIDTH, height = 3 + (LANE_HEIGHT - 5) * velocity / 127.0;
    double bottom = lane_top + LANE_HEIGHT - 1;
    struct colour colour = colour_of_velocity(theme, velocity);
    set_colour(canvas, colour);
    if (fabs(time - x) > 0.75)
        draw_line(canvas, x + 0.5, bottom - 0.5, time, bottom - 0.5, 1.5);
    canvas->lib.rectangle(canvas->cairo, time, bottom - height, hit_width, height);
    canvas->lib.fill(canvas->cairo);
    set_colour(canvas, theme->ink);
    draw_line(canvas, time, bottom - height, time, bottom, 1);
}

static void draw_hits(struct canvas *canvas, const struct theme *theme, const struct grid *grid, double x, double y,
                      int first, int steps)
{
    for (int step = 0; step < steps && (uint32_t)(first + step) < grid->num_steps; step++) {
        size_t row = (size_t)(first + step) * NUM_DRUMS;
        for (int lane = 0; lane < NUM_DRUMS; lane++) {
            size_t cell = row + (size_t)lanes[lane];
            if (grid->hits[cell])
                draw_hit(canvas, theme, x + step * STEP_WIDTH, y + lane * LANE_HEIGHT, grid->velocity[cell],
                         (double)grid->offset[cell]);
        }
    }
}

static void draw_roll(struct canvas *canvas, const struct theme *theme, const struct drum_roll *roll, double x,
                      double y, int bars_per_system)
{
    const struct grid *grid = roll->grid;
    int bar_steps = bar_steps_of(grid), bars = bars_of(grid) > 0 ? bars_of(grid) : 1;
    int beat_steps = beat_steps_of(grid->time_signature);
    if (roll->title) {
        set_colour(canvas, theme->ink);
        draw_text(canvas, x + 2, y + TITLE_HEIGHT - 8, 12, true, roll->title);
        y += TITLE_HEIGHT;
    }
    for (int bar = 0; bar < bars; bar += bars_per_system) {
        int here = bars - bar < bars_per_system ? bars - bar : bars_per_system;
        double top = y + RULER_HEIGHT;
        draw_background(canvas, theme, x + LABEL_WIDTH, top, here * bar_steps, bar_steps, bar, beat_steps);
        draw_hits(canvas, theme, grid, x + LABEL_WIDTH, top, bar * bar_steps, here * bar_steps);
        y += system_height() + SYSTEM_GAP;
    }
}

/* Five hits from soft to loud, at the right end of the title's line. */
static void draw_legend(struct canvas *canvas, const struct theme *theme, double right, double y)
{
    static const int velocities[] = {1, 32, 64, 96, 127};
    enum { NUM_SAMPLES = sizeof velocities / sizeof *velocities };
    double x = right - (NUM_SAMPLES + 4) * STEP_WIDTH, text_y = y + LANE_HEIGHT - 3;
    set_colour(canvas, theme->faint_ink);
    draw_text(canvas, x - 18, text_y, 10, false, "soft");
    draw_text(canvas, right - 4 * STEP_WIDTH + 18, text_y, 10, false, "loud");
    for (int i = 0; i < NUM_SAMPLES; i++)
        draw_hit(canvas, theme, x + (i + 1) * STEP_WIDTH, y, velocities[i], 0);
}

static void draw_sheet(struct canvas *canvas, const struct drum_roll_sheet *sheet, const struct layout *layout)
{
    const struct theme *theme = sheet->dark ? &dark : &light;
    double y = MARGIN;
    set_colour(canvas, theme->paper);
    canvas->lib.paint(canvas->cairo);
    if (sheet->title) {
        set_colour(canvas, theme->ink);
        draw_text(canvas, MARGIN + 2, y + SHEET_TITLE_HEIGHT - 13, 15, true, sheet->title);
        draw_legend(canvas, theme, layout->width - MARGIN, y);
        y += SHEET_TITLE_HEIGHT;
    }
    for (int row = 0; row < layout->rows; row++) {
        for (int column = 0; column < sheet->columns && row * sheet->columns + column < sheet->num_rolls; column++)
            draw_roll(canvas, theme, &sheet->rolls[row * sheet->columns + column],
                      MARGIN + column * (layout->roll_width + MARGIN), y, layout->bars);
        y += row_height(sheet, row, layout->bars) + MARGIN;
    }
}

static cairo_status_t append(void *closure, const unsigned char *data, unsigned int length)
{
    return render_bytes_append(closure, data, length) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_NO_MEMORY;
}

/* Draws on the surface and destroys it; `png` is written here, an SVG when the surface is finished. */
static bool render(cairo_surface_t *surface, const struct cairo *lib, struct render_bytes *out,
                   const struct drum_roll_sheet *sheet, const struct layout *layout, bool png, struct error *error)
{
    struct canvas canvas = {*lib, lib->create(surface)};
    draw_sheet(&canvas, sheet, layout);
    cairo_status_t status = lib->status(canvas.cairo);
    lib->destroy(canvas.cairo);
    if (status == CAIRO_STATUS_SUCCESS && png)
        status = lib->surface_write_to_png_stream(surface, append, out);
    lib->surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = lib->surface_status(surface);
    lib->surface_destroy(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        return true;
    render_bytes_free(out);
    return error_set(error, "can't draw the picture: %s", lib->status_to_string(status));
}

bool drum_roll_available(void)
{
    struct cairo lib;
    struct error ignored;
    return load_cairo(&lib, &ignored);
}

bool drum_roll_png(struct render_bytes *out, const struct drum_roll_sheet *sheet, struct error *error)
{
    struct layout layout;
    struct cairo lib;
    *out = (struct render_bytes){0};
    if (!lay_out(&layout, sheet, error) || !load_cairo(&lib, error))
        return false;
    cairo_surface_t *surface = lib.image_surface_create(CAIRO_FORMAT_RGB24, layout.width, layout.height);
    return render(surface, &lib, out, sheet, &layout, true, error);
}

/* cairo numbers the surfaces of a process: without the number, the same picture gives the same bytes. */
static void drop_surface_numbers(struct render_bytes *svg)
{
    static const char name[] = "\"surface";
    size_t length = sizeof name - 1, to = 0;
    for (size_t from = 0; from < svg->size;) {
        bool found = svg->size - from > length && memcmp(svg->data + from, name, length) == 0;
        for (size_t i = 0; i < (found ? length : 1); i++)
            svg->data[to++] = svg->data[from++];
        while (found && from < svg->size && svg->data[from] >= '0' && svg->data[from] <= '9')
            from++;
    }
    svg->size = to;
}

bool drum_roll_svg(struct render_bytes *out, const struct drum_roll_sheet *sheet, struct error *error)
{
    struct layout layout;
    struct cairo lib;
    *out = (struct render_bytes){0};
    if (!lay_out(&layout, sheet, error) || !load_cairo(&lib, error))
        return false;
    cairo_surface_t *surface = lib.svg_surface_create_for_stream(append, out, layout.width, layout.height);
    lib.svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    if (!render(surface, &lib, out, sheet, &layout, false, error))
        return false;
    drop_surface_numbers(out);
    return true;
}
