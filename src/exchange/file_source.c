#include "exchange/file_source.h"

#include "base/array.h"
#include "base/io/files.h"
#include "base/text.h"
#include "exchange/foreign_tensors.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    TAR_MAGIC_AT = 257,
    MAX_FILES = 4096,
    MAX_RATIO =
        64, /* of what is inside to the archive's own size; a checkpoint of a model not yet trained has many zeros */
    SMALL_FILES = 1 << 20, /* bytes that may be inside whatever the ratio */
    READ_BYTES = 1 << 16,
};

bool file_source_is_archive(const uint8_t *head, size_t size)
{
    return (size >= TAR_MAGIC_AT + 5 && memcmp(head + TAR_MAGIC_AT, "ustar", 5) == 0) ||
           (size >= 4 && memcmp(head, "PK\3\4", 4) == 0) || (size >= 2 && memcmp(head, "\x1f\x8b", 2) == 0);
}

/* Relative, without "..". */
static bool stays_inside(const char *name)
{
    if (name[0] == '/' || name[0] == '\0' || strchr(name, '\\'))
        return false;
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (part[0] == '.' && part[1] == '.' && (part[2] == '/' || part[2] == '\0'))
            return false;
    }
    return true;
}

static bool no_memory(const struct file_source *source, struct error *error)
{
    return error_set_no_memory(error, "%s: out of memory", source->path);
}

/* Appends a file without contents; NULL where there is no memory. */
static struct source_file *add_file(struct file_source *source, const char *name)
{
    struct source_file *grown = array_grow(source->files, &source->capacity, source->count, 1, sizeof *grown);
    if (!grown)
        return NULL;
    source->files = grown;
    source->files[source->count] = (struct source_file){.name = format_text("%s", name)};
    return &source->files[source->count++];
}

bool file_source_open_folder(struct file_source *source, const char *path, struct error *error)
{
    static const char *const any[] = {"", NULL};
    struct file_list list = {0};
    *source = (struct file_source){.path = format_text("%s", path)};
    bool ok = file_list_make(&list, path, false, any, error);
    for (size_t i = 0; ok && i < list.count; i++)
        ok = add_file(source, list.paths[i]) || no_memory(source, error);
    file_list_free(&list);
    if (!ok)
        file_source_close(source);
    return ok;
}

/* An archive that is being read. */
struct unpacking {
    struct archive *archive;
    struct file_source *source;
    size_t num_bytes, max_bytes; /* of all files so far, and that are allowed */
};

static bool fail_reading(const struct unpacking *unpacking, struct error *error)
{
    const char *reason = archive_error_string(unpacking->archive);
    return error_set(error, "%s: can't be read as an archive: %s", unpacking->source->path,
                     reason ? reason : "it is damaged");
}

/* What the header says of a size is not believed: memory grows with what comes. */
static bool read_contents(struct unpacking *unpacking, struct source_file *file, struct error *error)
{
    size_t capacity = 0;
    for (;;) {
        uint8_t *grown = array_grow(file->bytes, &capacity, file->size, READ_BYTES + 1, 1);
        if (!grown)
            return no_memory(unpacking->source, error);
        file->bytes = grown;
        la_ssize_t got = archive_read_data(unpacking->archive, file->bytes + file->size, READ_BYTES);
        if (got < 0)
            return fail_reading(unpacking, error);
        file->size += (size_t)got;
        file->bytes[file->size] = 0;
        unpacking->num_bytes += (size_t)got;
        if (unpacking->num_bytes > unpacking->max_bytes)
            return error_set(error, "%s: holds more than %zu bytes, which no archive of its size with a model does",
                             unpacking->source->path, unpacking->max_bytes);
        if (got == 0)
            return true;
    }
}

static bool read_member(struct unpacking *unpacking, struct archive_entry *entry, struct error *error)
{
    struct file_source *source = unpacking->source;
    const char *name = archive_entry_pathname(entry);
    if (!name || !text_is_utf8(name))
        return error_set(error, "%s: holds a file whose name is not UTF-8 text", source->path);
    while (name[0] == '.' && name[1] == '/')
        name += 2;
    if (archive_entry_filetype(entry) == AE_IFDIR && !archive_entry_hardlink(entry))
        return true;
    if (!stays_inside(name))
        return error_set(error, "%s: holds a file whose name leads out of it: %s", source->path, name);
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
        return error_set(error, "%s: %s in it is a link or a device", source->path, name);
    if (file_source_has(source, name))
        return error_set(error, "%s: holds %s twice", source->path, name);
    if (source->count >= MAX_FILES)
        return error_set(error, "%s: holds more than %d files", source->path, MAX_FILES);
    struct source_file *file = add_file(source, name);
    return file ? read_contents(unpacking, file, error) : no_memory(source, error);
}

