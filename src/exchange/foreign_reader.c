#include "exchange/foreign_reader.h"

#include "base/io/files.h"
#include "base/text.h"
#include "exchange/file_source.h"
#include "exchange/magenta_js_reader.h"
#include "exchange/safetensors_reader.h"
#include "exchange/tensorflow_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 1024 };

#define TENSORFLOW_STATE "checkpoint"
#define SAFETENSORS_ENDING ".safetensors"
#define WHAT_CAN_BE_READ                                                                                               \
    "safetensors, a folder of Magenta.js, a TensorFlow checkpoint (.index and .data-...), or a .tar or .zip of one"

static bool has_end(const char *name, const char *end)
{
    size_t length = strlen(name), end_length = strlen(end);
    return length > end_length && strcmp(name + length - end_length, end) == 0;
}

/* A model among the files of a source. */
struct found {
    const char *name; /* the first of those that lie in the fewest folders; NULL: none */
    int depth, count;
};

static int depth_of(const char *name)
{
    int depth = 0;
    for (; *name != '\0'; name++)
        depth += *name == '/';
    return depth;
}

static void find_model(struct found *found, const struct file_source *source)
{
    for (size_t i = 0; i < source->count; i++) {
        const char *name = source->files[i].name, *last = path_name(name);
        int depth = depth_of(name);
        if (last[0] == '.' || (strcmp(last, MAGENTA_JS_MANIFEST) != 0 && !has_end(last, TENSORFLOW_INDEX) &&
                               !has_end(last, SAFETENSORS_ENDING)))
            continue;
        if (found->name && depth > found->depth)
            continue;
        if (!found->name || depth < found->depth)
            *found = (struct found){name, depth, 0};
        found->count++;
    }
}

static bool read_safetensors(struct foreign_tensors *tensors, struct file_source *source, const char *name,
                             struct error *error)
{
    uint8_t *bytes;
    size_t size;
    if (!file_source_take(source, name, FOREIGN_MAX_BYTES, &bytes, &size, error))
        return false;
    return safetensors_read(tensors, bytes, size, error) || file_source_prefix(source, name, error);
}

static bool read_named(struct foreign_tensors *tensors, struct file_source *source, const char *name,
                       struct error *error)
{
    snprintf(tensors->name, sizeof tensors->name, "%s", path_name(name));
    if (has_end(name, TENSORFLOW_INDEX))
        return tensorflow_bundle_read(tensors, source, name, error);
    if (has_end(name, SAFETENSORS_ENDING))
        return read_safetensors(tensors, source, name, error);
    return magenta_js_read(tensors, source, name, error);
}

/* The checkpoint that TensorFlow itself would take of a folder of several: the one that its file "checkpoint" names. NULL where
 * there is none; owned by the caller. */
static char *find_newest(struct file_source *source)
{
    enum { MAX_STATE = 1 << 20 };
    static const char key[] = "model_checkpoint_path: \"";
    struct error error;
    uint8_t *bytes;
    size_t size;
    char *name = NULL;
    if (!file_source_has(source, TENSORFLOW_STATE) ||
        !file_source_take(source, TENSORFLOW_STATE, MAX_STATE, &bytes, &size, &error))
        return NULL;
    const char *text = (const char *)bytes;
    if (strncmp(text, key, sizeof key - 1) == 0) {
        text += sizeof key - 1;
        char *path = format_text("%.*s", (int)strcspn(text, "\"\n"), text);
        name = format_text("%s" TENSORFLOW_INDEX, path_name(path));
        free(path);
    }
    free(bytes);
    if (name && !file_source_has(source, name)) {
        free(name);
        name = NULL;
    }
    return name;
}

static bool read_one_of_several(struct foreign_tensors *tensors, struct file_source *source, const struct found *found,
                                struct error *error)
{
    char *name = find_newest(source);
    bool ok =
        name ? read_named(tensors, source, name, error)
             : error_set(error, "%s: has %d models in it: give one of them, such as %s%s%s", source->path, found->count,
                         source->is_archive ? "" : source->path, source->is_archive ? "" : "/", found->name);
    free(name);
    return ok;
}

static bool read_only_model(struct foreign_tensors *tensors, struct file_source *source, struct error *error)
{
    struct found found = {0};
    find_model(&found, source);
    if (!found.name)
        return error_set(error,
                         "%s: has no " MAGENTA_JS_MANIFEST ", " TENSORFLOW_INDEX " or " SAFETENSORS_ENDING
                         " in it: give " WHAT_CAN_BE_READ,
                         source->path);
    if (found.count > 1)
        return read_one_of_several(tensors, source, &found, error);
    return read_named(tensors, source, found.name, error);
}

static bool read_archive(struct foreign_tensors *tensors, const char *path, struct error *error)
{
    struct file_source source;
    if (!file_source_open_archive(&source, path, error))
        return false;
    bool ok = read_only_model(tensors, &source, error);
    file_source_close(&source);
    return ok;
}

