/* Drum rolls: drawn, decoded again by cairo and looked at pixel by pixel; and beside a stored picture, by tolerance. */
#include "render/drum_roll.h"
#include "tests/support/unit.h"

#include <stdlib.h>

static void set_hit(struct grid *grid, int step, int drum, int velocity, float offset)
{
    size_t cell = (size_t)step * NUM_DRUMS + (size_t)drum;
    grid->hits[cell] = 1;
    grid->velocity[cell] = (uint8_t)velocity;
    grid->offset[cell] = offset;
}

/* Two bars of 4/4: a kick on each beat, ever louder, the snare a quarter of a step early and late. */
static struct grid make_grid(void)
{
    struct grid grid;
    struct error error;
    assert_ok(grid_make(&grid, 2 * GRID_BAR_STEPS, &error), error);
    grid.qpm = 120.0f;
    grid.time_signature = (struct time_signature){4, 4};
    for (int beat = 0; beat < 8; beat++)
        set_hit(&grid, 4 * beat, 0, 1 + 18 * beat, 0.0f);
    set_hit(&grid, 4, 1, 100, 0.5f);
    set_hit(&grid, 12, 1, 100, -0.5f);
    return grid;
}

#ifdef DRUMLINE_HAS_CAIRO
#include <cairo.h>

struct reader {
    const uint8_t *data;
    size_t left;
};

static cairo_status_t read_bytes(void *closure, unsigned char *to, unsigned int length)
{
    struct reader *reader = closure;
    if (length > reader->left)
        return CAIRO_STATUS_READ_ERROR;
    memcpy(to, reader->data, length);
    reader->data += length;
    reader->left -= length;
    return CAIRO_STATUS_SUCCESS;
}

