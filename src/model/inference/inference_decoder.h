/* The decoder for inference: what generation needs of a trained model, and nothing else. No gradients, no buffers for all
 * steps, no BLAS: weights are packed once for the packed GEMMs of model/kernels/kernels.h.
 *
 * It is read-only once it is made, so any number of threads may decode at once, each with a scratch of its own. A window's
 * music and a latent vector's mean are the same bits whatever the batch, the scratch and the thread: every row of a GEMM is
 * summed by itself, always in the same order.
 *
 * Use: inference_decoder_make; then, on each thread, inference_scratch_make and inference_decode or inference_encode as often
 * as wanted. Only the two makers take memory. */
#ifndef DRUMLINE_MODEL_INFERENCE_INFERENCE_DECODER_H
#define DRUMLINE_MODEL_INFERENCE_INFERENCE_DECODER_H

#include "model/inference/feel_noise.h"
#include "model/nn/tensors.h"
#include "model/vae/model_shape.h"

struct inference_decoder;
struct inference_scratch;

/* Rows of the table, from the first, whose values a decoder reads: all where it `encodes`, else the decoder's. */
int inference_decoder_num_tensors(const struct tensor_table *table, bool encodes);

/* Packs what it needs of values, which need reach no further than those tensors and are not needed afterwards. Where it does
 * not encode, only inference_decode may be called. NULL and the error set where memory is short. Free with inference_decoder_free. */
struct inference_decoder *inference_decoder_make(const struct hparams *hparams, const struct tensor_table *table,
                                                 const float *values, bool encodes, struct error *error);
void inference_decoder_free(struct inference_decoder *decoder);

const struct model_shape *inference_decoder_shape(const struct inference_decoder *decoder);

/* What one thread works in, for up to max_batch windows at a time. NULL and the error set where memory is short. */
struct inference_scratch *inference_scratch_make(const struct inference_decoder *decoder, int max_batch,
                                                 struct error *error);
void inference_scratch_free(struct inference_scratch *scratch);

/* What is decoded, beside the latent vectors. */
struct inference_request {
    int batch;              /* B: windows, up to max_batch */
    const float *controls;  /* [T, C]; NULL where C is 0 */
    size_t controls_stride; /* numbers from one window's controls to the next one's; 0: the same for all */

    /* [T, D]: music whose hits are kept. Every step's hits are its, all other columns the model's (output_heads_keep), and that
     * is what the next step is fed. NULL: hits are drawn. */
    const float *kept;
    size_t kept_stride; /* numbers from one window's to the next one's; 0: the same for all */

    /* [T, D]: what is fed as the step before each, in place of the music's (teacher forcing). NULL: the music's own. */
    const float *taught;
    size_t taught_stride; /* numbers from one window's to the next one's; 0: the same for all */

    const float *before; /* [B, D]: what is fed as the step before the first; NULL: silence, as in training */
    /* What is added to velocities and offsets of hits, before they are fed to the next step; hits themselves get none. NULL, or
     * without values: nothing. */
    const struct feel_noise *noise;
    bool raw_feedback; /* a step is fed with the model's own velocities and offsets of drums that are not hit too, as
                          Magenta does; else with 0, as in training */
    float temperature; /* above 0: hits are drawn with probability sigmoid(logit / temperature) */
    uint64_t seed;
    uint32_t first_output; /* window b's random numbers depend on seed, first_output + b and `window` alone */
    bool same_numbers; /* those of all windows are the ones of output 0: windows differ by their latent vectors alone */
    uint32_t window;   /* of a longer piece: which, from 0 */
};

/* music [B, T, D] from z [B, Z], step by step, each fed the step before as it was sampled. The noise is drawn from a stream of
 * its own (RANDOM_FEEL_NOISE), so that the first step's hits are the same with and without. */
void inference_decode(float *music, const float *z, const struct inference_decoder *decoder,
                      struct inference_scratch *scratch, const struct inference_request *request);

/* mu [Z]: the mean of the latent vector of one window, input [T, D] with controls [T, C] (NULL where C is 0). */
void inference_encode(float *mu, const float *input, const float *controls, const struct inference_decoder *decoder,
                      struct inference_scratch *scratch);

#endif
