/* Damages small models of other programs in some thousand ways, always the same ones, and takes each through reading and
 * importing (fuzz_import.c). What is looked for is what the sanitizers see. First the undamaged ones are imported. */
#include "base/crc32c.h"
#include "base/random.h"
#include "exchange/file_source.h"
#include "exchange/model_import.h"
#include "exchange/naming.h"
#include "exchange/safetensors_reader.h"
#include "exchange/tensorflow_bundle.h"
#include "exchange/wire.h"
#include "tests/exchange/fuzz_import.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <stdlib.h>

enum { INPUT_BYTES = 1 << 15, MUTANTS = 4000 };

struct bytes {
    uint8_t at[INPUT_BYTES];
    size_t size;
};

static void put(struct bytes *bytes, const void *more, size_t size)
{
    assert_true(bytes->size + size <= INPUT_BYTES);
    memcpy(bytes->at + bytes->size, more, size);
    bytes->size += size;
}

static void put_byte(struct bytes *bytes, size_t value)
{
    uint8_t byte = (uint8_t)value;
    put(bytes, &byte, 1);
}

static void put_varint(struct bytes *bytes, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put_byte(bytes, (value & 0x7f) | 0x80);
    put_byte(bytes, value);
}

static void put_fixed32(struct bytes *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        put_byte(bytes, value >> 8 * i & 0xff);
}

static void put_text(struct bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put_text(struct bytes *bytes, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf((char *)bytes->at + bytes->size, INPUT_BYTES - bytes->size, format, arguments);
    va_end(arguments);
    assert_true(length >= 0 && (size_t)length < INPUT_BYTES - bytes->size);
    bytes->size += (size_t)length;
}

/* The smallest model whose config is seen from its tensors. */
static void make_naming(struct naming *naming)
{
    struct hparams hparams;
    struct error error;
    assert_ok(hparams_make(&hparams, config_find("groovae_4bar", &error), "enc_rnn_size=[1],dec_rnn_size=[2],z_size=3",
                           &error),
              error);
    assert_ok(naming_make(naming, &hparams, true, &error), error);
}

static size_t count_of(const struct naming *naming, int row)
{
    return magenta_variable_count(&naming->names.variables[row]);
}

/* "[2,3]" */
static void put_shape(struct bytes *bytes, const struct naming *naming, int row)
{
    int num_dims, dims[2];
    naming_shape(&num_dims, dims, naming, row);
    if (num_dims == 1)
        put_text(bytes, "[%d]", dims[0]);
    else
        put_text(bytes, "[%d,%d]", dims[0], dims[1]);
}

static void put_values(struct bytes *bytes, const struct naming *naming, int row)
{
    for (size_t i = 0; i < count_of(naming, row); i++) {
        float value = (float)(row + 1) / 16 + (float)i;
        put(bytes, &value, sizeof value);
    }
}

static void start_input(struct bytes *input, enum fuzz_kind kind, size_t first)
{
    input->size = 0;
    put_byte(input, kind);
    put_byte(input, first & 0xff);
    put_byte(input, first >> 8);
}

static void make_safetensors(struct bytes *input)
{
    struct naming naming;
    struct bytes header = {.size = 0}, values = {.size = 0};
    make_naming(&naming);
    for (int i = 0; i < naming.table.num_rows; i++) {
        size_t begin = values.size;
        put_values(&values, &naming, i);
        put_text(&header, "%c\"%s\":{\"dtype\":\"F32\",\"shape\":", i == 0 ? '{' : ',', naming_name(&naming, i));
        put_shape(&header, &naming, i);
        put_text(&header, ",\"data_offsets\":[%zu,%zu]}", begin, values.size);
    }
    put_text(&header, "}");
    start_input(input, FUZZ_SAFETENSORS, 0);
    put_fixed32(input, (uint32_t)header.size);
    put_fixed32(input, 0);
    put(input, header.at, header.size);
    put(input, values.at, values.size);
}

static void make_magenta_js(struct bytes *input)
{
    struct naming naming;
    struct bytes manifest = {.size = 0}, values = {.size = 0};
    make_naming(&naming);
    put_text(&manifest, "[{\"paths\":[\"b\"],\"weights\":[");
    for (int i = 0; i < naming.table.num_rows; i++) {
        put_text(&manifest, "%s{\"name\":\"%s\",\"dtype\":\"float32\",\"shape\":", i == 0 ? "" : ",",
                 naming_name(&naming, i));
        put_shape(&manifest, &naming, i);
        put_text(&manifest, ",\"quantization\":{\"dtype\":\"uint%d\",\"scale\":0.5,\"min\":-1}}", i % 2 ? 8 : 16);
        for (size_t k = 0; k < count_of(&naming, i) * (i % 2 ? 1 : 2); k++)
            put_byte(&values, 'a' + k % 16);
    }
    put_text(&manifest, "]}]");
    start_input(input, FUZZ_MAGENTA_JS, manifest.size);
    put(input, manifest.at, manifest.size);
    put(input, values.at, values.size);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct magenta_variable *)a)->name, ((const struct magenta_variable *)b)->name);
}

