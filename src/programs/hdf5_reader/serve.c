#include "programs/hdf5_reader/serve.h"

#include "base/hdf5/hdf5.h"
#include "programs/hdf5_reader/attributes.h"
#include "programs/hdf5_reader/dataset.h"
#include "programs/hdf5_reader/descriptor_driver.h"
#include "programs/hdf5_reader/object_header.h"
#include "programs/hdf5_reader/storage.h"
#include "programs/hdf5_reader/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What HDF5 takes for the file's name. Messages begin with it, and leave without it: whoever asked knows the name. */
#define FILE_NAME "file"

/* Rows that are unpacked at once still lie in the processor's cache when they are copied. */
enum { PART_SIZE = 2 << 20 };

struct server {
    struct descriptor_file source;
    hid_t file;
    struct dataset dataset; /* the last that was asked for, kept open */
    unsigned char *area;    /* [HDF5_AREA_SIZE], of the window, for the answer's values */
};

static bool open_file(struct server *server, struct error *error)
{
    hid_t properties = hdf5_access_properties();
    if (properties < 0 || !descriptor_driver_set(properties, &server->source))
        return error_set(error, FILE_NAME ": no memory to open it");
    server->file = H5Fopen(FILE_NAME, H5F_ACC_RDONLY, properties);
    if (server->file < 0)
        hdf5_fail(error, FILE_NAME, "is not an HDF5 file, or is damaged");
    H5Pclose(properties);
    if (server->file < 0)
        return false;
    struct error reason;
    return object_header_check(server->file, &reason) || error_set(error, FILE_NAME ": %s", reason.message);
}

/* `size` bytes of the answer. */
static bool put(struct server *server, struct hdf5_answer *answer, const void *bytes, size_t size, const char *name,
                struct error *error)
{
    if (size > HDF5_AREA_SIZE)
        return hdf5_refuse_at(error, server->file, name, "is too large");
    memcpy(server->area, bytes, size);
    answer->size = size;
    return true;
}

static bool answer_string(struct server *server, struct hdf5_answer *answer, const struct hdf5_request *request,
                          struct error *error)
{
    char *text;
    if (!direct_read_string(&text, server->file, request->name, error))
        return false;
    bool ok = strlen(text) <= HDF5_TEXT_MAX
                  ? put(server, answer, text, strlen(text), request->name, error)
                  : hdf5_refuse_at(error, server->file, request->name, "the attribute's string is too long");
    free(text);
    return ok;
}

static bool answer_ints(struct server *server, struct hdf5_answer *answer, const struct hdf5_request *request,
                        struct error *error)
{
    int64_t values[SETTING_LIST_MAX];
    size_t count = 0, most = request->count < SETTING_LIST_MAX ? (size_t)request->count : SETTING_LIST_MAX;
    return direct_read_ints(values, most, &count, server->file, request->name, error) &&
           put(server, answer, values, count * sizeof *values, request->name, error);
}

static bool answer_double(struct server *server, struct hdf5_answer *answer, const struct hdf5_request *request,
                          struct error *error)
{
    double value;
    return direct_read_double(&value, server->file, request->name, error) &&
           put(server, answer, &value, sizeof value, request->name, error);
}

