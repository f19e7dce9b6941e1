#include "exchange/sorted_table.h"

#include "base/crc32c.h"
#include "exchange/wire.h"

#include <inttypes.h>
#include <string.h>

#define MAGIC UINT64_C(0xdb4775248b80fb57)

enum {
    TRAILER = 5,
    UNCOMPRESSED = 0,
    SNAPPY = 1
}; /* a block is followed by its type, one byte, and its checksum, four */

struct handle {
    uint64_t offset, size; /* of a block, without its trailer */
};

/* A key, and whether there is one: the empty key is one too. */
struct key {
    uint8_t bytes[SORTED_TABLE_MAX_KEY];
    size_t size;
    bool is_set;
};

struct reading {
    const uint8_t *bytes;
    size_t blocks_end; /* where the footer begins */
    const struct sorted_table_visitor *visitor;
    struct key last; /* of the data blocks so far */
    size_t num_entries;
    uint64_t next_offset; /* blocks lie at or after it */
};

/* A block that was checked. */
struct block {
    struct wire entries;
    struct wire restarts; /* 32 bits each: where an entry begins that shares no prefix */
    uint64_t offset;
};

/* Gets the entries of a block. */
typedef bool entry_reader(struct reading *reading, const struct key *key, struct wire value, struct error *error);

static bool read_handle(struct wire *wire, struct handle *handle)
{
    return wire_varint(wire, &handle->offset) && wire_varint(wire, &handle->size);
}

static int compare_keys(const struct key *a, const struct key *b)
{
    int order = memcmp(a->bytes, b->bytes, a->size < b->size ? a->size : b->size);
    return order != 0 ? order : a->size < b->size ? -1 : a->size > b->size;
}

static bool check_trailer(const uint8_t *block, uint64_t offset, size_t size, struct error *error)
{
    uint32_t stored = 0;
    struct wire checksum = wire_of(block + size + 1, TRAILER - 1);
    wire_fixed32(&checksum, &stored);
    if (stored != crc32c_masked(block, size + 1))
        return error_set(error, "the block at byte %" PRIu64 " does not match its checksum", offset);
    if (block[size] == SNAPPY)
        return error_set(
            error, "is compressed with Snappy, as only the first TensorFlow did; save it again with 1.2 or later");
    return block[size] == UNCOMPRESSED ||
           error_set(error, "the block at byte %" PRIu64 " is of an unknown type, %d", offset, block[size]);
}

/* Finds and checks a block that lies at or after `first`. */
static bool open_block(struct block *block, const struct reading *reading, const struct handle *handle, uint64_t first,
                       struct error *error)
{
    uint32_t num_restarts = 0;
    if (handle->offset < first || handle->offset > reading->blocks_end ||
        handle->size > reading->blocks_end - handle->offset ||
        reading->blocks_end - handle->offset - handle->size < TRAILER)
        return error_set(error, "a block of %" PRIu64 " bytes at byte %" PRIu64 " overlaps another or passes the end",
                         handle->size, handle->offset);
    const uint8_t *bytes = reading->bytes + handle->offset;
    size_t size = (size_t)handle->size;
    if (!check_trailer(bytes, handle->offset, size, error))
        return false;
    struct wire count = wire_of(bytes + (size < sizeof num_restarts ? 0 : size - sizeof num_restarts),
                                size < sizeof num_restarts ? 0 : sizeof num_restarts);
    if (!wire_fixed32(&count, &num_restarts) || num_restarts == 0 ||
        num_restarts > (size - sizeof num_restarts) / sizeof num_restarts)
        return error_set(error, "the block at byte %" PRIu64 " has no room for its %" PRIu32 " restarts",
                         handle->offset, num_restarts);
    size_t entries_size = size - sizeof num_restarts - num_restarts * sizeof num_restarts;
    block->entries = wire_of(bytes, entries_size);
    block->restarts = wire_of(bytes + entries_size, num_restarts * sizeof num_restarts);
    block->offset = handle->offset;
    return true;
}

/* An entry: sizes of the shared part of the key, of the rest and of the value, then the rest and the value. */
static bool read_entry(struct wire *entries, struct key *key, bool is_restart, struct wire *value)
{
    uint32_t shared, rest_size, value_size;
    const uint8_t *rest, *bytes;
    if (!wire_varint32(entries, &shared) || !wire_varint32(entries, &rest_size) ||
        !wire_varint32(entries, &value_size) || shared > key->size || (is_restart && shared != 0) ||
        rest_size > SORTED_TABLE_MAX_KEY - shared || !wire_bytes(entries, &rest, rest_size) ||
        !wire_bytes(entries, &bytes, value_size))
        return false;
    memcpy(key->bytes + shared, rest, rest_size);
    key->size = shared + rest_size;
    key->is_set = true;
    *value = wire_of(bytes, value_size);
    return true;
}

