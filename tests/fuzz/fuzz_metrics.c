/* Any bytes as a metrics.jsonl. Read in two parts, as it grows, it says what it says read at once; as a table, it has each step once. */
#include "run/metrics_history.h"
#include "run/metrics_reader.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct metrics_reader *read_file(const char *path)
{
    struct error error;
    struct metrics_reader *reader = metrics_reader_make(path);
    fuzz_require(reader && metrics_reader_read(reader, &error), "a file of any bytes is read");
    return reader;
}

static void require_equal(json_t *left, json_t *right, const char *what)
{
    fuzz_require(left && right && json_equal(left, right), what);
    json_decref(left);
    json_decref(right);
}

static void compare(const struct metrics_reader *left, const struct metrics_reader *right)
{
    json_t *one = metrics_reader_event(left), *other = metrics_reader_event(right);
    fuzz_require(one ? json_equal(one, other) : !other, "the last event is the same");
    require_equal(metrics_reader_lines(left), metrics_reader_lines(right), "the last lines are the same");
    require_equal(metrics_reader_sessions(left), metrics_reader_sessions(right), "the sessions are the same");
}

static void check_history(void)
{
    struct metrics_history history;
    struct error error;
    if (!metrics_history_read(&history, fuzz_folder(), &error))
        return;
    for (size_t row = 0; row < history.num_rows; row++) {
        fuzz_require(row == 0 || history.steps[row - 1] < history.steps[row], "each step is there once");
        for (size_t column = 0; column < history.num_columns; column++)
            fuzz_require(!isinf(history.values[row * history.num_columns + column]), "a value is a number or none");
    }
    for (size_t column = 0; column < history.num_columns; column++)
        fuzz_require(metrics_history_find(&history, history.names[column]) == (int)column,
                     "a column has a name of its own");
    metrics_history_free(&history);
}

/* The first byte says where the file is cut for the reader that sees it grow. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char name[] = "train/metrics.jsonl";
    char path[256] = "";
    struct error error;
    if (size == 0)
        return 0;
    size_t cut = (size - 1) * bytes[0] / 256;
    strncat(strncat(strncat(path, fuzz_folder(), 200), "/", 2), name, 50);
    fuzz_write(name, bytes + 1, cut);
    struct metrics_reader *growing = read_file(path);
    fuzz_write(name, bytes + 1, size - 1);
    fuzz_require(metrics_reader_read(growing, &error), "a file that has grown is read");
    struct metrics_reader *whole = read_file(path);
    compare(growing, whole);
    metrics_reader_free(whole);
    metrics_reader_free(growing);
    check_history();
    return 0;
}
