/* Any bytes as info.csv: what is read can be found again, is in order, and holds what a table may say. */
#include "data/dataset/splits.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_row(const struct splits *splits, size_t number)
{
    const struct performance_info *row = &splits->rows[number];
    fuzz_require(row->path[0] != '\0', "a row has a path");
    fuzz_require(splits_find(splits, row->path) == row, "a row is found by its path");
    fuzz_require(number == 0 || strcmp(splits->rows[number - 1].path, row->path) < 0, "paths are in order, each once");
    fuzz_require(row->split <= NUM_SPLITS, "a split is one of three, or none");
    fuzz_require(row->style != NULL && row->drummer != NULL, "style and drummer are texts");
    fuzz_require((row->time_signature.numerator == 0) == (row->time_signature.denominator == 0),
                 "a time signature has both numbers");
}

/* The first byte chooses whether the table lies in the folder itself or below it. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct splits splits;
    struct error error = {.message = ""};
    if (size == 0)
        return 0;
    bool below = bytes[0] & 1;
    fuzz_write("pack/info.csv", below ? bytes + 1 : bytes, below ? size - 1 : 0);
    fuzz_write("other.csv", bytes + 1, below ? 0 : size - 1);
    if (!splits_read(&splits, fuzz_folder(), false, &error)) {
        fuzz_require(strstr(error.message, ".csv") != NULL, "a refusal names the table");
        return 0;
    }
    for (size_t i = 0; i < splits.count; i++)
        check_row(&splits, i);
    splits_free(&splits);
    return 0;
}
