#include "run/event_file.h"

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/host.h"
#include "base/io/files.h"
#include "base/text.h"
#include "run/protobuf.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Numbers of fields, by message. */
enum { EVENT_WALL_TIME = 1, EVENT_STEP, EVENT_FILE_VERSION, EVENT_SUMMARY = 5, EVENT_SESSION_LOG = 7 };
enum { SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE, VALUE_IMAGE = 4, VALUE_HISTOGRAM = 5, VALUE_TENSOR = 8, VALUE_METADATA = 9 };
enum { IMAGE_HEIGHT = 1, IMAGE_WIDTH = 2, IMAGE_COLORS = 3, IMAGE_RGBA = 4, IMAGE_ENCODED = 4 };
enum {
    HISTOGRAM_MIN = 1,
    HISTOGRAM_MAX,
    HISTOGRAM_COUNT,
    HISTOGRAM_SUM,
    HISTOGRAM_SQUARES,
    HISTOGRAM_LIMITS,
    HISTOGRAM_BINS
};
enum { SESSION_LOG_STATUS = 1, SESSION_LOG_START = 1 };
enum { TENSOR_TYPE = 1, TENSOR_SHAPE = 2, TENSOR_FLOAT = 1 };
enum { METADATA_PLUGIN = 1, PLUGIN_NAME = 1, PLUGIN_CONTENT = 2 };
enum { HPARAMS_VERSION = 1, HPARAMS_SESSION_START = 3 };
enum { SESSION_HPARAMS = 1, SESSION_START_SECONDS = 5 };
enum { MAP_KEY = 1, MAP_VALUE = 2 };
enum { JSON_NUMBER = 2, JSON_STRING = 3, JSON_BOOL = 4 }; /* of google.protobuf.Value */

struct event_file {
    int descriptor;
    char *path;
    off_t size; /* of whole records */
};

