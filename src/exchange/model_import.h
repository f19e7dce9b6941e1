/* A model from foreign tensors: finds out what model they are, by notes of ours or by names and shapes, and puts them in their
 * places. Names are ours (docs/models.md) or Magenta's (exchange/magenta_names.h). */
#ifndef DRUMLINE_EXCHANGE_MODEL_IMPORT_H
#define DRUMLINE_EXCHANGE_MODEL_IMPORT_H

#include "exchange/foreign_tensors.h"
#include "model/checkpoint.h"

enum { MODEL_IMPORT_LEFT_SIZE = 256 };

struct model_import {
    struct checkpoint checkpoint;      /* config, hparams, step, and what notes say */
    struct tensor_table table;         /* of its hparams */
    float *values;                     /* [table.num_floats]; owned */
    struct latents latents;            /* empty: none */
    char left[MODEL_IMPORT_LEFT_SIZE]; /* kinds of tensors of a training, which a model does not have; "": none */
    bool is_guessed;                   /* whether the config is known by names and shapes alone */
};

/* Makes a model of `tensors`, which are finished. What the tensors do not say comes from `config` (NULL: not given) and
 * `changes` ("a=1,b=[2,3]", or NULL), and sizes of layers from their shapes. Fails, with a reason that names no file, where
 * config and tensors do not fit, where several configs do and none is given, and where tensors are missing, have other shapes,
 * are not finite, or belong to no such model; all of them are named, up to a number. Frees all on failure. */
bool model_import_make(struct model_import *import, struct foreign_tensors *tensors, const struct config *config,
                       const char *changes, struct error *error);

void model_import_free(struct model_import *import);

#endif
