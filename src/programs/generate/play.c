#include "programs/generate/play.h"

#include "base/clock.h"
#include "base/io/background.h"
#include "base/log.h"
#include "base/threads.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    PLAYED_AT_ONCE = 48, /* windows at most: what a thread works in then fits a core's cache beside the weights */
    ROWS_AT_ONCE = 12,   /* of which a piece should be a multiple, for the GEMMs */
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
    struct inference_scratch *scratch;
    float *z;      /* [PLAYED_AT_ONCE, Z] */
    float *music;  /* [PLAYED_AT_ONCE, T, D] */
    float *before; /* [PLAYED_AT_ONCE, D]: the last step of the window before */
    struct grid grids[PLAYED_AT_ONCE];
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

/* Writes the grid of output `number` under a temporary name. */
static bool stage_grid(struct piece *piece, int number, const struct grid *grid, struct error *error)
{
    const struct generate_work *work = piece->crew->work;
    if (!generate_output_stage(&piece->files[piece->num_staged], work->output, number, grid, error))
        return false;
    piece->num_staged++;
    piece->num_silent += grid_count_hits(grid) == 0;
    return true;
}

static bool make_grids(struct member *member, int count, struct error *error)
{
    const struct generate_work *work = member->crew->work;
    for (int i = 0; i < count; i++) {
        if (!grid_make(&member->grids[i], work->bars * GRID_BAR_STEPS, error))
            return false;
        member->grids[i].qpm = work->qpm;
        member->grids[i].time_signature = (struct time_signature){4, 4};
    }
    return true;
}

static void free_grids(struct member *member)
{
    for (int i = 0; i < PLAYED_AT_ONCE; i++)
        grid_free(&member->grids[i]);
}

/* Puts a window's music in its place of the output's grid. */
static bool fill_grid(struct grid *grid, const float *rows, int window, const struct generate_work *work,
                      struct error *error)
{
    uint32_t bars = (uint32_t)(inference_decoder_shape(work->decoder)->steps / GRID_BAR_STEPS);
    uint32_t first = (uint32_t)window * bars, left = work->bars - first;
    size_t cell = (size_t)first * GRID_BAR_STEPS * NUM_DRUMS;
    struct grid part = *grid;
    part.hits += cell;
    part.velocity += cell;
    part.offset += cell;
    part.num_steps = (left < bars ? left : bars) * GRID_BAR_STEPS;
    return work->transform->converter->to_grid(&part, rows, left < bars ? left : bars, error) ||
           error_prefix(error, "the checkpoint's model");
}

/* Plays one window of each output of a piece. */
static bool play_windows(struct member *member, int first, int count, int window, struct error *error)
{
    const struct generate_work *work = member->crew->work;
    const struct model_shape *shape = inference_decoder_shape(work->decoder);
    size_t depth = (size_t)shape->depth, size = (size_t)shape->steps * depth;
    struct inference_request request = work->request;
    bool ok = true;
    for (int i = 0; window > 0 && i < count; i++)
        memcpy(member->before + (size_t)i * depth, member->music + (size_t)(i + 1) * size - depth,
               depth * sizeof(float));
    request.batch = count;
    request.first_output = (uint32_t)first;
    request.window += (uint32_t)window;
    request.before = window > 0 ? member->before : NULL;
    request.controls = request.controls ? request.controls + (size_t)first * request.controls_stride : NULL;
    request.kept = request.kept ? request.kept + (size_t)first * request.kept_stride : NULL;
    work->make_latents(work->context, member->z, first, count, window, member->scratch);
    inference_decode(member->music, member->z, work->decoder, member->scratch, &request);
    for (int i = 0; ok && i < count; i++) {
        if (work->take)
            work->take(work->context, first + i, member->music + (size_t)i * size);
        if (work->output)
            ok = fill_grid(&member->grids[i], member->music + (size_t)i * size, window, work, error);
    }
    return ok;
}

/* Plays a piece, into files without names yet. */
static void make_piece(struct piece *piece, struct member *member)
{
    const struct crew *crew = member->crew;
    const struct generate_work *work = crew->work;
    int first = first_of(crew, piece->number), count = first_of(crew, piece->number + 1) - first;
    piece->num_staged = piece->num_silent = 0;
    piece->ok = !work->output || make_grids(member, count, &piece->error);
    for (int window = 0; piece->ok && window < (work->num_windows > 0 ? work->num_windows : 1); window++)
        piece->ok = play_windows(member, first, count, window, &piece->error);
    for (int i = 0; work->output && piece->ok && i < count; i++)
        piece->ok = stage_grid(piece, first + i, &member->grids[i], &piece->error);
    free_grids(member);
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
    member->before = malloc((size_t)batch * (size_t)shape->depth * sizeof(float));
    if (!member->scratch)
        return false;
    return (member->z && member->music && member->before) || error_set(error, "no memory for %d windows", batch);
}

static void member_free(struct member *member)
{
    inference_scratch_free(member->scratch);
    free(member->z);
    free(member->music);
    free(member->before);
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
        threads_run(play_pieces, members, sizeof *members, threads);
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
