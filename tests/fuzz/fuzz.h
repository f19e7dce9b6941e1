/* What the fuzz targets share. Each is a file fuzz_NAME.c with LLVMFuzzerTestOneInput, which ends the process where something that
 * must hold does not.
 *
 * Built with clang and -DDRUMLINE_FUZZ=ON they are libFuzzer's: `fuzz_NAME -max_len=4096 FOLDER tests/fuzz/corpus/NAME`. Else
 * tests/fuzz/driver.c runs them, as the tests fuzz_NAME do: on the corpus, and on mutations of it that a seed decides. */
#ifndef DRUMLINE_TESTS_FUZZ_FUZZ_H
#define DRUMLINE_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Ends the process where `condition` does not hold, with the words that say what should. */
void fuzz_require(bool condition, const char *what);

/* A folder of this process's own, in memory where the system has such a place; removed at the process's end, with the files that
 * fuzz_write made. */
const char *fuzz_folder(void);

/* Writes FOLDER/NAME, replacing a file of that name. NAME may be in one folder below, which is made. */
void fuzz_write(const char *name, const void *bytes, size_t size);

/* The input with a NUL behind it; the caller's. */
char *fuzz_text(const uint8_t *bytes, size_t size);

#endif
