#include "base/hdf5/reader_internal.h"

#include <stdlib.h>
#include <string.h>

/* Deflate shrinks by 1032 at most (zlib's documentation): more than that times the file can't be in it, whatever its reader says, and
 * nobody takes memory for it. */
static bool can_hold(const struct hdf5_reader *file, double bytes)
{
    enum { DEFLATE_RATIO = 1100 };
    return bytes <= (double)file->file_size * DEFLATE_RATIO;
}

/* A request about a dataset of these dimensions; `dims` may be NULL. */
static struct hdf5_request *prepare(struct hdf5_reader *file, enum hdf5_request_kind kind, const char *name,
                                    int num_dims, const hsize_t *dims, struct error *error)
{
    struct hdf5_request *request = hdf5_reader_prepare(file, kind, name, error);
    if (request && (num_dims < 0 || num_dims > HDF5_REQUEST_DIMENSIONS)) {
        hdf5_reader_refuse(file, name, "has too many dimensions", error);
        return NULL;
    }
    if (request) {
        request->num_dims = num_dims;
        for (int i = 0; i < num_dims && dims; i++)
            request->dims[i] = dims[i];
    }
    return request;
}

bool hdf5_dataset_dims(hsize_t *dims, struct hdf5_reader *file, const char *name, int num_dims, struct error *error)
{
    uint64_t found[HDF5_REQUEST_DIMENSIONS];
    size_t size = (size_t)num_dims * sizeof *found;
    if (!prepare(file, HDF5_ASK_DIMS, name, num_dims, NULL, error) || !hdf5_reader_ask(file, size, error))
        return false;
    if (file->answer.size != size)
        return hdf5_reader_refuse(file, name, "its sizes are not all there", error);
    if (!hdf5_reader_take(file, found, size, error))
        return false;
    double num_elements = 1;
    for (int i = 0; i < num_dims; i++) {
        dims[i] = found[i];
        num_elements *= (double)found[i];
    }
    return can_hold(file, num_elements) ||
           hdf5_reader_refuse(file, name, "claims to be larger than what is stored can hold", error);
}

uint64_t hdf5_element_size(struct hdf5_reader *file, const char *name, int num_dims)
{
    struct error ignored;
    hsize_t dims[HDF5_REQUEST_DIMENSIONS];
    return hdf5_dataset_dims(dims, file, name, num_dims, &ignored) ? file->answer.value : 0;
}

/* file->request asks for `count` rows of `row_size` bytes from its `first` on: asks until all have come. The helper reads the next
 * rows while those that it has read are copied. */
static bool take_rows(void *data, struct hdf5_reader *file, const char *name, size_t row_size, uint64_t count,
                      struct error *error)
{
    struct hdf5_request *request = &file->request;
    unsigned char *to = data;
    if (row_size > HDF5_AREA_SIZE)
        return hdf5_reader_refuse(file, name, "has rows that are too large", error);
    request->count = count;
    if (!hdf5_reader_send(file, error)) /* also for no rows, to know that they are there */
        return false;
    do {
        uint64_t room = row_size > 0 ? HDF5_AREA_SIZE / row_size : count, most = count < room ? count : room;
        if (!hdf5_reader_receive(file, (size_t)most * row_size, error))
            return false;
        size_t size = (size_t)file->answer.size;
        uint64_t num_rows = row_size > 0 ? size / row_size : count;
        if ((row_size > 0 && size % row_size != 0) || (num_rows == 0 && count > 0))
            return hdf5_reader_refuse(file, name, "some of its rows are not all there", error);
        count -= num_rows;
        request->first += num_rows;
        request->count = count;
        request->area = (request->area + 1) % HDF5_NUM_AREAS;
        if ((count > 0 && !hdf5_reader_send(file, error)) || !hdf5_reader_take(file, to, size, error))
            return false;
        to += size;
    } while (count > 0);
    return true;
}

/* Bytes of a row in memory; a scalar is a row. 0 where they would be too many to count. */
static bool size_of_row(size_t *size, enum hdf5_element element, int num_dims, const hsize_t *dims)
{
    *size = element == HDF5_UINT8 ? sizeof(uint8_t) : element == HDF5_UINT64 ? sizeof(uint64_t) : sizeof(float);
    for (int i = 1; i < num_dims; i++) {
        if (dims[i] > HDF5_AREA_SIZE)
            return false;
        *size *= (size_t)dims[i];
        if (*size > HDF5_AREA_SIZE)
            return false;
    }
    return true;
}

bool hdf5_read_rows(void *data, struct hdf5_reader *file, const char *name, enum hdf5_element element, int num_dims,
                    const hsize_t *dims, hsize_t first, hsize_t count, struct error *error)
{
    size_t row_size;
    struct hdf5_request *request = prepare(file, HDF5_ASK_ROWS, name, num_dims, dims, error);
    if (!request)
        return false;
    if (!size_of_row(&row_size, element, num_dims, dims))
        return hdf5_reader_refuse(file, name, "has rows that are too large", error);
    request->element = element;
    request->first = first;
    return take_rows(data, file, name, row_size, count, error);
}

