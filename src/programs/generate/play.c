#include "programs/generate/play.h"

#include "base/clock.h"
#include "base/io/background.h"
#include "base/log.h"
#include "data/dataset/batch.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    PLAYED_AT_ONCE = 48, /* windows at most: what a thread works in then fits a core's cache beside the weights */
    ROWS_AT_ONCE = 12,   /* of which a piece should be a multiple, for the products' sake */
};

/* What all threads share. Pieces are taken, and their files named, in order. */
struct crew {
    const struct generate_work *work;
    int num_pieces;
    bool whole_rows;      /* pieces are multiples of ROWS_AT_ONCE */
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t turn;  /* next_named or failed has changed */
    int next_taken, next_named;
    bool failed;
    struct error error; /* once failed */
    double started;
};

/* Outputs that are played at once, and the files that were made of them. */
struct piece {
    struct crew *crew;
    int number;
    struct atomic_file files[PLAYED_AT_ONCE]; /* [num_staged] */
    int num_staged, num_silent;               /* num_silent: of these, without a hit */
    bool ok;                                  /* so far; else the error is set */
    struct error error;
};

/* One thread. While the files of a piece wait for the disk it plays the next. */
struct member {
    struct crew *crew;
    pthread_t thread;
    struct inference_scratch *scratch;
    float *z;     /* [PLAYED_AT_ONCE, Z] */
    float *music; /* [PLAYED_AT_ONCE, T, D] */
    struct piece pieces[2];
};

/* The first output of a piece; of the piece after the last: how many there are. */
static int first_of(const struct crew *crew, int number)
{
    int64_t count = crew->work->count, first = count * number / crew->num_pieces;
    if (crew->whole_rows)
        first = (first + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE * ROWS_AT_ONCE;
    return (int)(first < count ? first : count);
}

static bool stage_window(struct piece *piece, int number, const float *rows, struct error *error)
{
    const struct generate_work *work = piece->crew->work;
    struct grid grid;
    if (!grid_from_window(&grid, rows, work->bars, work->qpm, work->transform, error))
        return error_prefix(error, "the checkpoint's model");
    bool ok = generate_output_stage(&piece->files[piece->num_staged], work->output, number, &grid, error);
    piece->num_staged += ok;
    piece->num_silent += ok && grid_count_hits(&grid) == 0;
    grid_free(&grid);
    return ok;
}

/* Plays a piece, into files without names yet. */
static void make_piece(struct piece *piece, struct member *member)
{
    const struct crew *crew = member->crew;
    const struct generate_work *work = crew->work;
    const struct model_shape *shape = inference_decoder_shape(work->decoder);
    int first = first_of(crew, piece->number), count = first_of(crew, piece->number + 1) - first;
    struct inference_request request = work->request;
    request.batch = count;
    request.first_output = (uint32_t)first;
    work->make_latents(work->context, member->z, first, count);
    inference_decode(member->music, member->z, work->decoder, member->scratch, &request);
    piece->num_staged = piece->num_silent = 0;
    piece->ok = true;
    for (int i = 0; work->output && piece->ok && i < count; i++)
        piece->ok = stage_window(piece, first + i, member->music + (size_t)i * (size_t)(shape->steps * shape->depth),
                                 &piece->error);
}

/* Names the files of a piece when it is its turn. The lock is held. */
static void name_piece(struct piece *piece)
{
    struct crew *crew = piece->crew;
    struct generate_output *output = crew->work->output;
    while (!crew->failed && crew->next_named != piece->number)
        pthread_cond_wait(&crew->turn, &crew->lock);
    if (crew->failed || !piece->ok) {
        for (int i = 0; i < piece->num_staged; i++)
            atomic_file_abandon(&piece->files[i]);
        if (!crew->failed && output)
            generate_output_failed(output, &piece->error);
    } else if (output) {
        piece->ok = generate_output_name(output, piece->files, piece->num_staged, &piece->error);
        output->num_silent += piece->num_silent;
    }
    if (!piece->ok && !crew->failed) {
        crew->failed = true;
        crew->error = piece->error;
    }
    crew->next_named++;
    pthread_cond_broadcast(&crew->turn);
}

static void deliver_piece(void *context)
{
    struct piece *piece = context;
    piece->ok = piece->ok && atomic_file_flush_all(piece->files, piece->num_staged, &piece->error);
    pthread_mutex_lock(&piece->crew->lock);
    name_piece(piece);
    pthread_mutex_unlock(&piece->crew->lock);
}

/* The number of the next piece to play; -1 where there is none. */
static int take_piece(struct crew *crew)
{
    const struct generate_output *output = crew->work->output;
    pthread_mutex_lock(&crew->lock);
    int number = !crew->failed && crew->next_taken < crew->num_pieces ? crew->next_taken++ : -1;
    if (output && output->written > 0)
        log_progress("%d of %d, %.0f s", output->written, output->count, clock_seconds() - crew->started);
    pthread_mutex_unlock(&crew->lock);
    return number;
}

/* Where the system has no thread to give for the delivery, the one that played does it. */
static void *play_pieces(void *context)
{
    struct member *member = context;
    struct error no_thread;
    struct background *delivery = background_start(&no_thread);
    int side = 0, number;
    while ((number = take_piece(member->crew)) >= 0) {
        struct piece *piece = &member->pieces[side];
        piece->crew = member->crew;
        piece->number = number;
        make_piece(piece, member);
        if (delivery)
            background_begin(delivery, deliver_piece, piece);
        else
            deliver_piece(piece);
        side = 1 - side;
    }
    background_stop(delivery);
    return NULL;
}

static bool member_make(struct member *member, struct crew *crew, struct error *error)
{
    const struct model_shape *shape = inference_decoder_shape(crew->work->decoder);
    int batch = crew->work->count < PLAYED_AT_ONCE ? crew->work->count : PLAYED_AT_ONCE;
    size_t window = (size_t)shape->steps * (size_t)shape->depth;
    *member = (struct member){.crew = crew};
    member->scratch = inference_scratch_make(crew->work->decoder, batch, error);
    member->z = malloc((size_t)batch * (size_t)shape->z_size * sizeof(float));
    member->music = malloc((size_t)batch * window * sizeof(float));
    if (!member->scratch)
        return false;
    return (member->z && member->music) || error_set(error, "no memory for %d windows", batch);
}

static void member_free(struct member *member)
{
    inference_scratch_free(member->scratch);
    free(member->z);
    free(member->music);
}

/* Staged files stay open until they are flushed, so a limit on open files limits the threads. The soft limit may be raised. */
static int most_threads(void)
{
    enum { SPARE = 64, OPEN_OF_A_THREAD = 2 * PLAYED_AT_ONCE };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1;
    limit.rlim_cur = limit.rlim_max;
    (void)!setrlimit(RLIMIT_NOFILE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= SPARE + OPEN_OF_A_THREAD)
        return 1;
    rlim_t threads = (limit.rlim_cur - SPARE) / OPEN_OF_A_THREAD;
    return threads < INT_MAX ? (int)threads : INT_MAX;
}

/* As many pieces for each thread, so that all are done at about the same time. Returns the number of threads that are of
 * use. */
static int share_out(struct crew *crew)
{
    int count = crew->work->count, threads = crew->work->threads < count ? crew->work->threads : count;
    int most = crew->work->output ? most_threads() : threads;
    threads = threads < most ? threads : most;
    int rounds = (count + threads * PLAYED_AT_ONCE - 1) / (threads * PLAYED_AT_ONCE);
    crew->num_pieces = threads * rounds;
    crew->whole_rows = count > crew->num_pieces * ROWS_AT_ONCE;
    return threads;
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
