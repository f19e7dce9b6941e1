/* Playing from a trained model: all that a generator needs of one, and nothing else. No gradients, no buffers for all steps,
 * no BLAS: weights are packed once for the panel products of model/kernels/kernels.h.
 *
 * A player is only read once it is made, so any number of threads may play from it at once, each with a scratch of its own.
 * A window's music and a latent vector's mean are the same bits whatever the batch, the scratch and the thread: every row of
 * a product is summed by itself, always in the same order.
 *
 * Use: player_make; then, on each thread, player_scratch_make and player_play or player_encode as often as wanted. No
 * function but these two makers takes memory. */
#ifndef DRUMLINE_MODEL_INFERENCE_PLAYER_H
#define DRUMLINE_MODEL_INFERENCE_PLAYER_H

#include "model/vae/params.h"

struct player;
struct player_scratch;

struct player_shape {
    int steps;        /* T of a window */
    int depth;        /* D: numbers a step */
    int num_controls; /* C: of each step; 0 where the model is told no hits */
    int z_size;       /* Z */
};

/* Rows of the table, from the first, whose values a player reads: all where it `encodes`, else the decoder's. */
int player_num_tensors(const struct param_table *table, bool encodes);

/* Packs what it needs of values, which need reach no further than those tensors and are not needed afterwards. Where it does
 * not encode, only player_play may be called. NULL and the error set where memory is short. Free with player_free. */
struct player *player_make(const struct hparams *hparams, const struct param_table *table, const float *values,
                           bool encodes, struct error *error);
void player_free(struct player *player);

const struct player_shape *player_shape(const struct player *player);

/* What one thread works in, for up to max_batch windows at a time. NULL and the error set where memory is short. */
struct player_scratch *player_scratch_make(const struct player *player, int max_batch, struct error *error);
void player_scratch_free(struct player_scratch *scratch);

/* What is played, beside the latent vectors. */
struct player_request {
    int batch;             /* B: windows, up to max_batch */
    const float *controls; /* [T, C], the same for all windows; NULL where C is 0 */
    float temperature;     /* above 0: hits are drawn with probability sigmoid(logit / temperature) */
    uint64_t seed;
    uint32_t first_output; /* window b's random numbers depend on seed and first_output + b alone */
};

/* music [B, T, D] from z [B, Z], step by step, each fed the one before it as it was played. */
void player_play(float *music, const float *z, const struct player *player, struct player_scratch *scratch,
                 const struct player_request *request);

/* mu [Z]: the mean of the latent vector of one window, input [T, D] with controls [T, C] (NULL where C is 0). */
void player_encode(float *mu, const float *input, const float *controls, const struct player *player,
                   struct player_scratch *scratch);

#endif
