#include "programs/info/info.h"

#include "base/hdf5/hdf5.h"
#include "base/io/files.h"
#include "base/text.h"
#include "data/dataset/index.h"
#include "data/dataset/shard.h"
#include "model/checkpoint.h"
#include "programs/info/kinds.h"
#include "run/json_members.h"
#include "run/run_folder.h"
#include "run/sweep_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const struct kind {
    const char *name, *format;
    bool (*read)(json_t *object, const char *path, struct error *error);
    void (*print)(FILE *out, const json_t *object);
} kinds[] = {
    {"dataset",    INDEX_FORMAT,      info_read_dataset,    info_print_performances},
    {"shard",      SHARD_FORMAT,      info_read_shard,      info_print_performances},
    {"checkpoint", CHECKPOINT_FORMAT, info_read_checkpoint, info_print_checkpoint  },
    {"run",        NULL,              info_read_run,        info_print_run         },
    {"midi",       NULL,              info_read_midi,       info_print_midi        },
    {"sweep",      NULL,              info_read_sweep,      info_print_sweep       },
};
enum { KIND_DATASET, KIND_SHARD, KIND_CHECKPOINT, KIND_RUN, KIND_MIDI, KIND_SWEEP, NUM_KINDS };

static bool holds(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    bool is_there = file_exists(path) || folder_exists(path);
    free(path);
    return is_there;
}

static const struct kind *kind_of_folder(const char *folder, struct error *error)
{
    struct checkpoint_list list;
    if (holds(folder, INDEX_NAME))
        return &kinds[KIND_DATASET];
    if (sweep_folder_is_run(folder))
        return &kinds[KIND_RUN];
    if (info_is_sweep(folder))
        return &kinds[KIND_SWEEP];
    if (!checkpoint_list_make(&list, folder, error))
        return NULL;
    size_t count = list.count;
    checkpoint_list_free(&list);
    if (count > 0 || holds(folder, RUN_METRICS_NAME))
        error_set(error, "%s: is inside a run: give the run's folder (the one above)", folder);
    else
        error_set(error, "%s: is neither a data set (no %s) nor a run (no train folder) nor a folder of runs", folder,
                  INDEX_NAME);
    return NULL;
}

static bool has_midi_name(const char *path)
{
    static const char *const ends[] = {".mid", ".midi", ".kar", ".smf", ".rmi"};
    const char *end = strrchr(path_name(path), '.');
    for (size_t i = 0; end && i < sizeof ends / sizeof *ends; i++)
        if (strcasecmp(end, ends[i]) == 0)
            return true;
    return false;
}

/* By the first bytes: a MIDI file, also one in RIFF. */
static bool is_midi(const char *path)
{
    char first[4] = "";
    FILE *file = fopen(path, "rb");
    bool found = file && fread(first, 1, sizeof first, file) == sizeof first &&
                 (memcmp(first, "MThd", sizeof first) == 0 || memcmp(first, "RIFF", sizeof first) == 0);
    if (file)
        fclose(file);
    return found;
}

static const struct kind *kind_of_file(const char *path, struct error *error)
{
    const struct kind *kind = NULL;
    if (is_midi(path) || has_midi_name(path))
        return &kinds[KIND_MIDI];
    char *format = hdf5_read_format(path, error);
    if (!format)
        return NULL;
    for (int i = 0; i < NUM_KINDS; i++)
        if (kinds[i].format && strcmp(kinds[i].format, format) == 0)
            kind = &kinds[i];
    if (!kind)
        error_set(error, "%s: is not a data set, shard or checkpoint of Drumline, nor a MIDI file", path);
    free(format);
    return kind;
}

/* A data set is described by its folder, also where its index was given. */
static char *path_of_kind(const char *path, const struct kind *kind)
{
    const char *name = path_name(path);
    if (kind != &kinds[KIND_DATASET] || folder_exists(path))
        return format_text("%s", path);
    if (name == path)
        return format_text(".");
    return format_text("%.*s", name - path > 1 ? (int)(name - path - 1) : 1, path);
}

static const struct kind *kind_of(const char *path, struct error *error)
{
    if (folder_exists(path))
        return kind_of_folder(path, error);
    if (file_exists(path))
        return kind_of_file(path, error);
    if (access(path, F_OK) == 0)
        error_set(error, "%s: is neither a regular file nor a folder", path);
    else if (errno == ENOENT)
        error_set(error, "%s: no such file or folder", path);
    else
        error_set_errno(error, errno, "%s: can't look at it", path);
    return NULL;
}

const char *info_kind(const char *path, char **described, struct error *error)
{
    const struct kind *kind = kind_of(path, error);
    if (!kind)
        return NULL;
    *described = path_of_kind(path, kind);
    return kind->name;
}

json_t *info_describe(const char *path, struct error *error)
{
    const struct kind *kind = kind_of(path, error);
    if (!kind)
        return NULL;
    json_t *object = json_object();
    char *whole = path_of_kind(path, kind);
    json_object_set_new(object, "path", json_clean_text(whole));
    json_object_set_new(object, "kind", json_string(kind->name));
    if (!kind->read(object, whole, error)) {
        json_decref(object);
        object = NULL;
    }
    free(whole);
    return object;
}

void info_print(FILE *out, const json_t *description)
{
    const char *name = member_string(description, "kind");
    for (int i = 0; i < NUM_KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0)
            kinds[i].print(out, description);
    info_print_damage(out, description);
}
