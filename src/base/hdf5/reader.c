#include "base/hdf5/reader.h"

#include "base/hdf5/reader_internal.h"
#include "base/hdf5/seal.h"
#include "base/hdf5/version.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct hdf5_request *hdf5_reader_prepare(struct hdf5_reader *file, enum hdf5_request_kind kind, const char *name,
                                         struct error *error)
{
    memset(&file->request, 0, sizeof file->request);
    file->request.kind = kind;
    if (strlen(name) >= sizeof file->request.name) {
        error_set(error, "%s: a name of %zu bytes is too long", file->path, strlen(name));
        return NULL;
    }
    memcpy(file->request.name, name, strlen(name));
    return &file->request;
}

static bool lose(struct hdf5_reader *file, const struct error *error)
{
    file->is_lost = true;
    file->loss = *error;
    return false;
}

bool hdf5_reader_send(struct hdf5_reader *file, struct error *error)
{
    if (file->is_lost) {
        *error = file->loss;
        return false;
    }
    if (hdf5_helper_send(&file->helper, &file->request, error))
        return true;
    error_prefix(error, "%s", file->path);
    return lose(file, error);
}

bool hdf5_reader_receive(struct hdf5_reader *file, size_t max_size, struct error *error)
{
    bool was_lost = false;
    if (hdf5_helper_receive(&file->helper, &file->answer, &was_lost, max_size, error))
        return true;
    error_prefix(error, "%s", file->path);
    return was_lost ? lose(file, error) : false;
}

bool hdf5_reader_ask(struct hdf5_reader *file, size_t max_size, struct error *error)
{
    return hdf5_reader_send(file, error) && hdf5_reader_receive(file, max_size, error);
}

bool hdf5_reader_take(struct hdf5_reader *file, void *to, size_t size, struct error *error)
{
    if (hdf5_helper_take(&file->helper, to, size, error))
        return true;
    hdf5_helper_stop(&file->helper);
    error_prefix(error, "%s", file->path);
    return lose(file, error);
}

bool hdf5_reader_refuse(const struct hdf5_reader *file, const char *name, const char *what, struct error *error)
{
    return error_set(error, "%s: %s: %s", file->path, name, what);
}

/* HDF5 would wait forever to open a FIFO, and has no clear message for a folder. */
static bool check_regular(uint64_t *size, int descriptor, const char *path, struct error *error)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return error_set_errno(error, errno, "%s: can't open", path);
    if (S_ISDIR(status.st_mode))
        return error_set(error, "%s: is a folder, not an HDF5 file", path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, "%s: is not a regular file", path);
    if (status.st_size == 0)
        return error_set(error, "%s: is empty", path);
    *size = (uint64_t)status.st_size;
    return true;
}

/* The helper starts while the seal is checked, but sees nothing of the file before it is known to hold. */
static bool start(struct hdf5_reader *file, int descriptor, struct error *error)
{
    if (!hdf5_helper_start(&file->helper, descriptor, error))
        return error_prefix(error, "%s", file->path);
    return hdf5_seal_check(descriptor, file->path, error) && hdf5_reader_prepare(file, HDF5_ASK_OPEN, "", error) &&
           hdf5_reader_ask(file, 0, error);
}

/* A file of any format. */
static struct hdf5_reader *open_any(const char *path, struct error *error)
{
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) {
        error_set_errno(error, errno, "%s: can't open", path);
        return NULL;
    }
    struct hdf5_reader *file = calloc(1, sizeof *file);
    bool ok = file || error_set_no_memory(error, "%s: out of memory", path);
    if (ok) {
        file->helper = (struct hdf5_helper){.socket = -1, .window = -1};
        file->path = format_text("%s", path);
    }
    ok = ok && check_regular(&file->file_size, descriptor, path, error) && start(file, descriptor, error);
    close(descriptor);
    if (!ok)
        hdf5_reader_close(&file);
    return file;
}

void hdf5_reader_close(struct hdf5_reader **file)
{
    if (*file) {
        hdf5_helper_stop(&(*file)->helper);
        free((*file)->path);
        free(*file);
    }
    *file = NULL;
}

static bool check_format(struct hdf5_reader *file, const char *format, struct error *error)
{
    char *found = NULL;
    int64_t version = 0;
    if (!hdf5_has_attribute(file, "format"))
        return error_set(error, "%s: is an HDF5 file, but not a %s", file->path, format);
    bool ok = hdf5_read_string(&found, file, "format", error) && hdf5_read_int(&version, file, "version", error);
    if (ok && !text_is_printable(found)) /* which would go to a terminal */
        ok = error_set(error, "%s: is an HDF5 file, but not a %s", file->path, format);
    else if (ok && strcmp(found, format) != 0)
        ok = error_set(error, "%s: is a %.60s, not a %s", file->path, found, format);
    else if (ok && version != HDF5_FORMAT_VERSION)
        ok = error_set(error, "%s: is a %s of version %lld; this program knows version %d", file->path, format,
                       (long long)version, HDF5_FORMAT_VERSION);
    free(found);
    return ok;
}

bool hdf5_open(struct hdf5_reader **file, const char *path, const char *format, struct error *error)
{
    *file = open_any(path, error);
    if (*file && check_format(*file, format, error))
        return true;
    hdf5_reader_close(file);
    return false;
}

char *hdf5_read_format(const char *path, struct error *error)
{
    char *format = NULL;
    struct hdf5_reader *file = open_any(path, error);
    if (!file)
        return NULL;
    if (!hdf5_has_attribute(file, "format"))
        error_set(error, "%s: is an HDF5 file, but not one of Drumline's", path);
    else if (!hdf5_read_string(&format, file, "format", error))
        format = NULL;
    else if (!text_is_printable(format)) {
        error_set(error, "%s: is an HDF5 file, but not one of Drumline's", path);
        free(format);
        format = NULL;
    }
    hdf5_reader_close(&file);
    return format;
}
