#include "programs/train/decoding.h"

#include "base/threads.h"

#include <pthread.h>
#include <stdlib.h>

struct crew {
    const struct decoding_work *work;
    pthread_mutex_t lock; /* of all that follows */
    size_t next;          /* the first window that no thread has taken */
    bool failed;
    struct error error; /* once failed */
};

struct member {
    struct crew *crew;
    struct decoding_piece piece;
};

static bool member_make(struct member *member, struct crew *crew, struct error *error)
{
    const struct model_shape *shape = inference_decoder_shape(crew->work->decoder);
    size_t steps = (size_t)shape->steps, window = steps * (size_t)shape->depth;
    struct decoding_piece *piece = &member->piece;
    *member = (struct member){.crew = crew};
    piece->scratch = inference_scratch_make(crew->work->decoder, DECODING_PIECE, error);
    piece->z = malloc(DECODING_PIECE * (size_t)shape->z_size * sizeof(float));
    piece->music = malloc(DECODING_PIECE * window * sizeof(float));
    piece->input = malloc(window * sizeof(float));
    piece->target = malloc(DECODING_PIECE * window * sizeof(float));
    piece->sums = calloc(crew->work->num_numbers, sizeof(uint64_t));
    if (shape->num_controls > 0)
        piece->controls = malloc(DECODING_PIECE * steps * (size_t)shape->num_controls * sizeof(float));
    if (!piece->scratch)
        return false;
    return (piece->z && piece->music && piece->input && piece->target && piece->sums &&
            (piece->controls || shape->num_controls == 0)) ||
           error_set(error, "no memory to decode %d windows", DECODING_PIECE);
}

static void member_free(struct member *member)
{
    inference_scratch_free(member->piece.scratch);
    free(member->piece.z);
    free(member->piece.music);
    free(member->piece.input);
    free(member->piece.target);
    free(member->piece.controls);
    free(member->piece.sums);
}

static bool take_piece(struct decoding_piece *piece, struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    size_t left = crew->work->first + crew->work->count - crew->next;
    piece->first = crew->next;
    piece->count = crew->failed ? 0 : left < DECODING_PIECE ? (int)left : DECODING_PIECE;
    crew->next += (size_t)piece->count;
    pthread_mutex_unlock(&crew->lock);
    return piece->count > 0;
}

static void *measure_pieces(void *context)
{
    struct member *member = context;
    struct crew *crew = member->crew;
    struct error error;
    while (take_piece(&member->piece, crew)) {
        if (crew->work->measure(crew->work->context, &member->piece, &error))
            continue;
        pthread_mutex_lock(&crew->lock);
        crew->failed = true;
        crew->error = error;
        pthread_mutex_unlock(&crew->lock);
    }
    return NULL;
}

bool decoding_run(uint64_t *sums, const struct decoding_work *work, struct error *error)
{
    struct crew crew = {.work = work, .next = work->first};
    int threads = work->threads > 0 ? work->threads : 1, made = 0;
    struct member *members = calloc((size_t)threads, sizeof *members);
    bool ok = members || error_set(error, "no memory for %d threads", threads);
    pthread_mutex_init(&crew.lock, NULL);
    while (ok && made < threads)
        ok = member_make(&members[made++], &crew, error);
    if (ok) {
        threads_run(measure_pieces, members, sizeof *members, threads);
        ok = !crew.failed;
        if (!ok)
            *error = crew.error;
    }
    for (size_t i = 0; i < work->num_numbers; i++)
        sums[i] = 0;
    for (int m = 0; m < made; m++) {
        const uint64_t *numbers = members[m].piece.sums;
        for (size_t i = 0; ok && i < work->num_numbers; i++)
            sums[i] += numbers[i];
        member_free(&members[m]);
    }
    free(members);
    pthread_mutex_destroy(&crew.lock);
    return ok;
}
