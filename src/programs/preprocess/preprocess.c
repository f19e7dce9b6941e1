#include "programs/preprocess/preprocess.h"

#include "base/clock.h"
#include "base/io/atomic_file.h"
#include "base/io/background.h"
#include "base/io/files.h"
#include "base/io/foreign_file.h"
#include "base/log.h"
#include "base/text.h"
#include "data/dataset/folder.h"
#include "data/dataset/index.h"
#include "data/dataset/intake.h"
#include "dist/stats.h"
#include "dist/work_share.h"
#include "programs/preprocess/job.h"
#include "programs/preprocess/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool preprocess_options_check(const struct preprocess_options *options, struct time_signature *beat, int *channel,
                              struct error *error)
{
    bool has_output = options->output_dir || options->output_file;
    if (!options->input_dir || !has_output)
        return error_set(error, "give --%s DIR", !options->input_dir ? "input_dir" : "output_dir");
    if (options->output_dir && options->output_file)
        return error_set(error, "--output_dir and --output_file are the same: give one");
    if (!foreign_file_check(options->input_dir, error))
        return error_prefix(error, "--input_dir");
    if (options->beat != NULL && !options->is_beat)
        return error_set(error, "--beat %s does nothing without --is_beat=True", options->beat);
    if (!drum_channel_parse(channel, options->channel ? options->channel : "auto", error))
        return error_prefix(error, "--channel");
    return time_signature_parse(beat, options->beat != NULL ? options->beat : "4-4", error) ||
           error_prefix(error, "--beat");
}

static bool refuse_data_set(const struct preprocess_options *options, struct error *error)
{
    return error_set(error, "%s: already holds a data set: give --overwrite to replace it, or another --output_dir",
                     options->output_dir);
}

/* The uppermost folder on the way to `path` that is not there, owned by the caller; NULL where all are. */
static char *first_missing(const char *path)
{
    for (size_t length = 1; length <= strlen(path); length++) {
        if (path[length] != '/' && path[length] != '\0')
            continue;
        char *above = format_text("%.*s", (int)length, path);
        if (!folder_exists(above))
            return above;
        free(above);
    }
    return NULL;
}

/* Removes the folders that a job which failed has made, where nothing is in them. */
static void remove_made(const char *made, const char *output)
{
    char *path = format_text("%s", output);
    for (size_t length = strlen(path); length >= strlen(made); length--) {
        if (path[length] != '/' && path[length] != '\0')
            continue;
        path[length] = '\0';
        rmdir(path);
    }
    free(path);
}

/* From here on the output folder is this job's alone. */
static bool check_output(struct job *job, struct error *error)
{
    const struct preprocess_options *options = job->options;
    if (!folder_check(options->input_dir, error))
        return error_prefix(error, "--input_dir");
    job->made = first_missing(options->output_dir);
    if (!folder_make(options->output_dir, error) || !dataset_folder_lock(&job->lock, options->output_dir, error) ||
        !dataset_folder_recover(options->output_dir, error))
        return false;
    bool holds;
    return dataset_folder_holds_one(&holds, options->output_dir, error) &&
           (!holds || options->overwrite || refuse_data_set(options, error));
}

/* By the names that they will have in the data set: those that are no UTF-8 text have others than on the disk. */
static int compare_shown(const void *left, const void *right)
{
    char *a = intake_shown_path(*(char *const *)left), *b = intake_shown_path(*(char *const *)right);
    int order = strcmp(a ? a : "", b ? b : "");
    free(a);
    free(b);
    return order;
}

static void sort_paths(struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!text_is_utf8(list->paths[i])) {
            qsort(list->paths, list->count, sizeof *list->paths, compare_shown);
            return;
        }
}