static bool read_folder(struct foreign_tensors *tensors, const char *path, struct error *error)
{
    struct file_source source;
    if (!file_source_open_folder(&source, path, error))
        return false;
    bool ok = read_only_model(tensors, &source, error);
    file_source_close(&source);
    return ok;
}

/* The file `name` of the folder that `path` lies in. */
static bool read_beside(struct foreign_tensors *tensors, const char *path, const char *name, struct error *error)
{
    struct file_source source;
    int folder_size = (int)(path_name(path) - path);
    char *folder = folder_size > 1 ? format_text("%.*s", folder_size - 1, path) : format_text(folder_size ? "/" : ".");
    bool ok = file_source_open_folder(&source, folder, error);
    if (ok) {
        ok = read_named(tensors, &source, name, error);
        file_source_close(&source);
    }
    free(folder);
    return ok;
}

/* `prefix_size` bytes of the path's last name are the checkpoint's: "model.ckpt-1000". */
static bool read_checkpoint(struct foreign_tensors *tensors, const char *path, size_t prefix_size, struct error *error)
{
    char *name = format_text("%.*s" TENSORFLOW_INDEX, (int)prefix_size, path_name(path));
    bool ok = read_beside(tensors, path, name, error);
    free(name);
    return ok;
}

/* The beginning of a file, and its size. */
static bool read_head(uint8_t head[HEAD_BYTES], size_t *head_size, uint64_t *size, const char *path,
                      struct error *error)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        int reason = errno;
        if (descriptor >= 0)
            close(descriptor);
        return error_set_errno(error, reason, "%s", path);
    }
    ssize_t got = S_ISREG(status.st_mode) ? read(descriptor, head, HEAD_BYTES) : 0;
    int reason = errno;
    close(descriptor);
    if (got < 0)
        return error_set_errno(error, reason, "%s", path);
    *head_size = (size_t)got;
    *size = (uint64_t)status.st_size;
    return S_ISREG(status.st_mode) || error_set(error, "%s: is neither a file nor a folder", path);
}

static bool is_hdf5(const uint8_t *head, size_t size)
{
    static const char signature[] = "\x89HDF\r\n\x1a\n";
    for (size_t at = 0; at + sizeof signature - 1 <= size; at += 512)
        if (memcmp(head + at, signature, sizeof signature - 1) == 0)
            return true;
    return false;
}

static bool read_whole(struct foreign_tensors *tensors, const char *path, struct error *error)
{
    uint8_t *bytes;
    size_t size;
    return file_read(&bytes, &size, path, FOREIGN_MAX_BYTES, error) &&
           (safetensors_read(tensors, bytes, size, error) || error_prefix(error, "%s", path));
}

static bool read_file(struct foreign_tensors *tensors, const char *path, struct error *error)
{
    uint8_t head[HEAD_BYTES];
    size_t head_size = 0;
    uint64_t size = 0;
    const char *name = path_name(path), *data = strstr(name, ".data-");
    if (!read_head(head, &head_size, &size, path, error))
        return false;
    if (is_hdf5(head, head_size))
        return error_set(error, "%s: is an HDF5 file, as models of Drumline are: those need no import", path);
    if (has_end(name, TENSORFLOW_INDEX))
        return read_beside(tensors, path, name, error);
    if (data)
        return read_checkpoint(tensors, path, (size_t)(data - name), error);
    if (has_end(name, ".meta"))
        return read_checkpoint(tensors, path, strlen(name) - strlen(".meta"), error);
    if (strcmp(name, MAGENTA_JS_MANIFEST) == 0 || strcmp(name, MAGENTA_JS_CONFIG) == 0)
        return read_beside(tensors, path, MAGENTA_JS_MANIFEST, error);
    if (safetensors_is(head, head_size, size) || has_end(name, SAFETENSORS_ENDING))
        return read_whole(tensors, path, error);
    if (file_source_is_archive(head, head_size))
        return read_archive(tensors, path, error);
    return error_set(error, "%s: is not a model of a known format: give " WHAT_CAN_BE_READ, path);
}

/* Whether it is the name that TensorFlow knows a checkpoint by: that of its files, without their endings. */
static bool is_checkpoint_prefix(const char *path)
{
    char *index = format_text("%s" TENSORFLOW_INDEX, path);
    bool is = !file_exists(path) && file_exists(index);
    free(index);
    return is;
}

bool foreign_read(struct foreign_tensors *tensors, const char *path, struct error *error)
{
    bool ok;
    *tensors = (struct foreign_tensors){0};
    if (folder_exists(path))
        ok = read_folder(tensors, path, error);
    else if (is_checkpoint_prefix(path))
        ok = read_checkpoint(tensors, path, strlen(path_name(path)), error);
    else
        ok = read_file(tensors, path, error);
    if (!ok)
        foreign_tensors_free(tensors);
    return ok;
}
