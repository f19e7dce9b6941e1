/* Curves drawn with characters: which dots are set, how they fit, and numbers that can't be drawn. */
#include "programs/info/curves.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>

/* What is printed, the caller's. */
static char *draw(const struct curve *curves, int count, int columns, int rows, bool braille)
{
    const struct curves_canvas canvas = {.columns = columns, .rows = rows, .braille = braille};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    curves_print(out, curves, count, &canvas);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* The widest line in characters; *lines becomes their number. */
static int measure(const char *text, int *lines)
{
    int widest = 0, width = 0;
    *lines = 0;
    for (; *text; text++) {
        width = *text == '\n' ? 0 : width + (((unsigned char)*text & 0xc0) != 0x80);
        widest = width > widest ? width : widest;
        *lines += *text == '\n';
    }
    return widest;
}

/* Below the legend. */
static int count_marks(const char *text)
{
    int marks = 0;
    for (size_t i = strcspn(text, "\n"); text[i]; i++)
        marks += text[i] == 'o';
    return marks;
}

static void test_ascii(void **state)
{
    (void)state;
    const double x[] = {0, 12}, y[] = {8, 1};
    const struct curve curve = {"loss", x, y, 2, false};
    char *text = draw(&curve, 1, 24, 6, false);
    assert_string_equal(text, "  loss 1\n"
                              "        8 |'..\n"
                              "          |   ''.\n"
                              "          |      ''..\n"
                              "        1 |          ''.\n"
                              "           0          12\n");
    free(text);
}

/* Each cell has 2 x 4 dots: the diagonal of 26 x 16 dots from the top left to the bottom right. */
static void test_braille(void **state)
{
    (void)state;
    const double x[] = {0, 25}, y[] = {4, 1};
    const struct curve curve = {"loss", x, y, 2, false};
    char *text = draw(&curve, 1, 24, 6, true);
    assert_string_equal(text, "  loss 1\n"
                              "        4 |⠑⠢⢄\n"
                              "          |   ⠉⠒⢄⡀\n"
                              "          |      ⠈⠑⠤⣀\n"
                              "        1 |          ⠑⠢⢄\n"
                              "           0          25\n");
    free(text);
}

/* Marks lie over the line; the legend has the last and the lowest value of what is marked. */
static void test_marks(void **state)
{
    (void)state;
    const double x[] = {0, 4, 8, 12}, loss[] = {4, 3, 2, 1}, val[] = {NAN, 3, 1.5, 2};
    const struct curve curves[] = {
        {"loss",     x, loss, 4, false},
        {"val_loss", x, val,  4, true }
    };
    char *text = draw(curves, 2, 60, 8, false);
    assert_contains(text, "  loss 1   o val_loss 2 (lowest 1.5 at step 8)\n");
    assert_int_equal(count_marks(text), 3);
    free(text);
}

/* Where many points fall on one column it is their mean: 1, 3, 1, 3 ... is a level line between two ends. */
static void test_mean(void **state)
{
    (void)state;
    enum { COUNT = 13000 };
    static double x[COUNT], y[COUNT];
    for (int i = 0; i < COUNT; i++) {
        x[i] = i;
        y[i] = i == 0 ? 0 : i == COUNT - 1 ? 5 : i % 2 ? 1 : 3;
    }
    const struct curve curve = {"loss", x, y, COUNT, false};
    char *text = draw(&curve, 1, 24, 7, false);
    assert_contains(text, " |.............\n");
    free(text);
}

static void test_fits_every_size(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    double x[COUNT], y[COUNT];
    for (int i = 0; i < COUNT; i++) {
        x[i] = 1e6 * i;
        y[i] = 1000 * exp(-i / 60.0) + 3 * sin(i);
    }
    const struct curve curves[] = {
        {"loss",     x, y, COUNT, false},
        {"val_loss", x, y, COUNT, true }
    };
    for (int columns = CURVES_LEAST_COLUMNS; columns < 130; columns++)
        for (int rows = CURVES_LEAST_ROWS; rows < 30; rows += 3) {
            int lines;
            char *text = draw(curves, 2, columns, rows, rows % 2 == 0);
            assert_in_range(measure(text, &lines), 1, columns);
            assert_int_equal(lines, rows);
            free(text);
        }
    char *text = draw(curves, 2, CURVES_LEAST_COLUMNS - 1, 20, true);
    assert_string_equal(text, "");
    free(text);
    text = draw(curves, 2, 80, CURVES_LEAST_ROWS - 1, true);
    assert_string_equal(text, "");
    free(text);
}

/* From 1000 to 1 the middle of a logarithmic scale is about 32: half way down after half of the steps. */
static void test_logarithm(void **state)
{
    (void)state;
    const double x[] = {0, 10, 20}, y[] = {1000, 31.6228, 1}, below[] = {1000, 31.6228, -1};
    const struct curve curve = {"loss", x, y, 3, true}, linear = {"loss", x, below, 3, true};
    char *text = draw(&curve, 1, 40, 9, false);
    assert_contains(text, "log scale");
    assert_contains(text, "     1000 |o\n          |\n          |\n          |              o\n");
    free(text);
    text = draw(&linear, 1, 40, 9, false);
    assert_null(strstr(text, "log scale"));
    free(text);
}

static void test_odd_numbers(void **state)
{
    (void)state;
    const double x[] = {5, 6, 7}, huge[] = {-1.7e308, 1.7e308, 0}, none[] = {NAN, INFINITY, -INFINITY};
    const double level[] = {2, 2, 2}, zero[] = {0};
    int lines;
    struct curve curve = {"loss", x, none, 3, false};
    char *text = draw(&curve, 1, 80, 10, true);
    assert_string_equal(text, "");
    free(text);
    text = draw(&curve, 0, 80, 10, true);
    assert_string_equal(text, "");
    free(text);
    const struct curve drawn[] = {
        {"loss", x, huge,  3, false},
        {"loss", x, level, 3, true },
        {"loss", x, zero,  1, false}
    };
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++) {
        text = draw(&drawn[i], 1, 80, 10, true);
        assert_in_range(measure(text, &lines), 11, 80);
        assert_int_equal(lines, 10);
        free(text);
    }
}

static void test_locale(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C", 1);
    assert_false(curves_can_braille());
    setenv("LC_ALL", "C.UTF-8", 1);
    assert_true(curves_can_braille());
    setenv("TERM", "linux", 1);
    assert_false(curves_can_braille());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ascii),       cmocka_unit_test(test_braille),         cmocka_unit_test(test_marks),
        cmocka_unit_test(test_mean),        cmocka_unit_test(test_fits_every_size), cmocka_unit_test(test_logarithm),
        cmocka_unit_test(test_odd_numbers), cmocka_unit_test(test_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
