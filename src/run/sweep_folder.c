#include "run/sweep_folder.h"

#include "base/array.h"
#include "base/io/files.h"
#include "base/text.h"
#include "run/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 10000 };

static bool holds(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    bool is_there = file_exists(path) || folder_exists(path);
    free(path);
    return is_there;
}

bool sweep_folder_is_run(const char *folder)
{
    return holds(folder, "train") || holds(folder, "eval") || holds(folder, RUN_STARTS_NAME);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* NULL at the end, and where *reason, an errno, is not 0. */
static struct dirent *next_entry(DIR *stream, int *reason)
{
    errno = 0;
    struct dirent *entry = readdir(stream);
    *reason = entry ? 0 : errno;
    return entry;
}

char **sweep_folder_list(const char *folder, size_t *count, struct error *error)
{
    size_t capacity = 0;
    char **names = NULL;
    bool ok = true;
    int reason = 0;
    DIR *stream = opendir(folder);
    *count = 0;
    if (!stream) {
        error_set_errno(error, errno, "%s: can't read", folder);
        return NULL;
    }
    for (struct dirent *entry; ok && (entry = next_entry(stream, &reason));) {
        char *path = path_join(folder, entry->d_name);
        bool is_run = entry->d_name[0] != '.' && folder_exists(path) && sweep_folder_is_run(path);
        free(path);
        if (!is_run || *count == MOST_RUNS)
            continue;
        char **grown = array_grow(names, &capacity, *count, 1, sizeof *names);
        ok = grown != NULL;
        if (ok) {
            names = grown;
            names[(*count)++] = format_text("%s", entry->d_name);
        }
    }
    closedir(stream);
    if (reason != 0) {
        error_set_errno(error, reason, "%s: can't read", folder);
        sweep_folder_free(names, *count);
        return NULL;
    }
    if (*count > 1)
        qsort(names, *count, sizeof *names, compare_names);
    if (ok && !names)
        names = calloc(1, sizeof *names);
    if (!ok || !names) {
        error_set_no_memory(error, "%s: out of memory", folder);
        sweep_folder_free(names, *count);
        return NULL;
    }
    return names;
}

void sweep_folder_free(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++)
        free(names[i]);
    free(names);
}

char *sweep_folder_of(const char *run_dir)
{
    size_t length = strlen(run_dir);
    while (length > 1 && run_dir[length - 1] == '/')
        length--;
    char *path = format_text("%.*s", (int)length, run_dir), *folder;
    const char *name = path_name(path);
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        folder = path_join(path, "..");
    else
        folder = path_folder(path);
    free(path);
    return folder;
}