static bool read_members(struct unpacking *unpacking, struct error *error)
{
    for (;;) {
        struct archive_entry *entry;
        int status = archive_read_next_header(unpacking->archive, &entry);
        if (status == ARCHIVE_EOF)
            return true;
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            return fail_reading(unpacking, error);
        if (!read_member(unpacking, entry, error))
            return false;
    }
}

/* Only these formats are enabled: libarchive reads many more, which nobody has models in. */
static struct archive *start_reading(const char *path, struct error *error)
{
    enum { BLOCK_BYTES = 1 << 16 };
    struct archive *archive = archive_read_new();
    if (!archive || archive_read_support_filter_gzip(archive) < ARCHIVE_WARN ||
        archive_read_support_format_tar(archive) < ARCHIVE_WARN ||
        archive_read_support_format_zip(archive) < ARCHIVE_WARN) {
        error_set_no_memory(error, "%s: out of memory", path);
    } else if (archive_read_open_filename(archive, path, BLOCK_BYTES) != ARCHIVE_OK) {
        const char *reason = archive_error_string(archive);
        error_set(error, "%s: can't be read as an archive: %s", path, reason ? reason : "it is damaged");
    } else {
        return archive;
    }
    archive_read_free(archive);
    return NULL;
}

static bool unpack(struct file_source *source, const char *path, size_t max_bytes, struct error *error)
{
    struct unpacking unpacking = {.archive = start_reading(path, error), .source = source, .max_bytes = max_bytes};
    bool ok = unpacking.archive && read_members(&unpacking, error);
    archive_read_free(unpacking.archive);
    return ok;
}

bool file_source_open_archive(struct file_source *source, const char *path, struct error *error)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return error_set_errno(error, errno, "%s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, "%s: is not a file", path);
    *source = (struct file_source){.path = format_text("%s", path), .is_archive = true};
    size_t size = (size_t)status.st_size < FOREIGN_MAX_BYTES ? (size_t)status.st_size : FOREIGN_MAX_BYTES;
    size_t max_bytes = size * MAX_RATIO + SMALL_FILES;
    /* libarchive gives names in the locale's character set; whatever that is, here it is UTF-8. */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    bool ok = unpack(source, path, max_bytes < FOREIGN_MAX_BYTES ? max_bytes : FOREIGN_MAX_BYTES, error);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    if (!ok)
        file_source_close(source);
    return ok;
}

static struct source_file *find_file(const struct file_source *source, const char *name)
{
    for (size_t i = 0; i < source->count; i++)
        if (strcmp(source->files[i].name, name) == 0)
            return &source->files[i];
    return NULL;
}

bool file_source_has(const struct file_source *source, const char *name)
{
    return find_file(source, name) != NULL;
}

bool file_source_prefix(const struct file_source *source, const char *name, struct error *error)
{
    if (source->is_archive)
        return error_prefix(error, "%s: %s", source->path, name);
    char *path = path_join(source->path, name);
    error_prefix(error, "%s", path);
    free(path);
    return false;
}

static bool read_from_folder(const struct file_source *source, const char *name, size_t max_size, uint8_t **bytes,
                             size_t *size, struct error *error)
{
    char *path = path_join(source->path, name);
    bool ok = file_read(bytes, size, path, max_size, error);
    free(path);
    return ok;
}

bool file_source_take(struct file_source *source, const char *name, size_t max_size, uint8_t **bytes, size_t *size,
                      struct error *error)
{
    if (!text_is_utf8(name))
        return error_set(error, "%s: names a file by what is not UTF-8 text", source->path);
    if (!stays_inside(name))
        return error_set(error, "%s: names a file outside of it: %s", source->path, name);
    if (!source->is_archive)
        return read_from_folder(source, name, max_size, bytes, size, error);
    struct source_file *file = find_file(source, name);
    if (!file || !file->bytes)
        return error_set(error, "%s: %s is %s", source->path, name, file ? "named twice" : "not in it");
    if (file->size > max_size)
        return error_set(error, "%s: %s in it has %zu bytes; at most %zu are read", source->path, name, file->size,
                         max_size);
    *bytes = file->bytes;
    *size = file->size;
    file->bytes = NULL;
    return true;
}

void file_source_close(struct file_source *source)
{
    for (size_t i = 0; i < source->count; i++) {
        free(source->files[i].name);
        free(source->files[i].bytes);
    }
    free(source->files);
    free(source->path);
    *source = (struct file_source){0};
}
