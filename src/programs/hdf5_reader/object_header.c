#include "programs/hdf5_reader/object_header.h"

#include "base/little_endian.h"
#include "programs/hdf5_reader/descriptor_driver.h"

#include <stdlib.h>
#include <string.h>

enum {
    PREFIX_SIZE = 16,        /* of a header of version 1 */
    MESSAGE_HEAD_SIZE = 8,   /* of each message in it */
    ATTRIBUTE_HEAD_SIZE = 8, /* of an attribute; one byte more in version 3 */
    CLASS_MASK = 15,         /* of a datatype's first byte */
    VARIABLE_LENGTH_CLASS = 9,
    VARIABLE_LENGTH_SIZE = 16, /* bytes of an element of that class: its length, and where it is */
    DATATYPE_SIZE = 8,         /* of a datatype, at least */
    WIDTH = 8, /* of addresses and lengths in the file; HDF5 can be told otherwise when a file is made */
    CONTINUATION_SIZE = 2 * WIDTH,
    MAX_BLOCKS = 64,          /* that a header may consist of; ours have one or two */
    MAX_BLOCK_SIZE = 1 << 20, /* bytes; a message has 65,535 at most */
};

enum { DATATYPE_IS_SHARED = 1, DATASPACE_IS_SHARED = 2, MESSAGE_IS_SHARED = 2 };

enum { ATTRIBUTE_MESSAGE = 12, CONTINUATION_MESSAGE = 16 };

/* Where messages are stored. */
struct block {
    uint64_t address, size;
};

struct header {
    struct block blocks[MAX_BLOCKS];
    int num_blocks;
    uint64_t base; /* where the file's addresses begin */
};

/* The number of a dataspace's elements; negative where its sizes are not all in the `size` bytes. */
static double count_elements(const unsigned char *space, size_t size)
{
    enum { NULL_SPACE = 2 };
    size_t head = size > 0 && space[0] == 1 ? 8 : 4;
    if (size < head || (size - head) / WIDTH < space[1])
        return -1;
    double count = space[0] == 2 && space[3] == NULL_SPACE ? 0 : 1;
    for (size_t i = 0; i < space[1]; i++)
        count *= (double)little_endian(space + head + i * WIDTH, WIDTH);
    return count;
}

static size_t padded(size_t size, unsigned version)
{
    return version == 1 ? (size + 7) / 8 * 8 : size;
}

/* Whether an attribute's name, datatype, dataspace and value are all in its message. */
static bool attribute_fits(const unsigned char *message, size_t size)
{
    if (size < ATTRIBUTE_HEAD_SIZE)
        return false;
    unsigned version = message[0], flags = version == 1 ? 0 : message[1];
    size_t name = padded(little_endian(message + 2, 2), version), type = padded(little_endian(message + 4, 2), version);
    size_t space_size = little_endian(message + 6, 2), space = padded(space_size, version);
    size_t type_at = ATTRIBUTE_HEAD_SIZE + (version >= 3 ? 1u : 0u) + name, space_at = type_at + type;
    if (space_at + space > size || type < DATATYPE_SIZE || (flags & (DATATYPE_IS_SHARED | DATASPACE_IS_SHARED)))
        return false;
    double count = count_elements(message + space_at, space_size);
    uint64_t element_size = little_endian(message + type_at + 4, 4);
    if ((message[type_at] & CLASS_MASK) == VARIABLE_LENGTH_CLASS && element_size < VARIABLE_LENGTH_SIZE)
        element_size = VARIABLE_LENGTH_SIZE; /* whatever it claims */
    return count >= 0 && count * (double)element_size <= (double)(size - space_at - space);
}

static bool add_block(struct header *header, uint64_t address, uint64_t size)
{
    if (header->num_blocks == MAX_BLOCKS || size > MAX_BLOCK_SIZE)
        return false;
    header->blocks[header->num_blocks++] = (struct block){address, size};
    return true;
}

static bool check_messages(struct header *header, const unsigned char *bytes, size_t size)
{
    for (size_t at = 0; size - at >= MESSAGE_HEAD_SIZE;) {
        uint64_t kind = little_endian(bytes + at, 2), length = little_endian(bytes + at + 2, 2);
        bool is_shared = bytes[at + 4] & MESSAGE_IS_SHARED;
        const unsigned char *message = bytes + at + MESSAGE_HEAD_SIZE;
        at += MESSAGE_HEAD_SIZE;
        if (length > size - at)
            return false;
        at += length;
        if (kind == ATTRIBUTE_MESSAGE && (is_shared || !attribute_fits(message, length)))
            return false;
        if (kind == CONTINUATION_MESSAGE &&
            (length < CONTINUATION_SIZE ||
             !add_block(header, little_endian(message, WIDTH), little_endian(message + WIDTH, WIDTH))))
            return false;
    }
    return true;
}

static bool check_block(struct header *header, struct block block, const struct descriptor_file *source)
{
    unsigned char *bytes = malloc(block.size + 1);
    bool ok = bytes && block.address <= UINT64_MAX - header->base &&
              descriptor_file_read(source, header->base + block.address, (size_t)block.size, bytes) == 0 &&
              check_messages(header, bytes, (size_t)block.size);
    free(bytes);
    return ok;
}

/* The root group's address, relative to *base. */
static bool find_root(uint64_t *address, uint64_t *base, hid_t file)
{
#if H5_VERSION_GE(1, 12, 0)
    H5O_info1_t info;
#else
    H5O_info_t info;
#endif
    hsize_t user_block = 0;
    size_t address_size = 0, length_size = 0;
    hid_t properties = H5Fget_create_plist(file);
    bool ok = properties >= 0 && H5Pget_userblock(properties, &user_block) >= 0 &&
              H5Pget_sizes(properties, &address_size, &length_size) >= 0 && address_size == WIDTH &&
              length_size == WIDTH && H5Oget_info2(file, &info, H5O_INFO_BASIC) >= 0;
    if (properties >= 0)
        H5Pclose(properties);
    if (ok)
        *address = info.addr;
    *base = user_block;
    return ok;
}

bool object_header_check(hid_t file, struct error *error)
{
    const struct descriptor_file *source = descriptor_driver_file(file);
    enum { VERSION = 1, OFFSET_OF_SIZE = 8 };
    unsigned char prefix[PREFIX_SIZE];
    struct header header = {.num_blocks = 0};
    uint64_t address;
    if (!source || !find_root(&address, &header.base, file) || address > UINT64_MAX - header.base ||
        descriptor_file_read(source, header.base + address, sizeof prefix, prefix) != 0)
        return error_set(error, "the root group can't be read");
    if (prefix[0] != VERSION)
        return true;
    bool ok = add_block(&header, address + PREFIX_SIZE, little_endian(prefix + OFFSET_OF_SIZE, 4));
    for (int i = 0; ok && i < header.num_blocks; i++)
        ok = check_block(&header, header.blocks[i], source);
    return ok || error_set(error, "is damaged (an attribute does not fit into the root group's header)");
}
