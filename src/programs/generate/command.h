/* The command that makes a set of files again. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_COMMAND_H
#define DRUMLINE_PROGRAMS_GENERATE_COMMAND_H

#include "programs/generate/options.h"

#include <stdint.h>

/* "drumline-generate --config=NAME --num_outputs=3 --seed=7": the model, by its name where it was found by that, else as the
 * file at `model_path`; every option that is not as by default and that the music depends on; and `seed`, which was chosen where
 * none was given. Owned by the caller. */
char *generate_command(const struct generate_options *options, const char *model_path, uint64_t seed);

#endif