static bool read_entries(struct reading *reading, struct block *block, entry_reader *read, struct error *error)
{
    struct key key = {.size = 0};
    const uint8_t *begin = block->entries.at;
    uint32_t restart = 0;
    bool has_restart = wire_fixed32(&block->restarts, &restart);
    while (wire_left(&block->entries) > 0) {
        struct wire value;
        size_t at = (size_t)(block->entries.at - begin);
        bool is_restart = has_restart && at == restart;
        if (at == 0 && !is_restart)
            break;
        if (!read_entry(&block->entries, &key, is_restart, &value))
            return error_set(error, "the entry at byte %" PRIu64 " is not valid", block->offset + at);
        if (++reading->num_entries > SORTED_TABLE_MAX_ENTRIES)
            return error_set(error, "holds more than %d entries", SORTED_TABLE_MAX_ENTRIES);
        if (!read(reading, &key, value, error))
            return false;
        if (is_restart)
            has_restart = wire_fixed32(&block->restarts, &restart);
    }
    /* An empty block has one restart, at 0. */
    bool is_empty = block->entries.end == begin && has_restart && restart == 0 && wire_left(&block->restarts) == 0;
    return (wire_left(&block->entries) == 0 && !has_restart) || is_empty ||
           error_set(error, "a restart of the block at byte %" PRIu64 " is not where an entry begins", block->offset);
}

static bool read_data_entry(struct reading *reading, const struct key *key, struct wire value, struct error *error)
{
    if (reading->last.is_set && compare_keys(&reading->last, key) >= 0)
        return error_set(error, "keys do not ascend after \"%.*s\"", (int)reading->last.size,
                         (const char *)reading->last.bytes);
    reading->last = *key;
    return reading->visitor->visit(reading->visitor->context, key->bytes, key->size, value.at, wire_left(&value),
                                   error);
}

/* An entry of the index: a key that no key of its block is above, and the block's handle. */
static bool read_index_entry(struct reading *reading, const struct key *key, struct wire value, struct error *error)
{
    struct handle handle;
    struct block block;
    if (!read_handle(&value, &handle) || wire_left(&value) != 0)
        return error_set(error, "the index has an entry that is no block's place");
    if (!open_block(&block, reading, &handle, reading->next_offset, error))
        return false;
    reading->next_offset = handle.offset + handle.size + TRAILER;
    if (!read_entries(reading, &block, read_data_entry, error))
        return false;
    return !reading->last.is_set || compare_keys(&reading->last, key) <= 0 ||
           error_set(error, "the index does not fit the block at byte %" PRIu64, handle.offset);
}

static bool has_magic(const uint8_t *bytes, size_t size)
{
    uint64_t magic = 0;
    struct wire end = wire_of(bytes + size - sizeof magic, sizeof magic);
    return wire_fixed64(&end, &magic) && magic == MAGIC;
}

bool sorted_table_is(const uint8_t *bytes, size_t size)
{
    return size >= SORTED_TABLE_FOOTER && has_magic(bytes, size);
}

bool sorted_table_read(const uint8_t *bytes, size_t size, const struct sorted_table_visitor *visitor,
                       struct error *error)
{
    struct handle about, index;
    struct block block;
    if (!sorted_table_is(bytes, size))
        return error_set(error, "does not end as a sorted table does: not one, or cut off");
    struct reading reading = {.bytes = bytes, .blocks_end = size - SORTED_TABLE_FOOTER, .visitor = visitor};
    struct wire footer = wire_of(bytes + reading.blocks_end, SORTED_TABLE_FOOTER - sizeof(uint64_t));
    if (!read_handle(&footer, &about) || !read_handle(&footer, &index))
        return error_set(error, "its footer is damaged");
    if (!open_block(&block, &reading, &about, 0, error) || !open_block(&block, &reading, &index, 0, error))
        return false;
    /* Data come first, so nothing of theirs may reach into these. */
    reading.blocks_end = (size_t)(about.offset < index.offset ? about.offset : index.offset);
    return read_entries(&reading, &block, read_index_entry, error);
}
