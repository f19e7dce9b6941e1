#include "base/io/foreign_file.h"

#include "base/crc32c.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAR_MAGIC_AT = 257, HEAD_BYTES = 512 };

/* A record begins with its length in eight bytes, little-endian, and their checksum in four. */
static bool is_tfrecord(const uint8_t *head, size_t size)
{
    if (size < 12)
        return false;
    uint32_t stored = 0;
    for (int i = 3; i >= 0; i--)
        stored = stored << 8 | head[8 + i];
    return stored == crc32c_masked(head, 8);
}

static bool is_archive(const uint8_t *head, size_t size)
{
    return (size >= TAR_MAGIC_AT + 5 && memcmp(head + TAR_MAGIC_AT, "ustar", 5) == 0) ||
           (size >= 4 && memcmp(head, "PK\3\4", 4) == 0) || (size >= 2 && memcmp(head, "\x1f\x8b", 2) == 0);
}

static bool has_end(const char *path, const char *end)
{
    size_t length = strlen(path), end_length = strlen(end);
    return length >= end_length && strcasecmp(path + length - end_length, end) == 0;
}

static bool is_tensorflow_checkpoint(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    return strstr(name, ".ckpt") || strstr(name, ".data-0") || (strstr(name, "ckpt-") && has_end(name, ".index")) ||
           (strstr(name, "ckpt-") && has_end(name, ".meta"));
}

/* The beginning of a regular file; 0 for all else. */
static size_t read_head(uint8_t head[HEAD_BYTES], const char *path)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return 0;
    ssize_t size = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) ? read(descriptor, head, HEAD_BYTES) : 0;
    close(descriptor);
    return size > 0 ? (size_t)size : 0;
}

/* Whether there is a file of this name with `end` behind it. */
static bool is_there(const char *name, const char *end)
{
    struct stat status;
    char *path = format_text("%s%s", name, end);
    bool is = stat(path, &status) == 0;
    free(path);
    return is;
}

/* What a model of another program is called; NULL where it is none. */
static const char *kind_of_model(const char *path, const uint8_t *head, size_t size)
{
    if (size == 0 && is_there(path, "/weights_manifest.json"))
        return "a folder of Magenta.js";
    if (size == 0)
        return !is_there(path, "") && is_there(path, ".index") ? "a TensorFlow checkpoint" : NULL;
    if (is_archive(head, size) && !has_end(path, ".h5"))
        return "an archive, as Magenta's checkpoints come in";
    if (is_tensorflow_checkpoint(path))
        return "a part of a TensorFlow checkpoint";
    return has_end(path, ".safetensors") ? "a safetensors file" : NULL;
}

bool foreign_file_check(const char *path, struct error *error)
{
    uint8_t head[HEAD_BYTES];
    size_t size = read_head(head, path);
    if (is_tfrecord(head, size))
        return error_set(
            error,
            "%s: a TFRecord, as Magenta's convert_dir_to_note_sequences writes: give the folder of MIDI files "
            "that it was made of to drumline-preprocess, and its data set here (docs/from_magenta.md)",
            path);
    const char *kind = kind_of_model(path, head, size);
    return !kind || error_set(error,
                              "%s: %s: drumline-train --mode=import --input_file=%s --output_file=NAME.h5 makes a "
                              "model file of a model in it (docs/from_magenta.md)",
                              path, kind, path);
}