static cairo_surface_t *decode(const struct render_bytes *png)
{
    struct reader reader = {png->data, png->size};
    cairo_surface_t *surface = cairo_image_surface_create_from_png_stream(read_bytes, &reader);
    assert_int_equal(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
    return surface;
}

/* 0xRRGGBB */
static uint32_t pixel(cairo_surface_t *surface, int x, int y)
{
    const unsigned char *row =
        cairo_image_surface_get_data(surface) + (ptrdiff_t)y * cairo_image_surface_get_stride(surface);
    uint32_t value;
    memcpy(&value, row + (ptrdiff_t)4 * x, sizeof value);
    return value & 0xffffff;
}

/* The x at which `colour` begins in a line of the picture, from `from` on; -1 where it does not. */
static int find_run(cairo_surface_t *surface, int y, int from, int until, uint32_t colour, int length)
{
    int run = 0;
    for (int x = from; x < until; x++) {
        run = pixel(surface, x, y) == colour ? run + 1 : 0;
        if (run == length)
            return x - length + 1;
    }
    return -1;
}

/* Where things lie in a sheet of one roll without titles, as drum_roll.c's constants have it. */
enum { LEFT = 14 + 92, TOP = 14 + 16, STEP = 15, LANE = 17, KICK = 8, SNARE = 7 };

/* On light paper a louder hit is darker. */
static uint32_t darkness_of(uint32_t colour)
{
    return 3 * 255 - (colour >> 16 & 0xff) - (colour >> 8 & 0xff) - (colour & 0xff);
}

static void hits_stand_at_their_time(void **state)
{
    (void)state;
    struct grid grid = make_grid();
    struct drum_roll roll = {.grid = &grid};
    struct drum_roll_sheet sheet = {.rolls = &roll, .num_rolls = 1, .columns = 1};
    struct render_bytes png;
    struct error error;
    assert_ok(drum_roll_png(&png, &sheet, &error), error);
    cairo_surface_t *surface = decode(&png);
    assert_int_equal(cairo_image_surface_get_width(surface), 14 + LEFT - 14 + 32 * STEP + 14);
    uint32_t before = 0;
    for (int beat = 1; beat < 8; beat++) { /* near the lane's bottom, where soft hits are too */
        uint32_t colour = pixel(surface, LEFT + 4 * beat * STEP + 4, TOP + KICK * LANE + LANE - 3);
        assert_true(darkness_of(colour) > before);
        before = darkness_of(colour);
        uint32_t empty = pixel(surface, LEFT + (4 * beat + 2) * STEP + 4, TOP + KICK * LANE + LANE - 3);
        assert_true((empty & 0xff) > 0xf0); /* paper */
    }
    /* The snare, by its body's colour: a quarter of a step before step 4, and after step 12. */
    int y = TOP + SNARE * LANE + LANE - 5;
    uint32_t body = pixel(surface, LEFT + 4 * STEP - 1, y);
    int early = find_run(surface, y, LEFT + 3 * STEP, LEFT + 5 * STEP, body, 4);
    int late = find_run(surface, y, LEFT + 12 * STEP, LEFT + 13 * STEP, body, 4);
    assert_in_range(early, LEFT + 4 * STEP - 4, LEFT + 4 * STEP - 2);
    assert_in_range(late, LEFT + 12 * STEP + 3, LEFT + 12 * STEP + 6);
    cairo_surface_destroy(surface);
    render_bytes_free(&png);
    grid_free(&grid);
}

static void the_height_is_the_velocity(void **state)
{
    (void)state;
    struct grid grid;
    struct error error;
    assert_ok(grid_make(&grid, GRID_BAR_STEPS, &error), error);
    grid.time_signature = (struct time_signature){4, 4};
    set_hit(&grid, 0, 0, 127, 0.0f);
    set_hit(&grid, 8, 0, 10, 0.0f);
    struct drum_roll roll = {.grid = &grid};
    struct drum_roll_sheet sheet = {.rolls = &roll, .num_rolls = 1, .columns = 1, .dark = true};
    struct render_bytes png;
    assert_ok(drum_roll_png(&png, &sheet, &error), error);
    cairo_surface_t *surface = decode(&png);
    int heights[2] = {0};
    uint32_t lane = pixel(surface, LEFT + 4 * STEP + 4, TOP + KICK * LANE + LANE / 2);
    for (int i = 0; i < 2; i++)
        for (int y = 1; y < LANE; y++)
            heights[i] += pixel(surface, LEFT + 8 * i * STEP + 4, TOP + KICK * LANE + y) != lane;
    assert_in_range(heights[0], 13, 16);
    assert_in_range(heights[1], 3, 6);
    assert_true((lane >> 16) < 0x40); /* dark */
    cairo_surface_destroy(surface);
    render_bytes_free(&png);
    grid_free(&grid);
}

/* Another font or cairo may draw letters a little differently. */
static void a_sheet_looks_as_stored(void **state)
{
    (void)state;
    struct grid grid = make_grid();
    struct drum_roll rolls[3] = {
        {"one",   &grid},
        {"two",   &grid},
        {"three", &grid}
    };
    struct drum_roll_sheet sheet = {.title = "a sheet", .rolls = rolls, .num_rolls = 3, .columns = 2};
    struct render_bytes png;
    struct error error;
    assert_ok(drum_roll_png(&png, &sheet, &error), error);
    if (getenv("DRUMLINE_STORE_PICTURES")) {
        FILE *file = fopen(DRUMLINE_FIXTURES "/drum_roll_sheet.png", "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(png.data, 1, png.size, file), png.size);
        assert_int_equal(fclose(file), 0);
    }
    cairo_surface_t *drawn = decode(&png);
    cairo_surface_t *stored = cairo_image_surface_create_from_png(DRUMLINE_FIXTURES "/drum_roll_sheet.png");
    assert_int_equal(cairo_surface_status(stored), CAIRO_STATUS_SUCCESS);
    int width = cairo_image_surface_get_width(stored), height = cairo_image_surface_get_height(stored);
    assert_int_equal(cairo_image_surface_get_width(drawn), width);
    assert_int_equal(cairo_image_surface_get_height(drawn), height);
    int different = 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint32_t a = pixel(drawn, x, y), b = pixel(stored, x, y);
            int far = 0;
            for (int shift = 0; shift < 24; shift += 8)
                far |= abs((int)(a >> shift & 0xff) - (int)(b >> shift & 0xff)) > 40;
            different += far;
        }
    if (!(different <= width * height / 50))
        fail_msg("%d of %d pixels differ", different, width * height);
    cairo_surface_destroy(drawn);
    cairo_surface_destroy(stored);
    render_bytes_free(&png);
    grid_free(&grid);
}

static void svg_repeats(void **state)
{
    (void)state;
    struct grid grid = make_grid();
    struct drum_roll roll = {"a title", &grid};
    struct drum_roll_sheet sheet = {.rolls = &roll, .num_rolls = 1, .columns = 1};
    struct render_bytes once, again;
    struct error error;
    assert_ok(drum_roll_svg(&once, &sheet, &error), error);
    assert_ok(drum_roll_svg(&again, &sheet, &error), error);
    assert_int_equal(once.size, again.size);
    assert_memory_equal(once.data, again.data, once.size);
    assert_true(once.size > 5 && memcmp(once.data, "<?xml", 5) == 0);
    render_bytes_free(&once);
    render_bytes_free(&again);
    grid_free(&grid);
}

static void too_long(void **state)
{
    (void)state;
    struct grid grid;
    struct error error;
    struct render_bytes png;
    assert_ok(grid_make(&grid, GRID_MAX_STEPS, &error), error);
    grid.time_signature = (struct time_signature){4, 4};
    struct drum_roll roll = {.grid = &grid};
    struct drum_roll_sheet sheet = {.rolls = &roll, .num_rolls = 1, .columns = 1};
    assert_true(drum_roll_available());
    assert_fails(drum_roll_png(&png, &sheet, &error), error, "too long for one picture: 1 rolls of up to 65536 bars");
    assert_null(png.data);
    grid_free(&grid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hits_stand_at_their_time),
        cmocka_unit_test(the_height_is_the_velocity),
        cmocka_unit_test(a_sheet_looks_as_stored),
        cmocka_unit_test(svg_repeats),
        cmocka_unit_test(too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
static void says_what_to_install(void **state)
{
    (void)state;
    struct grid grid = make_grid();
    struct drum_roll roll = {.grid = &grid};
    struct drum_roll_sheet sheet = {.rolls = &roll, .num_rolls = 1, .columns = 1};
    struct render_bytes bytes;
    struct error error;
    assert_false(drum_roll_available());
    assert_fails(drum_roll_png(&bytes, &sheet, &error), error, "libcairo2-dev");
    assert_fails(drum_roll_svg(&bytes, &sheet, &error), error, "libcairo2-dev");
    grid_free(&grid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_to_install)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