bool hdf5_read_dataset(void *data, struct hdf5_reader *file, const char *name, enum hdf5_element element, int num_dims,
                       const hsize_t *dims, struct error *error)
{
    return hdf5_read_rows(data, file, name, element, num_dims, dims, 0, num_dims > 0 ? dims[0] : 1, error);
}

bool hdf5_check_floats(struct hdf5_reader *file, const char *name, int num_dims, const hsize_t *dims,
                       struct error *error)
{
    return prepare(file, HDF5_ASK_FLOATS, name, num_dims, dims, error) && hdf5_reader_ask(file, 0, error);
}

bool hdf5_read_floats(float *data, struct hdf5_reader *file, const char *name, int num_dims, const hsize_t *dims,
                      struct error *error)
{
    return hdf5_read_dataset(data, file, name, HDF5_FLOATS, num_dims, dims, error);
}

static struct hdf5_request *prepare_table(struct hdf5_reader *file, enum hdf5_request_kind kind, const char *name,
                                          const struct hdf5_member *members, int count, struct error *error)
{
    struct hdf5_request *request = prepare(file, kind, name, 1, NULL, error);
    for (int i = 0; request && i < count; i++) {
        if (count > HDF5_MAX_MEMBERS || strlen(members[i].name) >= HDF5_MEMBER_NAME_SIZE ||
            members[i].size > UINT32_MAX || members[i].offset > UINT32_MAX) {
            hdf5_reader_refuse(file, name, "has too many or too large columns", error);
            return NULL;
        }
        memcpy(request->members[i].name, members[i].name, strlen(members[i].name));
        request->members[i].type = members[i].type;
        request->members[i].offset = (uint32_t)members[i].offset;
        request->members[i].size = (uint32_t)members[i].size;
        request->num_members = (uint32_t)count;
    }
    return request;
}

bool hdf5_table_layout(uint64_t *sizes, struct hdf5_reader *file, const char *name, const struct hdf5_member *members,
                       int count, struct error *error)
{
    size_t size = (size_t)count * sizeof *sizes;
    if (!prepare_table(file, HDF5_ASK_LAYOUT, name, members, count, error) || !hdf5_reader_ask(file, size, error))
        return false;
    if (file->answer.size != size)
        return hdf5_reader_refuse(file, name, "its columns are not all there", error);
    return hdf5_reader_take(file, sizes, size, error);
}

bool hdf5_read_table(void *rows, size_t row_size, size_t num_rows, struct hdf5_reader *file, const char *name,
                     const struct hdf5_member *members, int count, struct error *error)
{
    struct hdf5_request *request = prepare_table(file, HDF5_ASK_TABLE, name, members, count, error);
    if (!request)
        return false;
    if (row_size > HDF5_AREA_SIZE)
        return hdf5_reader_refuse(file, name, "has rows that are too large", error);
    if (!can_hold(file, (double)num_rows))
        return hdf5_reader_refuse(file, name, "claims to be larger than what is stored can hold", error);
    request->dims[0] = num_rows;
    request->row_size = (uint32_t)row_size;
    return take_rows(rows, file, name, row_size, num_rows, error);
}

/* Judges what is in `text`: pairs of names, each ended by a NUL. *count: how many. */
static bool judge_sources(uint64_t *count, char *text, size_t size, const char *name,
                          bool (*is_allowed)(const char *file_name, void *context), void *context)
{
    const char *end = text + size;
    *count = 0;
    for (const char *source = text; source < end; ++*count) {
        const char *dataset = source + strlen(source) + 1;
        if (dataset >= end || !is_allowed(source, context) ||
            strcmp(dataset + (*dataset == '/'), name + (*name == '/')) != 0)
            return false;
        source = dataset + strlen(dataset) + 1;
    }
    return *count > 0;
}

bool hdf5_check_sources(struct hdf5_reader *file, const char *name,
                        bool (*is_allowed)(const char *file_name, void *context), void *context, struct error *error)
{
    enum { TEXT_SIZE = HDF5_TEXT_MAX, MAX_SOURCES = 1 << 20 };
    struct hdf5_request *request = hdf5_reader_prepare(file, HDF5_ASK_SOURCES, name, error);
    char *text = malloc(TEXT_SIZE + 1);
    uint64_t count;
    bool ok = request && (text || error_set_no_memory(error, "%s: out of memory", file->path));
    do {
        ok = ok && hdf5_reader_ask(file, TEXT_SIZE, error) &&
             hdf5_reader_take(file, text, (size_t)file->answer.size, error);
        if (ok && file->answer.value > MAX_SOURCES)
            ok = hdf5_reader_refuse(file, name, "is a virtual dataset over too many others", error);
        if (!ok || file->request.first >= file->answer.value)
            break;
        text[file->answer.size] = '\0';
        ok = judge_sources(&count, text, (size_t)file->answer.size, name, is_allowed, context) ||
             hdf5_reader_refuse(file, name, "is a virtual dataset over other files than the shards of its folder",
                                error);
        file->request.first += ok ? count : 0;
    } while (ok);
    free(text);
    return ok;
}