static bool join_paths(struct job *job, size_t *size, const struct file_list *list, struct error *error)
{
    *size = 0;
    for (size_t i = 0; i < list->count; i++)
        *size += strlen(list->paths[i]) + 1;
    job->path_text = malloc(*size + 1);
    if (job->path_text == NULL)
        return error_set(error, "no memory for %zu file names", list->count);
    char *to = job->path_text;
    for (size_t i = 0; i < list->count; i++)
        to = stpcpy(to, list->paths[i]) + 1;
    return true;
}

/* What has the name of a MIDI file, or may hold some, and can't be read: a failure, or asked to be skipped, named and counted.
 * A folder that is called like a MIDI file is nothing that is missing. */
static bool take_skipped(struct job *job, const struct file_list *list, struct error *error)
{
    const struct preprocess_options *options = job->options;
    for (size_t i = 0; i < list->num_skipped; i++) {
        const struct skipped_path *skipped = &list->skipped[i];
        const char *reason = path_skip_text(skipped->reason);
        if (skipped->reason == PATH_FOLDER) {
            log_debug_here("%s: %s, skipped", skipped->path, reason);
            continue;
        }
        char *path = path_join(options->input_dir, skipped->path);
        if (skipped->error_number != 0)
            error_set_errno(error, skipped->error_number, "%s: %s", path, reason);
        else
            error_set(error, "%s: %s", path, reason);
        free(path);
        if (!options->skip_unreadable)
            return error_append(error, "; --skip_unreadable skips it");
        log_warning("skipped: %s", error->message);
        if (skipped->reason == PATH_UNREADABLE_FOLDER) {
            job->num_unreadable_folders++;
        } else {
            job->counts.sums.num_files++;
            job->counts.sums.skipped[SKIPPED_UNREADABLE]++;
        }
    }
    return true;
}

/* Rank 0's look at the folders: is there something to do, and may it be done? */
static bool look_around(struct job *job, size_t *size, struct error *error)
{
    static const char *const suffixes[] = {".mid", ".midi", ".kar", ".smf", ".rmi", NULL};
    const struct preprocess_options *options = job->options;
    struct file_list list;
    if (!check_output(job, error) || !file_list_make(&list, options->input_dir, options->recursive, suffixes, error))
        return false;
    bool ok = take_skipped(job, &list, error);
    if (ok && list.count == 0)
        ok = error_set(error, "%s: holds no MIDI file (.mid, .midi, .kar, .smf, .rmi)%s", options->input_dir,
                       options->recursive ? "" : ": give --recursive to look in the folders below it too");
    job->num_paths = list.count;
    sort_paths(&list);
    ok = ok && join_paths(job, size, &list, error);
    file_list_free(&list);
    return ok && dataset_folder_stage(&job->staging, options->output_dir, error);
}

/* Hands text of rank 0 to all; on the others it is theirs to free. */
static bool broadcast_text(struct comm *comm, char **text, size_t size, struct error *error)
{
    bool ok = true;
    if (comm_rank(comm) != 0) {
        *text = malloc(size + 1);
        ok = *text != NULL || error_set(error, "no memory for %zu bytes of file names", size);
    }
    if (!comm_all_ok(comm, ok, error))
        return false;
    comm_broadcast(comm, *text, size, 0);
    return true;
}

static bool share_paths(struct job *job, size_t size, struct error *error)
{
    uint64_t sizes[3] = {size, job->num_paths, job->staging != NULL ? strlen(job->staging) + 1 : 0};
    comm_broadcast(job->comm, sizes, sizeof sizes, 0);
    job->num_paths = (size_t)sizes[1];
    if (!broadcast_text(job->comm, &job->path_text, (size_t)sizes[0], error) ||
        !broadcast_text(job->comm, &job->staging, (size_t)sizes[2], error))
        return false;
    job->paths = malloc(job->num_paths * sizeof *job->paths);
    bool ok = job->paths != NULL || error_set(error, "no memory for %zu file names", job->num_paths);
    if (!comm_all_ok(job->comm, ok, error))
        return false;
    const char *path = job->path_text;
    for (size_t i = 0; i < job->num_paths; i++, path += strlen(path) + 1)
        job->paths[i] = path;
    return true;
}

