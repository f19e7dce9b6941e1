/* The bf16 GEMMs of a model: each shape is prepared when a recording pass first meets it, and weights are packed when a pass
 * first multiplies by them. */
#ifndef DRUMLINE_MODEL_NN_BF16_GEMMS_H
#define DRUMLINE_MODEL_NN_BF16_GEMMS_H

#include "model/nn/bf16_engine.h"

struct bf16_gemms;

/* Takes ownership of the engine, also where it fails. NULL and the error set where memory is short. */
struct bf16_gemms *bf16_gemms_make(struct bf16_engine *engine, struct error *error);
void bf16_gemms_free(struct bf16_gemms *gemms);

struct bf16_engine *bf16_gemms_engine(const struct bf16_gemms *gemms); /* owned by the GEMMs */

/* From here on bf16_gemm prepares GEMMs instead of computing them, until bf16_gemms_end_recording, which fails with the error of
 * the first that could not be prepared. */
void bf16_gemms_begin_recording(struct bf16_gemms *gemms);
bool bf16_gemms_end_recording(struct bf16_gemms *gemms, struct error *error);

/* The weights may have changed: each will be packed again before it is used. */
void bf16_gemms_begin_pass(struct bf16_gemms *gemms);

/* out [rows, columns] = or += the GEMM of that shape. `weights` are floats and stay where they are for as long as the GEMMs
 * live; a kernel's gradient has b instead. A GEMM that was not recorded aborts: it can only be a mistake of ours. */
void bf16_gemm(struct bf16_gemms *gemms, float *out, const uint16_t *a, const float *weights, const uint16_t *b,
               const struct bf16_shape *shape);

#endif