/* The lowest byte first. */
static void put_little_endian(uint8_t *bytes, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

/* Appends `event` as a record, and frees it. What a full disk cuts is taken back, so that what comes later can be read. */
static bool put_record(struct event_file *file, struct protobuf *event, struct error *error)
{
    enum { LENGTH = 8, CHECKSUM = 4, HEAD = LENGTH + CHECKSUM };
    size_t size = HEAD + event->size + CHECKSUM;
    uint8_t *record = event->failed ? NULL : malloc(size);
    bool ok = record || error_set_no_memory(error, "%s: out of memory", file->path);
    if (ok) {
        put_little_endian(record, event->size, LENGTH);
        put_little_endian(record + LENGTH, crc32c_masked(record, LENGTH), CHECKSUM);
        memcpy(record + HEAD, event->bytes, event->size);
        put_little_endian(record + HEAD + event->size, crc32c_masked(event->bytes, event->size), CHECKSUM);
        ssize_t written = write(file->descriptor, record, size);
        int reason = written < 0 ? errno : ENOSPC;
        ok = written == (ssize_t)size;
        if (!ok && written > 0 && ftruncate(file->descriptor, file->size) != 0)
            reason = errno;
        if (ok)
            file->size += (off_t)size;
        else
            error_set_errno(error, reason, "%s: can't write", file->path);
    }
    free(record);
    protobuf_free(event);
    return ok;
}

static struct protobuf event_at(uint64_t step)
{
    struct protobuf event = {0};
    protobuf_put_double(&event, EVENT_WALL_TIME, date_seconds());
    protobuf_put_int(&event, EVENT_STEP, step);
    return event;
}

static bool put_summary(struct event_file *file, uint64_t step, struct protobuf *summary, struct error *error)
{
    struct protobuf event = event_at(step);
    protobuf_put_message(&event, EVENT_SUMMARY, summary);
    return put_record(file, &event, error);
}

static bool put_head(struct event_file *file, uint64_t step, struct error *error)
{
    struct protobuf version = {0}, session = event_at(step + 1), log = {0};
    protobuf_put_double(&version, EVENT_WALL_TIME, date_seconds());
    protobuf_put_text(&version, EVENT_FILE_VERSION, "brain.Event:2");
    protobuf_put_int(&log, SESSION_LOG_STATUS, SESSION_LOG_START);
    protobuf_put_message(&session, EVENT_SESSION_LOG, &log);
    bool ok = put_record(file, &version, error);
    if (!ok)
        protobuf_free(&session);
    return ok && put_record(file, &session, error);
}

struct event_file *event_file_open(const char *folder, uint64_t step, struct error *error)
{
    char host[HOST_NAME_SIZE];
    struct event_file *file = calloc(1, sizeof *file);
    if (!file) {
        error_set_no_memory(error, "%s: out of memory", folder);
        return NULL;
    }
    host_name(host);
    char *name = format_text("events.out.tfevents.%010.0f.%s.%ld", date_seconds(), host, (long)getpid());
    file->path = path_join(folder, name);
    free(name);
    file->descriptor = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
    bool ok = file->descriptor >= 0 || error_set_errno(error, errno, "%s: can't make", file->path);
    if (ok && put_head(file, step, error))
        return file;
    event_file_close(file);
    return NULL;
}

void event_file_close(struct event_file *file)
{
    if (!file)
        return;
    if (file->descriptor >= 0)
        close(file->descriptor);
    free(file->path);
    free(file);
}

bool event_file_put_scalars(struct event_file *file, uint64_t step, const struct event_scalar *scalars, size_t count,
                            struct error *error)
{
    struct protobuf summary = {0};
    for (size_t i = 0; i < count; i++) {
        struct protobuf value = {0};
        protobuf_put_text(&value, VALUE_TAG, scalars[i].tag);
        protobuf_put_float(&value, VALUE_SIMPLE, (float)scalars[i].value);
        protobuf_put_message(&summary, SUMMARY_VALUE, &value);
    }
    return put_summary(file, step, &summary, error);
}

static uint32_t big_endian(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool event_file_put_image(struct event_file *file, uint64_t step, const char *tag, const uint8_t *bytes, size_t size,
                          struct error *error)
{
    enum { WIDTH_AT = 16, HEIGHT_AT = 20, HEAD_SIZE = 24 }; /* in a PNG's first chunk */
    struct protobuf summary = {0}, value = {0}, image = {0};
    if (size < HEAD_SIZE)
        return error_set(error, "%s: a picture of %zu bytes is no PNG", file->path, size);
    protobuf_put_int(&image, IMAGE_HEIGHT, big_endian(bytes + HEIGHT_AT));
    protobuf_put_int(&image, IMAGE_WIDTH, big_endian(bytes + WIDTH_AT));
    protobuf_put_int(&image, IMAGE_COLORS, IMAGE_RGBA);
    protobuf_put_bytes(&image, IMAGE_ENCODED, bytes, size);
    protobuf_put_text(&value, VALUE_TAG, tag);
    protobuf_put_message(&value, VALUE_IMAGE, &image);
    protobuf_put_message(&summary, SUMMARY_VALUE, &value);
    return put_summary(file, step, &summary, error);
}

/* Upper bounds of bins: -big .. -small, 0, small .. big, each BIN_RATIO times the one before. */
enum { BINS_A_SIDE = 400, NUM_BINS = 2 * BINS_A_SIDE + 1 };
static const double smallest_bound = 1e-12, bin_ratio = 1.1;

static double bound_of(int bin)
{
    int rank = bin - BINS_A_SIDE;
    double size = smallest_bound * pow(bin_ratio, abs(rank) - 1);
    return rank == 0 ? 0 : rank < 0 ? -size : size;
}

/* The first bin whose bound is not below the value. */
static int bin_of(const double *bounds, double value)
{
    int low = 0, high = NUM_BINS - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (bounds[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool event_file_put_histogram(struct event_file *file, uint64_t step, const char *tag, const float *values,
                              size_t count, struct error *error)
{
    double bounds[NUM_BINS], bins[NUM_BINS] = {0}, sum = 0, squares = 0, least = INFINITY, most = -INFINITY, finite = 0;
    struct protobuf summary = {0}, value = {0}, histogram = {0};
    for (int i = 0; i < NUM_BINS; i++)
        bounds[i] = bound_of(i);
    for (size_t i = 0; i < count; i++) {
        double x = (double)values[i];
        if (!isfinite(x))
            continue;
        bins[bin_of(bounds, x)]++;
        sum += x;
        squares += x * x;
        least = fmin(least, x);
        most = fmax(most, x);
        finite++;
    }
    int first = finite > 0 ? bin_of(bounds, least) : BINS_A_SIDE,
        last = finite > 0 ? bin_of(bounds, most) : BINS_A_SIDE;
    protobuf_put_double(&histogram, HISTOGRAM_MIN, finite > 0 ? least : 0);
    protobuf_put_double(&histogram, HISTOGRAM_MAX, finite > 0 ? most : 0);
    protobuf_put_double(&histogram, HISTOGRAM_COUNT, finite);
    protobuf_put_double(&histogram, HISTOGRAM_SUM, sum);
    protobuf_put_double(&histogram, HISTOGRAM_SQUARES, squares);
    protobuf_put_doubles(&histogram, HISTOGRAM_LIMITS, bounds + first, (size_t)last - (size_t)first + 1);
    protobuf_put_doubles(&histogram, HISTOGRAM_BINS, bins + first, (size_t)last - (size_t)first + 1);
    protobuf_put_text(&value, VALUE_TAG, tag);
    protobuf_put_message(&value, VALUE_HISTOGRAM, &histogram);
    protobuf_put_message(&summary, SUMMARY_VALUE, &value);
    return put_summary(file, step, &summary, error);
}

/* One entry of the map of hparams. */
static void put_hparam(struct protobuf *session, const struct setting *row, const void *values)
{
    const void *member = (const unsigned char *)values + row->offset;
    char text[SETTING_TEXT_MAX];
    struct protobuf entry = {0}, value = {0};
    if (row->type == SETTING_BOOL)
        protobuf_put_bool(&value, JSON_BOOL, *(const bool *)member);
    else if (row->type == SETTING_INT)
        protobuf_put_double(&value, JSON_NUMBER, (double)*(const int64_t *)member);
    else if (row->type == SETTING_DOUBLE)
        protobuf_put_double(&value, JSON_NUMBER, *(const double *)member);
    else
        protobuf_put_text(&value, JSON_STRING, setting_format(row, values, text));
    protobuf_put_text(&entry, MAP_KEY, row->name);
    protobuf_put_message(&entry, MAP_VALUE, &value);
    protobuf_put_message(session, SESSION_HPARAMS, &entry);
}

bool event_file_put_hparams(struct event_file *file, const struct settings_table *table, const void *values,
                            struct error *error)
{
    struct protobuf session = {0}, content = {0}, plugin = {0}, metadata = {0}, tensor = {0}, value = {0},
                    summary = {0};
    for (size_t i = 0; i < table->count; i++)
        put_hparam(&session, &table->rows[i], values);
    protobuf_put_double(&session, SESSION_START_SECONDS, date_seconds());
    protobuf_put_int(&content, HPARAMS_VERSION, 0);
    protobuf_put_message(&content, HPARAMS_SESSION_START, &session);
    protobuf_put_text(&plugin, PLUGIN_NAME, "hparams");
    protobuf_put_message(&plugin, PLUGIN_CONTENT, &content);
    protobuf_put_message(&metadata, METADATA_PLUGIN, &plugin);
    protobuf_put_int(&tensor, TENSOR_TYPE, TENSOR_FLOAT);
    protobuf_put_bytes(&tensor, TENSOR_SHAPE, NULL, 0);
    protobuf_put_text(&value, VALUE_TAG, "_hparams_/session_start_info");
    protobuf_put_message(&value, VALUE_TENSOR, &tensor);
    protobuf_put_message(&value, VALUE_METADATA, &metadata);
    protobuf_put_message(&summary, SUMMARY_VALUE, &value);
    return put_summary(file, 0, &summary, error);
}