static bool choose_drum_map(struct job *job, struct error *error)
{
    const char *name = job->options->drum_map;
    if (!name || strcmp(name, "auto") == 0)
        name = job->splits.is_groove ? "roland" : "general";
    return drum_map_find(&job->rules.map, name, error) || error_prefix(error, "--drum_map");
}

static bool list_files(struct job *job, struct error *error)
{
    size_t size = 0;
    bool ok = comm_rank(job->comm) != 0 || look_around(job, &size, error);
    if (!comm_all_ok(job->comm, ok, error) || !share_paths(job, size, error))
        return false;
    ok = splits_read(&job->splits, job->options->input_dir, job->options->skip_unreadable, error) &&
         choose_drum_map(job, error);
    return comm_all_ok(job->comm, ok, error);
}

/* On a terminal a line that moves; in a log a line now and then. */
static void report_progress(const struct job *job, const struct work_share *share, double started, double *logged)
{
    enum { LOG_SECONDS = 10 };
    double now = clock_seconds(), elapsed = now - started;
    if (comm_rank(job->comm) != 0 || now - *logged < 0.1)
        return;
    bool terminal = log_is_terminal();
    if (!terminal && now - *logged < LOG_SECONDS)
        return;
    *logged = now;
    size_t handed_out = work_share_handed_out(share);
    double rate = (double)handed_out / elapsed, left = (double)(job->num_paths - handed_out) / rate;
    if (terminal)
        log_progress("%zu of %zu files, %.0f files/s, %.0f s left", handed_out, job->num_paths, rate, left);
    else
        log_info("%zu of %zu files, %.0f files/s, %.0f s left", handed_out, job->num_paths, rate, left);
}

static void sum_counts(struct job *job)
{
    struct intake_counts *counts = &job->counts;
    struct dataset_counts *sums = &counts->sums;
    uint64_t *const singles[] = {&sums->num_files,      &sums->num_kept,
                                 &sums->num_hits,       &sums->num_unknown,
                                 &sums->num_melodic,    &sums->num_silent_bars,
                                 &counts->num_repaired, &counts->num_lossy,
                                 &counts->num_replaced, &counts->num_name_signatures};
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++)
        comm_sum_counts(job->comm, singles[i], 1);
    comm_sum_counts(job->comm, sums->skipped, NUM_SKIP_REASONS);
    comm_sum_counts(job->comm, counts->census.notes, NUM_PITCHES);
    comm_sum_counts(job->comm, counts->census.files, NUM_PITCHES);
    comm_sum_counts(job->comm, counts->repairs, NUM_MIDI_REPAIRS);
    comm_sum_counts(job->comm, counts->evidence, NUM_DRUM_EVIDENCE);
}

static char *staged_shard(const struct job *job, int rank)
{
    char *name = shard_name((uint32_t)rank, (uint32_t)comm_size(job->comm));
    char *path = path_join(job->staging, name);
    free(name);
    return path;
}

/* Begins this rank's shard. */
static bool start_shard(struct job *job, struct error *error)
{
    enum { MOST_MEMORY = 64 << 20 }; /* bytes of compressed cells that a rank holds */
    char *path = staged_shard(job, comm_rank(job->comm));
    bool ok = atomic_file_start(&job->flushing.file, path, error);
    free(path);
    if (ok)
        shard_writer_start(&job->shard, &job->flushing.file, MOST_MEMORY);
    return ok;
}

