#include "tests/fuzz/fuzz.h"

#include "base/io/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_NAMES = 8 };

static char folder[64];
static char *names[MOST_NAMES]; /* of what was made, in that order */
static int num_names;

void fuzz_require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzzing: does not hold: %s\n", what);
    abort();
}

static void clean_up(void)
{
    while (num_names > 0) {
        char *path = path_join(folder, names[--num_names]);
        if (unlink(path) != 0)
            rmdir(path);
        free(path);
        free(names[num_names]);
    }
    rmdir(folder);
}

const char *fuzz_folder(void)
{
    if (!*folder) {
        snprintf(folder, sizeof folder, "%s/drumline-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        fuzz_require(mkdtemp(folder) != NULL, "a folder can be made");
        atexit(clean_up);
    }
    return folder;
}

static void note(const char *name)
{
    for (int i = 0; i < num_names; i++)
        if (strcmp(names[i], name) == 0)
            return;
    fuzz_require(num_names < MOST_NAMES, "there is room for a name");
    names[num_names++] = strdup(name);
}

static void make_folder_of(const char *name)
{
    const char *slash = strchr(name, '/');
    if (!slash)
        return;
    char *below = strndup(name, (size_t)(slash - name)), *path = path_join(fuzz_folder(), below);
    if (mkdir(path, 0700) == 0)
        note(below);
    else
        fuzz_require(errno == EEXIST, "a folder can be made");
    free(path);
    free(below);
}

void fuzz_write(const char *name, const void *bytes, size_t size)
{
    char *path = path_join(fuzz_folder(), name);
    make_folder_of(name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    fuzz_require(file >= 0 && write(file, bytes, size) == (ssize_t)size && close(file) == 0, "a file can be written");
    note(name);
    free(path);
}

char *fuzz_text(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);
    fuzz_require(text != NULL, "there is memory");
    if (size > 0)
        memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}
