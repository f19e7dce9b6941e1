/* Sorted tables of keys and values, as LevelDB defines them (its doc/table_format.md) and TensorFlow stores the index of a
 * checkpoint: blocks of entries whose keys share prefixes with the key before, each block with a checksum, an index block
 * that says where they lie, and a footer that says where the index lies. */
#ifndef DRUMLINE_EXCHANGE_SORTED_TABLE_H
#define DRUMLINE_EXCHANGE_SORTED_TABLE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    SORTED_TABLE_MAX_KEY = 1024,      /* bytes */
    SORTED_TABLE_MAX_ENTRIES = 65536, /* so that a small file can't make much work */
    SORTED_TABLE_FOOTER = 48,         /* bytes */
};

/* What gets each entry. key and value are valid during the call only. Returning false, with the error set, ends the reading. */
struct sorted_table_visitor {
    bool (*visit)(void *context, const uint8_t *key, size_t key_size, const uint8_t *value, size_t value_size,
                  struct error *error);
    void *context;
};

/* Whether the bytes end in the footer of a table. */
bool sorted_table_is(const uint8_t *bytes, size_t size);

/* Hands out all entries, in their order. Everything is checked as far as it is read: footer, handles, that blocks lie one after
 * another, checksums, restarts, that keys ascend and that those of the index do too. Fails, with a reason that names no file,
 * on all else, and on compressed blocks. */
bool sorted_table_read(const uint8_t *bytes, size_t size, const struct sorted_table_visitor *visitor,
                       struct error *error);

#endif