/* A link on the way must be asked for first. */
static bool has_object(hid_t file, char name[HDF5_REQUEST_NAME_SIZE])
{
    for (char *slash = strchr(name + (*name == '/'), '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool found = H5Lexists(file, name, H5P_DEFAULT) > 0;
        *slash = '/';
        if (!found)
            return false;
    }
    return H5Lexists(file, name, H5P_DEFAULT) > 0;
}

/* Has server->dataset be the one that is asked for. */
static bool take_dataset(struct server *server, const struct hdf5_request *request, struct error *error)
{
    struct dataset *dataset = &server->dataset;
    if (dataset->id >= 0 && dataset->num_dims == request->num_dims && strcmp(dataset->name, request->name) == 0)
        return true;
    dataset_close(dataset);
    return dataset_open(dataset, server->file, request->name, request->num_dims, error);
}

static bool answer_dims(struct server *server, struct hdf5_answer *answer, const struct hdf5_request *request,
                        struct error *error)
{
    uint64_t dims[HDF5_MAX_DIMENSIONS];
    if (!take_dataset(server, request, error))
        return false;
    for (int i = 0; i < server->dataset.num_dims; i++)
        dims[i] = server->dataset.dims[i];
    answer->value = H5Tget_size(server->dataset.type);
    return put(server, answer, dims, (size_t)server->dataset.num_dims * sizeof *dims, request->name, error);
}

/* Takes the dataset, whose sizes must be those that are asked for. */
static bool take_sized(struct server *server, const struct hdf5_request *request, struct error *error)
{
    hsize_t dims[HDF5_MAX_DIMENSIONS];
    for (int i = 0; i < HDF5_MAX_DIMENSIONS; i++)
        dims[i] = request->dims[i];
    return take_dataset(server, request, error) && dataset_check_sizes(&server->dataset, server->file, dims, error);
}

/* Rows of row_size bytes in memory, as many of those asked for as make a part. */
static bool read_part(struct server *server, struct hdf5_answer *answer, const struct hdf5_request *request, hid_t type,
                      size_t row_size, struct error *error)
{
    struct dataset *dataset = &server->dataset;
    if (row_size > HDF5_AREA_SIZE)
        return hdf5_refuse_at(error, server->file, request->name, "has rows that are too large");
    hsize_t stored_size = dataset_row_size(dataset), larger = row_size > stored_size ? row_size : stored_size;
    hsize_t chunk_rows = dataset->chunks.dims[0];
    hsize_t max_rows = larger == 0 ? request->count : larger > PART_SIZE ? 1 : PART_SIZE / larger;
    if (chunk_rows > max_rows && larger > 0 && chunk_rows <= HDF5_AREA_SIZE / larger)
        max_rows = chunk_rows;
    hsize_t count = dataset_part(dataset, request->first, request->count, max_rows);
    answer->size = count * row_size;
    return dataset_check_rows(dataset, server->file, request->first, request->count, error) &&
           dataset_read(server->area, dataset, server->file, type, request->first, count, error);
}

static bool answer_rows(struct server *server, struct hdf5_answer *answer, const struct hdf5_request *request,
                        struct error *error)
{
    const struct dataset *dataset = &server->dataset;
    hid_t type = request->element == HDF5_UINT8    ? H5T_NATIVE_UINT8
                 : request->element == HDF5_UINT64 ? H5T_NATIVE_UINT64
                                                   : H5T_NATIVE_FLOAT;
    if (!take_sized(server, request, error) ||
        !(request->element == HDF5_FLOATS ? dataset_check_floats(dataset, server->file, error)
                                          : dataset_check_type(dataset, server->file, type, error)))
        return false;
    size_t row_size = H5Tget_size(type);
    for (int i = 1; i < dataset->num_dims; i++) {
        if (dataset->dims[i] > HDF5_AREA_SIZE || row_size > HDF5_AREA_SIZE)
            return hdf5_refuse_at(error, server->file, request->name, "has rows that are too large");
        row_size *= (size_t)dataset->dims[i];
    }
    return read_part(server, answer, request, type, row_size, error);
}

static bool answer_layout(struct server *server, struct hdf5_answer *answer, const struct hdf5_request *request,
                          struct error *error)
{
    uint64_t sizes[HDF5_MAX_MEMBERS];
    if (!take_dataset(server, request, error))
        return false;
    table_layout(sizes, &server->dataset, request);
    return put(server, answer, sizes, request->num_members * sizeof *sizes, request->name, error);
}

static bool answer_table(struct server *server, struct hdf5_answer *answer, const struct hdf5_request *request,
                         struct error *error)
{
    uint64_t sizes[HDF5_MAX_MEMBERS];
    if (!take_sized(server, request, error))
        return false;
    table_layout(sizes, &server->dataset, request);
    for (uint32_t i = 0; i < request->num_members; i++)
        if (sizes[i] == 0 || sizes[i] == UINT64_MAX)
            return hdf5_refuse_at(error, server->file, request->name, "lacks a column, or has one of another kind");
    hid_t type = table_row_type(request);
    if (type < 0)
        return hdf5_fail_at(error, server->file, request->name, "can't be read as asked");
    bool ok = read_part(server, answer, request, type, request->row_size, error);
    H5Tclose(type);
    return ok;
}

static bool answer_sources(struct server *server, struct hdf5_answer *answer, const struct hdf5_request *request,
                           struct error *error)
{
    size_t length;
    bool ok = storage_list_sources((char *)server->area, HDF5_TEXT_MAX, &length, &answer->value, server->file,
                                   request->name, request->first, error);
    answer->size = length;
    return ok;
}

static bool answer_request(struct server *server, struct hdf5_answer *answer, struct hdf5_request *request,
                           struct error *error)
{
    if (server->file < 0 && request->kind != HDF5_ASK_OPEN)
        return error_set(error, FILE_NAME ": is not open");
    switch (request->kind) {
    case HDF5_ASK_OPEN:
        return open_file(server, error);
    case HDF5_ASK_HAS_ATTRIBUTE:
        answer->value = direct_has_attribute(server->file, request->name);
        return true;
    case HDF5_ASK_STRING:
        return answer_string(server, answer, request, error);
    case HDF5_ASK_INTS:
        return answer_ints(server, answer, request, error);
    case HDF5_ASK_DOUBLE:
        return answer_double(server, answer, request, error);
    case HDF5_ASK_HAS_OBJECT:
        answer->value = has_object(server->file, request->name);
        return true;
    case HDF5_ASK_DIMS:
        return answer_dims(server, answer, request, error);
    case HDF5_ASK_FLOATS:
        return take_sized(server, request, error) && dataset_check_floats(&server->dataset, server->file, error);
    case HDF5_ASK_ROWS:
        return answer_rows(server, answer, request, error);
    case HDF5_ASK_LAYOUT:
        return answer_layout(server, answer, request, error);
    case HDF5_ASK_TABLE:
        return answer_table(server, answer, request, error);
    case HDF5_ASK_SOURCES:
        return answer_sources(server, answer, request, error);
    default:
        return error_set(error, FILE_NAME ": an unknown request");
    }
}

static void put_refusal(struct server *server, struct hdf5_answer *answer, const struct error *error)
{
    static const char name[] = FILE_NAME ": ";
    const char *text = error->message;
    if (strncmp(text, name, strlen(name)) == 0)
        text += strlen(name);
    answer->is_refused = 1;
    answer->error_number = error->number;
    answer->size = strlen(text);
    memcpy(server->area, text, strlen(text));
}

/* false where whoever asks is gone. */
static bool send_answer(const struct hdf5_answer *answer)
{
    ssize_t sent;
    while ((sent = send(HDF5_READER_SOCKET, answer, sizeof *answer, MSG_NOSIGNAL)) < 0 && errno == EINTR)
        continue;
    return sent == (ssize_t)sizeof *answer;
}

static bool receive_request(struct hdf5_request *request)
{
    ssize_t received;
    hdf5_protocol_spin(HDF5_READER_SOCKET);
    while ((received = recv(HDF5_READER_SOCKET, request, sizeof *request, 0)) < 0 && errno == EINTR)
        continue;
    return received == (ssize_t)sizeof *request && request->area < HDF5_NUM_AREAS &&
           request->num_members <= HDF5_MAX_MEMBERS && memchr(request->name, '\0', sizeof request->name);
}

int serve(unsigned char *window, uint64_t file_size)
{
    int failure = 0;
    struct server server = {
        .source = {.descriptor = HDF5_READER_FILE,
                   .size = file_size,
                   .progress = (volatile uint64_t *)(void *)(window + HDF5_PROGRESS_OFFSET),
                   .failure = &failure,
                   .max_values_size = UINT64_MAX},
        .file = H5I_INVALID_HID,
        .dataset = DATASET_NONE,
        .area = window,
    };
    struct hdf5_request request;
    struct hdf5_answer answer = {.value = HDF5_PROTOCOL};
    if (!send_answer(&answer))
        return EXIT_FAILURE;
    while (receive_request(&request)) {
        struct error error;
        answer = (struct hdf5_answer){.number = request.number};
        server.area = window + (size_t)request.area * HDF5_AREA_SIZE;
        bool ok = answer_request(&server, &answer, &request, &error);
        if (failure != 0)
            ok = error_set_errno(&error, failure, FILE_NAME ": can't read");
        if (!ok)
            put_refusal(&server, &answer, &error);
        if (!send_answer(&answer))
            break;
    }
    return EXIT_SUCCESS;
}
