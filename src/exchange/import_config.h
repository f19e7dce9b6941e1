/* Which model foreign tensors are of: from their notes, their names and their shapes. */
#ifndef DRUMLINE_EXCHANGE_IMPORT_CONFIG_H
#define DRUMLINE_EXCHANGE_IMPORT_CONFIG_H

#include "exchange/foreign_tensors.h"
#include "model/checkpoint.h"

/* Fills config and hparams of `checkpoint`, and with notes the rest that they say; *is_magentas: whether the tensors have
 * Magenta's names. `config` and `changes` are what is given (NULL: nothing). Fails, with a reason that names no file, where they
 * do not fit the tensors, where several configs would, or where the tensors are of nothing that is known. */
bool import_config_find(struct checkpoint *checkpoint, bool *is_magentas, const struct foreign_tensors *tensors,
                        const struct config *config, const char *changes, struct error *error);

#endif