static bool read_files(struct job *job, struct error *error)
{
    bool ok = start_shard(job, error);
    size_t first, end;
    double started = clock_seconds(), logged = started;
    struct work_share *share = work_share_start(job->comm, job->num_paths);
    while (work_share_next(share, &first, &end))
        for (size_t i = first; i < end; i++) {
            /* A rank that has no memory or disk left still answers the others, and takes its share to throw away. */
            ok = ok && intake_file(&job->shard, &job->counts, job->options->input_dir, job->paths[i], &job->splits,
                                   &job->rules, error);
            work_share_answer(share);
            report_progress(job, share, started, &logged);
        }
    work_share_finish(share);
    if (!comm_all_ok(job->comm, ok, error))
        return false;
    sum_counts(job);
    preprocess_report(job);
    return job->counts.sums.num_kept > 0 ||
           error_set(error, "%s: no performances to keep: see the counts above", job->options->input_dir);
}

static void flush_shard(void *context)
{
    struct flushing *flushing = context;
    flushing->ok = atomic_file_flush(&flushing->file, &flushing->error) &&
                   atomic_file_name_over(&flushing->file, &flushing->error);
}

/* Writes the shard, and leaves it to be flushed: beside what follows, where there is a thread for that. */
static bool write_shard(struct job *job, struct error *error)
{
    struct error no_thread;
    bool ok = shard_writer_write(&job->shard, &job->flushing.file, error);
    job->background = ok ? background_start(&no_thread) : NULL;
    if (job->background != NULL)
        background_begin(job->background, flush_shard, &job->flushing);
    else if (ok)
        flush_shard(&job->flushing);
    return comm_all_ok(job->comm, ok, error);
}

/* Of all ranks' packed tables, one after another. */
static bool unpack_tables(struct performance_table *tables, const uint8_t *packed, const size_t *sizes, int num_shards,
                          struct error *error)
{
    for (int rank = 0; rank < num_shards; packed += sizes[rank++])
        if (!performance_table_unpack(&tables[rank], packed, sizes[rank], error))
            return false;
    return true;
}

/* On rank 0, from all ranks' packed tables. */
static bool make_index(struct job *job, const uint8_t *packed, const size_t *sizes, struct error *error)
{
    int num_shards = comm_size(job->comm);
    struct performance_table *tables = calloc((size_t)num_shards, sizeof *tables);
    bool ok = tables != NULL || error_set(error, "no memory for the tables of %d shards", num_shards);
    ok = ok && unpack_tables(tables, packed, sizes, num_shards, error) &&
         dataset_index_make(&job->index, tables, (uint32_t)num_shards, &job->counts.sums, error);
    job->index.drum_map = job->rules.map;
    job->index.num_lost = pitch_census_lost(job->index.lost, &job->counts.census, &job->rules.map);
    job->index.representation = job->options->representation;
    for (int rank = 0; tables != NULL && rank < num_shards; rank++)
        performance_table_free(&tables[rank]);
    free(tables);
    return ok;
}

/* Under a temporary name: a staged index says that all shards are on the disk. */
static bool write_staged_index(struct job *job, struct error *error)
{
    char *path = path_join(job->staging, INDEX_NAME);
    bool ok =
        atomic_file_start(&job->index_file, path, error) && dataset_index_write(&job->index, &job->index_file, error);
    free(path);
    return ok;
}

static bool write_index(struct job *job, struct error *error)
{
    size_t size = 0, *sizes = NULL;
    uint8_t *packed = NULL, *all = NULL;
    bool ok = performance_table_pack(&packed, &size, &job->shard.table, error);
    if (comm_all_ok(job->comm, ok, error)) {
        comm_gather(job->comm, packed, size, &all, &sizes);
        ok = comm_rank(job->comm) != 0 || (make_index(job, all, sizes, error) && write_staged_index(job, error));
        ok = comm_all_ok(job->comm, ok, error);
    } else {
        ok = false;
    }
    free(sizes);
    free(all);
    free(packed);
    return ok;
}

/* Waits until all that is staged is on the disk. */
static bool flush_staged(struct job *job, struct error *error)
{
    bool ok = comm_rank(job->comm) != 0 || atomic_file_flush(&job->index_file, error);
    background_stop(job->background);
    job->background = NULL;
    if (!job->flushing.ok)
        *error = job->flushing.error;
    return comm_all_ok(job->comm, ok && job->flushing.ok, error);
}

