#include "run/checkpoint_writer.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/io/atomic_file.h"
#include "base/io/background.h"
#include "base/io/files.h"
#include "base/log.h"
#include "run/retention.h"
#include "run/run_folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double longest_wait = 1;

struct checkpoint_writer {
    struct checkpoint_place place;
    struct background *background;
    struct arena arena;
    double begun;          /* clock_seconds */
    double longest;        /* seconds */
    bool reported_failure; /* the failure, to the caller */
    bool reported;         /* the last one written, to the log */

    /* The thread's while it is busy. */
    struct checkpoint state;
    struct tensor_group snapshot[CHECKPOINT_WRITER_MAX_GROUPS]; /* the groups' names, and copies of their values */
    enum { CHECKPOINT, BEST, TRIAL } kind;
    double ended; /* clock_seconds */
    bool failed, can_not_prune;
    struct error error, warning;
};

static void lay_out(struct arena *arena, struct checkpoint_writer *writer)
{
    const struct checkpoint_place *place = &writer->place;
    for (size_t i = 0; i < place->num_groups; i++)
        writer->snapshot[i] =
            (struct tensor_group){place->groups[i].name, arena_floats(arena, place->table->num_floats)};
}

struct checkpoint_writer *checkpoint_writer_make(const struct checkpoint_place *place, struct error *error)
{
    struct checkpoint_writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        error_set(error, "no memory to write checkpoints");
        return NULL;
    }
    writer->place = *place;
    writer->reported = true;
    writer->arena = arena_measure();
    lay_out(&writer->arena, writer);
    if (!arena_reserve(&writer->arena, error)) {
        free(writer);
        return NULL;
    }
    lay_out(&writer->arena, writer);
    writer->background = background_start(error);
    if (!writer->background) {
        arena_free(&writer->arena);
        free(writer);
        return NULL;
    }
    return writer;
}

static size_t num_groups(const struct checkpoint_writer *writer)
{
    return writer->kind == BEST ? 1 : writer->place.num_groups;
}

/* The run still being ours is asked last before the name. A trial gets none. */
static bool write_file(struct checkpoint_writer *writer, struct atomic_file *file, struct error *error)
{
    const struct checkpoint_place *place = &writer->place;
    const struct checkpoint_content content = {place->table, writer->snapshot, num_groups(writer), CHECKPOINT_FLOAT32,
                                               NULL};
    bool ok = checkpoint_write(file, &writer->state, &content, error) && atomic_file_flush(file, error) &&
              run_lock_held(place->lock, error);
    if (ok && writer->kind != TRIAL)
        return atomic_file_commit(file, error);
    atomic_file_abandon(file);
    return ok;
}

/* A job that takes the run over removes what we are writing, were it just before the name: that it has the run is then the
 * better reason to report. */
static bool write_snapshot(struct checkpoint_writer *writer, const char *path, struct error *error)
{
    const struct checkpoint_place *place = &writer->place;
    struct atomic_file file;
    struct error lost;
    if (!run_lock_held(place->lock, error) || !atomic_file_start(&file, path, error))
        return false;
    bool ok = write_file(writer, &file, error);
    if (!ok && !run_lock_held(place->lock, &lost))
        *error = lost;
    if (ok && writer->kind == CHECKPOINT)
        writer->can_not_prune =
            !retention_apply(place->folder, place->to_keep, place->keep_one_in_hours, &writer->warning);
    return ok;
}

static char *path_of(const struct checkpoint_writer *writer)
{
    if (writer->kind == BEST)
        return path_join(writer->place.folder, RUN_BEST_NAME);
    char *name = checkpoint_name(writer->state.step), *path = path_join(writer->place.folder, name);
    free(name);
    return path;
}

/* On the thread, which leaves it to the caller's to speak. */
static void work(void *context)
{
    struct checkpoint_writer *writer = context;
    char *path = path_of(writer);
    writer->failed = !write_snapshot(writer, path, &writer->error);
    writer->ended = clock_seconds();
    free(path);
}

/* Once for each that was written. */
static void report(struct checkpoint_writer *writer)
{
    if (writer->reported)
        return;
    writer->reported = true;
    double seconds = writer->ended - writer->begun;
    writer->longest = fmax(writer->longest, seconds);
    if (writer->failed)
        return;
    char *path = path_of(writer);
    log_debug("%s %s in %.3f s", writer->kind == TRIAL ? "tried to write" : "wrote", path, seconds);
    if (writer->can_not_prune)
        log_warning("%s", writer->warning.message);
    free(path);
}

/* All floats of a row after another, what lies between rows included: it is part of no tensor. */
static void take_snapshot(struct checkpoint_writer *writer, const struct checkpoint *state)
{
    const struct checkpoint_place *place = &writer->place;
    writer->state = *state;
    for (size_t i = 0; i < num_groups(writer); i++)
        memcpy(writer->snapshot[i].values, place->groups[writer->kind == BEST ? place->best_group : i].values,
               place->table->num_floats * sizeof(float));
}

static bool begin(struct checkpoint_writer *writer, const struct checkpoint *state, int kind, struct error *error)
{
    if (!checkpoint_writer_wait(writer, error))
        return false;
    writer->kind = kind;
    take_snapshot(writer, state);
    writer->can_not_prune = false;
    writer->reported = false;
    writer->begun = clock_seconds();
    background_begin(writer->background, work, writer);
    return true;
}

bool checkpoint_writer_begin(struct checkpoint_writer *writer, const struct checkpoint *state, struct error *error)
{
    return begin(writer, state, CHECKPOINT, error);
}

bool checkpoint_writer_begin_best(struct checkpoint_writer *writer, const struct checkpoint *state, struct error *error)
{
    return begin(writer, state, BEST, error);
}

bool checkpoint_writer_try(struct checkpoint_writer *writer, const struct checkpoint *state, struct error *error)
{
    return begin(writer, state, TRIAL, error);
}

bool checkpoint_writer_is_busy(struct checkpoint_writer *writer)
{
    bool busy = background_is_busy(writer->background);
    if (!busy)
        report(writer);
    return busy;
}

bool checkpoint_writer_has_failed(struct checkpoint_writer *writer)
{
    return !checkpoint_writer_is_busy(writer) && writer->failed;
}

bool checkpoint_writer_wait(struct checkpoint_writer *writer, struct error *error)
{
    while (!background_wait(writer->background, longest_wait))
        ;
    report(writer);
    if (!writer->failed)
        return true;
    writer->reported_failure = true;
    *error = writer->error;
    return false;
}

double checkpoint_writer_longest_seconds(struct checkpoint_writer *writer)
{
    bool busy = checkpoint_writer_is_busy(writer);
    return fmax(writer->longest, busy ? clock_seconds() - writer->begun : 0);
}

void checkpoint_writer_free(struct checkpoint_writer *writer)
{
    struct error error;
    if (!writer)
        return;
    bool was_reported = writer->reported_failure;
    if (!checkpoint_writer_wait(writer, &error) && !was_reported)
        log_warning("%s", error.message);
    background_stop(writer->background);
    arena_free(&writer->arena);
    free(writer);
}
