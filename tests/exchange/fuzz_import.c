/* libFuzzer target: any bytes as a model of another program, read and imported.
 *
 * Built with clang and -DDRUMLINE_FUZZ=ON; run as `fuzz_import -max_len=4096 CORPUS_FOLDER`. The first byte chooses what the rest
 * is. Checksums would keep a fuzzer out, so it is given blocks of a table, which get theirs here. */
#include "tests/exchange/fuzz_import.h"

#include "base/crc32c.h"
#include "base/io/files.h"
#include "base/text.h"
#include "exchange/file_source.h"
#include "exchange/magenta_js_reader.h"
#include "exchange/model_import.h"
#include "exchange/safetensors_reader.h"
#include "exchange/sorted_table.h"
#include "exchange/tensorflow_bundle.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILE = 1 << 16, MAX_VALUES = 1 << 16 };

static uint8_t *copy_of(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    if (!copy)
        abort();
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = 0;
    return copy;
}

/* A source as file_source_open_archive makes one. */
static void add_file(struct file_source *source, const char *name, uint8_t *bytes, size_t size)
{
    source->files = realloc(source->files, (source->count + 1) * sizeof *source->files);
    if (!source->files)
        abort();
    source->files[source->count++] = (struct source_file){format_text("%s", name), bytes, size};
}

/* All values can be read that are said to be there, and an import of them ends. */
static void use(struct foreign_tensors *tensors)
{
    struct error error;
    struct model_import import;
    for (size_t i = 0; i < tensors->count; i++) {
        const struct foreign_tensor *tensor = &tensors->rows[i];
        if (tensor->type == FOREIGN_OTHER || tensor->count > MAX_VALUES)
            continue;
        float *values = malloc((tensor->count + 1) * sizeof *values);
        if (!values)
            abort();
        foreign_tensor_read(values, tensor, &error);
        free(values);
    }
    if (model_import_make(&import, tensors, NULL, NULL, &error))
        model_import_free(&import);
}

static void put_varint(uint8_t *bytes, size_t *size, size_t value)
{
    for (; value >= 0x80; value >>= 7)
        bytes[(*size)++] = (uint8_t)(value | 0x80);
    bytes[(*size)++] = (uint8_t)value;
}

static void put_fixed32(uint8_t *bytes, size_t *size, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[(*size)++] = (uint8_t)(value >> 8 * i);
}

/* Appends a block with its trailer, and its handle to `handles`. */
static void put_block(uint8_t *table, size_t *size, const uint8_t *block, size_t block_size, uint8_t *handle,
                      size_t *handle_size)
{
    put_varint(handle, handle_size, *size);
    put_varint(handle, handle_size, block_size);
    memcpy(table + *size, block, block_size);
    table[*size + block_size] = 0;
    uint32_t checksum = crc32c_masked(table + *size, block_size + 1);
    *size += block_size + 1;
    put_fixed32(table, size, checksum);
}

size_t fuzz_import_table(uint8_t table[FUZZ_MAX_TABLE], const uint8_t *block, size_t block_size)
{
    static const uint8_t magic[] = {0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};
    static const uint8_t empty[] = {0, 0, 0, 0, 1, 0, 0, 0};
    uint8_t handle[24], index[128], footer[40] = {0};
    size_t size = 0, handle_size = 0, index_size = 0, footer_size = 0;
    put_block(table, &size, block, block_size, handle, &handle_size);
    put_block(table, &size, empty, sizeof empty, footer, &footer_size);
    const size_t key_size = 8; /* "\xff..." is after all names */
    index[index_size++] = 0;
    index[index_size++] = (uint8_t)key_size;
    index[index_size++] = (uint8_t)handle_size;
    memset(index + index_size, 0xff, key_size);
    memcpy(index + index_size + key_size, handle, handle_size);
    index_size += key_size + handle_size;
    put_fixed32(index, &index_size, 0);
    put_fixed32(index, &index_size, 1);
    put_block(table, &size, index, index_size, footer, &footer_size);
    memcpy(table + size, footer, sizeof footer);
    memcpy(table + size + sizeof footer, magic, sizeof magic);
    return size + sizeof footer + sizeof magic;
}

static void read_bundle(uint8_t *index, size_t index_size, const uint8_t *values, size_t values_size)
{
    struct error error;
    struct foreign_tensors tensors = {0};
    struct file_source source = {.path = format_text("fuzz"), .is_archive = true};
    add_file(&source, "a.index", index, index_size);
    add_file(&source, "a.data-00000-of-00001", copy_of(values, values_size), values_size);
    if (tensorflow_bundle_read(&tensors, &source, "a.index", &error))
        use(&tensors);
    foreign_tensors_free(&tensors);
    file_source_close(&source);
}

static void read_magenta_js(const uint8_t *manifest, size_t manifest_size, const uint8_t *values, size_t values_size)
{
    struct error error;
    struct foreign_tensors tensors = {0};
    struct file_source source = {.path = format_text("fuzz"), .is_archive = true};
    add_file(&source, "a/weights_manifest.json", copy_of(manifest, manifest_size), manifest_size);
    add_file(&source, "a/config.json", copy_of(values, values_size), values_size);
    add_file(&source, "a/b", copy_of(values, values_size), values_size);
    if (magenta_js_read(&tensors, &source, "a/weights_manifest.json", &error))
        use(&tensors);
    foreign_tensors_free(&tensors);
    file_source_close(&source);
}

static void read_safetensors(const uint8_t *bytes, size_t size)
{
    struct error error;
    struct foreign_tensors tensors = {0};
    if (safetensors_read(&tensors, copy_of(bytes, size), size, &error))
        use(&tensors);
    foreign_tensors_free(&tensors);
}

static void read_archive(const uint8_t *bytes, size_t size)
{
    struct error error;
    struct file_source source;
    char path[] = "/tmp/drumline-fuzz-XXXXXX";
    int descriptor = mkstemp(path);
    if (descriptor < 0 || write(descriptor, bytes, size) != (ssize_t)size)
        abort();
    close(descriptor);
    if (file_source_open_archive(&source, path, &error))
        file_source_close(&source);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *table;
    if (size < 3 || size > MAX_FILE)
        return 0;
    size_t first = (size_t)(bytes[1] | bytes[2] << 8);
    const uint8_t *rest = bytes + 3;
    size -= 3;
    first = first < size ? first : size;
    switch ((enum fuzz_kind)(bytes[0] % FUZZ_NUM_KINDS)) {
    case FUZZ_BLOCK:
        table = malloc(FUZZ_MAX_TABLE);
        if (!table)
            abort();
        read_bundle(table, fuzz_import_table(table, rest, first), rest + first, size - first);
        break;
    case FUZZ_TABLE:
        read_bundle(copy_of(rest, first), first, rest + first, size - first);
        break;
    case FUZZ_MAGENTA_JS:
        read_magenta_js(rest, first, rest + first, size - first);
        break;
    case FUZZ_SAFETENSORS:
        read_safetensors(rest, size);
        break;
    case FUZZ_ARCHIVE:
        read_archive(rest, size);
        break;
    case FUZZ_NUM_KINDS:
        break;
    }
    return 0;
}
