#include "programs/generate_play.h"

#include "base/files.h"
#include "base/log.h"
#include "data/batch.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    PLAYED_AT_ONCE = 48,   /* windows: what a thread works in then fits a core's cache beside the weights */
    WRITTEN_AT_ONCE = 192, /* at most: files that are flushed together */
    ROWS_AT_ONCE = 12,     /* of which the batches of a piece should be multiples, for the products' sake */
};

/* What all threads share. Pieces are taken, and their files named, in order. */
struct crew {
    const struct generate_work *work;
    int piece_size, num_pieces;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t turn;  /* next_named or failed has changed */
    int next_taken, next_named;
    bool failed;
    struct error error; /* once failed */
    double started;
};

/* One thread. */
struct member {
    struct crew *crew;
    pthread_t thread;
    struct player_scratch *scratch;
    float *z;                  /* [PLAYED_AT_ONCE, Z] */
    float *music;              /* [PLAYED_AT_ONCE, T, D] */
    struct atomic_file *files; /* [piece_size] */
    int num_staged;
};

static bool stage_window(struct member *member, int number, const float *rows, struct error *error)
{
    const struct generate_work *work = member->crew->work;
    struct grid grid;
    if (!grid_from_window(&grid, rows, (uint32_t)player_shape(work->player)->steps, work->qpm, error))
        return error_prefix(error, "the checkpoint's model");
    bool ok = generate_output_stage(&member->files[member->num_staged], work->output, number, &grid, error);
    member->num_staged += ok;
    grid_free(&grid);
    return ok;
}

/* Outputs first .. first + count - 1, into files without names yet. */
static bool play_and_stage(struct member *member, int first, int count, struct error *error)
{
    const struct generate_work *work = member->crew->work;
    const struct player_shape *shape = player_shape(work->player);
    struct player_request request = work->request;
    request.batch = count;
    request.first_output = (uint32_t)first;
    work->make_latents(work->context, member->z, first, count);
    player_play(member->music, member->z, work->player, member->scratch, &request);
    for (int i = 0; work->output && i < count; i++)
        if (!stage_window(member, first + i, member->music + (size_t)i * (size_t)(shape->steps * shape->depth), error))
            return false;
    return true;
}

static bool make_piece(struct member *member, int piece, struct error *error)
{
    const struct crew *crew = member->crew;
    int first = piece * crew->piece_size, end = first + crew->piece_size;
    if (end > crew->work->count)
        end = crew->work->count;
    member->num_staged = 0;
    for (; first < end; first += PLAYED_AT_ONCE)
        if (!play_and_stage(member, first, end - first < PLAYED_AT_ONCE ? end - first : PLAYED_AT_ONCE, error))
            return false;
    return atomic_file_flush_all(member->files, member->num_staged, error);
}

/* Names the files of a piece when it is its turn. The lock is held. */
static void deliver(struct member *member, int piece, bool ok, struct error *error)
{
    struct crew *crew = member->crew;
    struct generate_output *output = crew->work->output;
    while (!crew->failed && crew->next_named != piece)
        pthread_cond_wait(&crew->turn, &crew->lock);
    if (crew->failed || !ok) {
        for (int i = 0; i < member->num_staged; i++)
            atomic_file_abandon(&member->files[i]);
        if (!ok && !crew->failed && output)
            generate_output_failed(output, error);
    } else if (output) {
        ok = generate_output_name(output, member->files, member->num_staged, error);
        log_progress("%d of %d, %.0f s", output->written, output->count, clock_seconds() - crew->started);
    }
    if (!ok && !crew->failed) {
        crew->failed = true;
        crew->error = *error;
    }
    crew->next_named++;
    pthread_cond_broadcast(&crew->turn);
}

static void *play_pieces(void *context)
{
    struct member *member = context;
    struct crew *crew = member->crew;
    pthread_mutex_lock(&crew->lock);
    while (!crew->failed && crew->next_taken < crew->num_pieces) {
        struct error error;
        int piece = crew->next_taken++;
        pthread_mutex_unlock(&crew->lock);
        bool ok = make_piece(member, piece, &error);
        pthread_mutex_lock(&crew->lock);
        deliver(member, piece, ok, &error);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

static bool member_make(struct member *member, struct crew *crew, struct error *error)
{
    const struct player_shape *shape = player_shape(crew->work->player);
    int batch = crew->piece_size < PLAYED_AT_ONCE ? crew->piece_size : PLAYED_AT_ONCE;
    size_t window = (size_t)shape->steps * (size_t)shape->depth;
    *member = (struct member){.crew = crew};
    member->scratch = player_scratch_make(crew->work->player, batch, error);
    member->z = malloc((size_t)batch * (size_t)shape->z_size * sizeof(float));
    member->music = malloc((size_t)batch * window * sizeof(float));
    member->files = calloc((size_t)crew->piece_size, sizeof *member->files);
    if (!member->scratch)
        return false;
    return (member->z && member->music && member->files) || error_set(error, "no memory for %d windows", batch);
}

static void member_free(struct member *member)
{
    player_scratch_free(member->scratch);
    free(member->z);
    free(member->music);
    free(member->files);
}

/* Pieces of equal size, so that all threads are done at about the same time. Returns the number of threads that are of
 * use. */
static int share_out(struct crew *crew)
{
    int count = crew->work->count, threads = crew->work->threads < count ? crew->work->threads : count;
    int rounds = (count + threads * WRITTEN_AT_ONCE - 1) / (threads * WRITTEN_AT_ONCE);
    crew->piece_size = (count + threads * rounds - 1) / (threads * rounds);
    if (crew->piece_size > ROWS_AT_ONCE)
        crew->piece_size = (crew->piece_size + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE * ROWS_AT_ONCE;
    crew->num_pieces = (count + crew->piece_size - 1) / crew->piece_size;
    return threads < crew->num_pieces ? threads : crew->num_pieces;
}

/* The calling thread is one of them. Where the system gives fewer than wanted, those do it. */
static void run_members(struct member *members, int count)
{
    int started = 1;
    while (started < count && pthread_create(&members[started].thread, NULL, play_pieces, &members[started]) == 0)
        started++;
    play_pieces(&members[0]);
    for (int i = 1; i < started; i++)
        pthread_join(members[i].thread, NULL);
}

bool generate_play(const struct generate_work *work, struct error *error)
{
    struct crew crew = {.work = work, .started = clock_seconds()};
    int threads = share_out(&crew), made = 0;
    struct member *members = calloc((size_t)threads, sizeof *members);
    bool ok = members || error_set(error, "no memory for %d threads", threads);
    pthread_mutex_init(&crew.lock, NULL);
    pthread_cond_init(&crew.turn, NULL);
    while (ok && made < threads)
        ok = member_make(&members[made++], &crew, error);
    if (ok) {
        run_members(members, threads);
        ok = !crew.failed;
        if (!ok)
            *error = crew.error;
    }
    for (int i = 0; i < made; i++)
        member_free(&members[i]);
    free(members);
    pthread_cond_destroy(&crew.turn);
    pthread_mutex_destroy(&crew.lock);
    return ok && (!work->output || atomic_file_flush_folder(work->output->folder, error));
}