/* On rank 0. */
static bool commit(struct job *job, struct error *error)
{
    const struct dataset_index *index = &job->index;
    const char *output = job->options->output_dir;
    /* Another job may have been quicker. */
    bool holds;
    if (!dataset_folder_holds_one(&holds, output, error))
        return false;
    if (holds && !job->options->overwrite)
        return refuse_data_set(job->options, error);
    if (!dataset_folder_check(job->staging, index->num_shards, error) || !folder_lock_held(&job->lock, error) ||
        !atomic_file_name_over(&job->index_file, error))
        return false;
    job->committing = true;
    if (!dataset_folder_commit(output, job->staging, index->num_shards, error))
        return error_prefix(error,
                            "%s: the data set is complete in %s but could not be moved into place (run this again)",
                            output, job->staging);
    log_info("%s: %llu steps (%llu hits) in %u shard%s, content_sha256 %s", output,
             (unsigned long long)index->num_steps, (unsigned long long)index->counts.num_hits, index->num_shards,
             PLURAL(index->num_shards), index->content_sha256);
    return true;
}

static bool put_in_place(struct job *job, struct error *error)
{
    bool ok = comm_rank(job->comm) != 0 || commit(job, error);
    return comm_all_ok(job->comm, ok, error);
}

/* What the ranks do, one after another; each is collective, and all ranks agree on how it ended. */
static const struct {
    const char *name;
    bool (*run)(struct job *job, struct error *error);
} phases[] = {
    {"list files",      list_files  },
    {"read, compress",  read_files  },
    {"write shards",    write_shard },
    {"write index",     write_index },
    {"flush to disk",   flush_staged},
    {"move into place", put_in_place},
};

static bool make_data_set(struct job *job, struct error *error)
{
    enum { NUM_PHASES = sizeof phases / sizeof *phases };
    const char *names[NUM_PHASES];
    struct stats stats;
    for (int i = 0; i < NUM_PHASES; i++)
        names[i] = phases[i].name;
    stats_start(&stats, names, NUM_PHASES);
    for (int i = 0; i < NUM_PHASES; i++) {
        stats_phase(&stats, i);
        if (!phases[i].run(job, error))
            return false;
    }
    stats_phase(&stats, -1);
    stats_report(&stats, job->comm, "time by phase");
    return true;
}

static void job_free(struct job *job)
{
    free(job->path_text);
    free(job->paths);
    free(job->staging);
    free(job->made);
    dataset_index_free(&job->index);
    intake_counts_free(&job->counts);
    splits_free(&job->splits);
    shard_writer_free(&job->shard);
}

bool preprocess_run(const struct preprocess_options *options, struct comm *comm, struct error *error)
{
    struct preprocess_options named = *options;
    if (!named.output_dir)
        named.output_dir = named.output_file;
    struct job job = {.comm = comm, .options = &named};
    job.rules.only_beat = options->is_beat;
    job.rules.min_bars = (uint32_t)options->min_bars;
    job.rules.strict = options->strict;
    job.rules.skip_unreadable = options->skip_unreadable;
    job.rules.split_by_path = options->split_by == SPLIT_BY_PATH;
    job.rules.choice.track = options->track;
    bool ok = preprocess_options_check(options, &job.rules.beat, &job.rules.choice.channel, error) &&
              make_data_set(&job, error);
    background_stop(job.background);
    if (!ok)
        comm_barrier(comm); /* nobody flushes any more what rank 0 removes */
    atomic_file_abandon(&job.index_file);
    atomic_file_abandon(&job.flushing.file);
    if (!ok && comm_rank(comm) == 0 && job.staging != NULL && !job.committing && folder_exists(job.staging))
        dataset_folder_discard(job.staging);
    folder_lock_release(&job.lock);
    if (!ok && job.made)
        remove_made(job.made, named.output_dir);
    job_free(&job);
    return ok;
}
