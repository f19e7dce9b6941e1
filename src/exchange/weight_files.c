#include "exchange/weight_files.h"

#include "base/io/files.h"
#include "base/text.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

char *weight_file_name(int group, int number, int count)
{
    return format_text("group%d-shard%dof%d.bin", group, number, count);
}

void weight_files_start(struct weight_files *files, const char *folder, int group, size_t size, size_t file_size)
{
    *files = (struct weight_files){
        .folder = folder, .group = group, .file_size = file_size, .count = (int)((size + file_size - 1) / file_size)};
}

static bool open_next(struct weight_files *files, struct error *error)
{
    int number = 1 + (int)(files->written / files->file_size);
    assert(number <= files->count);
    char *name = weight_file_name(files->group, number, files->count), *path = path_join(files->folder, name);
    files->is_open = atomic_file_start(&files->file, path, error);
    free(path);
    free(name);
    return files->is_open;
}

static bool close_open(struct weight_files *files, struct error *error)
{
    files->is_open = false;
    return atomic_file_commit(&files->file, error);
}

bool weight_files_put(struct weight_files *files, const void *bytes, size_t size, struct error *error)
{
    const uint8_t *next = bytes;
    while (size > 0) {
        size_t room = files->file_size - files->written % files->file_size, part = size < room ? size : room;
        if (!files->is_open && !open_next(files, error))
            return false;
        if (!atomic_file_put(&files->file, next, part, error)) {
            atomic_file_abandon(&files->file);
            files->is_open = false;
            return false;
        }
        next += part;
        size -= part;
        files->written += part;
        if (part == room && !close_open(files, error))
            return false;
    }
    return true;
}

bool weight_files_finish(struct weight_files *files, struct error *error)
{
    return !files->is_open || close_open(files, error);
}

json_t *weight_files_paths(const struct weight_files *files, const char *prefix)
{
    json_t *paths = json_array();
    for (int i = 1; i <= files->count; i++) {
        char *name = weight_file_name(files->group, i, files->count), *path = format_text("%s%s", prefix, name);
        json_array_append_new(paths, json_string(path));
        free(path);
        free(name);
    }
    return paths;
}
