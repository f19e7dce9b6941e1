/* The fuzz target's input, for the test that gives it mutations of valid ones. */
#ifndef DRUMLINE_TESTS_EXCHANGE_FUZZ_IMPORT_H
#define DRUMLINE_TESTS_EXCHANGE_FUZZ_IMPORT_H

#include <stddef.h>
#include <stdint.h>

/* An input is its kind, the size of its first part in two bytes, little-endian, the first part and the second. */
enum fuzz_kind {
    FUZZ_BLOCK,       /* a block of a bundle's index, without type and checksum, and the values */
    FUZZ_TABLE,       /* a bundle's index and the values */
    FUZZ_MAGENTA_JS,  /* a manifest; a config.json that is the values, in the file "b", as well */
    FUZZ_SAFETENSORS, /* the file; the size is ignored */
    FUZZ_ARCHIVE,     /* likewise */
    FUZZ_NUM_KINDS
};

enum { FUZZ_MAX_TABLE = (1 << 16) + 512 };

/* Writes a table of that one block; returns its size. */
size_t fuzz_import_table(uint8_t table[FUZZ_MAX_TABLE], const uint8_t *block, size_t block_size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