static void put_field_bytes(struct bytes *bytes, int number, const struct bytes *inside)
{
    put_varint(bytes, (uint64_t)number << 3 | WIRE_BYTES);
    put_varint(bytes, inside->size);
    put(bytes, inside->at, inside->size);
}

static void put_field(struct bytes *bytes, int number, uint64_t value)
{
    put_varint(bytes, (uint64_t)number << 3);
    put_varint(bytes, value);
}

static void put_dim(struct bytes *shape, int size)
{
    struct bytes dim = {.size = 0};
    put_field(&dim, 1, (uint64_t)size);
    put_field_bytes(shape, 2, &dim);
}

/* A BundleEntryProto of the variable, whose values are appended. */
static void make_entry(struct bytes *entry, struct bytes *values, const struct magenta_variable *variable)
{
    struct bytes shape = {.size = 0};
    size_t begin = values->size;
    for (size_t i = 0; i < magenta_variable_count(variable); i++) {
        float value = (float)i / 4;
        put(values, &value, sizeof value);
    }
    if (variable->num_dims == 2)
        put_dim(&shape, variable->rows);
    put_dim(&shape, variable->columns);
    entry->size = 0;
    put_field(entry, 1, 1);
    put_field_bytes(entry, 2, &shape);
    put_field(entry, 4, begin);
    put_field(entry, 5, values->size - begin);
    put_varint(entry, 6 << 3 | WIRE_FIXED32);
    put_fixed32(entry, crc32c_masked(values->at + begin, values->size - begin));
}

static void make_bundle(struct bytes *input)
{
    enum { RESTART_INTERVAL = 5 };
    static const uint8_t header[] = {0, 0, 2, 1 << 3, 1};
    struct naming naming;
    struct bytes block = {.size = 0}, values = {.size = 0}, restarts = {.size = 0}, entry;
    const char *last = "";
    make_naming(&naming);
    qsort(naming.names.variables, (size_t)naming.names.count, sizeof *naming.names.variables, compare_names);
    put(&block, header, sizeof header);
    put_fixed32(&restarts, 0);
    for (int i = 0; i < naming.names.count; i++) {
        const char *name = naming.names.variables[i].name;
        size_t shared = 0;
        make_entry(&entry, &values, &naming.names.variables[i]);
        if (i % RESTART_INTERVAL == RESTART_INTERVAL - 1)
            put_fixed32(&restarts, (uint32_t)block.size);
        else
            while (name[shared] != '\0' && name[shared] == last[shared])
                shared++;
        put_varint(&block, shared);
        put_varint(&block, strlen(name) - shared);
        put_varint(&block, entry.size);
        put(&block, name + shared, strlen(name) - shared);
        put(&block, entry.at, entry.size);
        last = name;
    }
    put_fixed32(&restarts, (uint32_t)(restarts.size / 4));
    put(&block, restarts.at, restarts.size);
    start_input(input, FUZZ_BLOCK, block.size);
    put(input, block.at, block.size);
    put(input, values.at, values.size);
}

/* The same with the table around the block. */
static void make_table(struct bytes *input)
{
    struct bytes bundle;
    uint8_t *table = malloc(FUZZ_MAX_TABLE);
    assert_non_null(table);
    make_bundle(&bundle);
    size_t block_size = (size_t)(bundle.at[1] | bundle.at[2] << 8);
    size_t size = fuzz_import_table(table, bundle.at + 3, block_size);
    start_input(input, FUZZ_TABLE, size);
    put(input, table, size);
    put(input, bundle.at + 3 + block_size, bundle.size - 3 - block_size);
    free(table);
}

/* A tar of one empty file: its header and two blocks of zeros. */
static void make_archive(struct bytes *input)
{
    uint8_t header[512] = "a.index";
    unsigned sum = 8 * ' ';
    memcpy(header + 100, "0000644", 8);
    memcpy(header + 124, "00000000003", 12);
    header[156] = '0';
    memcpy(header + 257, "ustar\00000", 8);
    for (size_t i = 0; i < sizeof header; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
    header[155] = ' ';
    start_input(input, FUZZ_ARCHIVE, 0);
    put(input, header, sizeof header);
    memset(header, 0, sizeof header);
    memcpy(header, "abc", 3);
    for (int i = 0; i < 3; i++) {
        put(input, header, sizeof header);
        memset(header, 0, 3);
    }
}

static void check_import(struct foreign_tensors *tensors)
{
    struct error error;
    struct model_import import;
    assert_ok(model_import_make(&import, tensors, NULL, NULL, &error), error);
    assert_string_equal(import.checkpoint.config, "groovae_4bar");
    assert_int_equal(import.checkpoint.hparams.z_size, 3);
    assert_true(import.is_guessed);
    model_import_free(&import);
    foreign_tensors_free(tensors);
}

static uint8_t *copy_of(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

static void test_undamaged(void **state)
{
    struct error error;
    struct bytes input;
    struct foreign_tensors tensors = {0};
    char *folder = *state, *index = path_join(folder, "a.index"), *data = path_join(folder, "a.data-00000-of-00001");
    struct file_source source;
    make_safetensors(&input);
    assert_ok(safetensors_read(&tensors, copy_of(input.at + 3, input.size - 3), input.size - 3, &error), error);
    check_import(&tensors);

    make_table(&input);
    size_t size = (size_t)(input.at[1] | input.at[2] << 8);
    assert_ok(file_write(index, index, input.at + 3, size, &error), error);
    assert_ok(file_write(data, data, input.at + 3 + size, input.size - 3 - size, &error), error);
    assert_ok(file_source_open_folder(&source, folder, &error), error);
    assert_ok(tensorflow_bundle_read(&tensors, &source, "a.index", &error), error);
    check_import(&tensors);
    file_source_close(&source);

    make_archive(&input);
    assert_ok(file_write(index, index, input.at + 3, input.size - 3, &error), error);
    assert_ok(file_source_open_archive(&source, index, &error), error);
    assert_int_equal(source.count, 1);
    assert_int_equal(source.files[0].size, 3);
    file_source_close(&source);
    free(index);
    free(data);
}

static void mutate(struct bytes *input, struct random_stream *stream)
{
    static const uint8_t telling[] = {0, 1, 2, 0x7f, 0x80, 0xff, '9', '-', '"', '{', ']', '/'};
    size_t place = 3 + random_below(stream, (uint32_t)(input->size - 3));
    switch (random_below(stream, 5)) {
    case 0:
        input->at[place] = telling[random_below(stream, sizeof telling)];
        break;
    case 1:
        input->at[place] ^= (uint8_t)(1U << random_below(stream, 8));
        break;
    case 2:
        input->size = random_below(stream, 8) == 0 ? place + 1 : input->size;
        break;
    case 3:
        memmove(input->at + place, input->at + place + 1, input->size - place - 1);
        input->size -= input->size > 8;
        break;
    default:
        if (input->size < INPUT_BYTES) {
            memmove(input->at + place + 1, input->at + place, input->size - place);
            input->at[place] = telling[random_below(stream, sizeof telling)];
            input->size++;
        }
    }
}

static void test_mutations(void **state)
{
    static void (*const seeds[])(struct bytes *) = {make_safetensors, make_magenta_js, make_bundle, make_table,
                                                    make_archive};
    (void)state;
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        struct bytes seed;
        seeds[i](&seed);
        LLVMFuzzerTestOneInput(seed.at, seed.size);
        int count = seeds[i] == make_archive ? MUTANTS / 8 : MUTANTS;
        for (int k = 0; k < count; k++) {
            struct random_stream stream;
            struct bytes mutant = seed;
            random_stream_start(&stream, 15, RANDOM_DRUMMER, (uint32_t)i, (uint32_t)k);
            int times = 1 + (int)random_below(&stream, 3);
            for (int m = 0; m < times; m++)
                mutate(&mutant, &stream);
            LLVMFuzzerTestOneInput(mutant.at, mutant.size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_undamaged, scratch_set_up, scratch_tear_down),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
