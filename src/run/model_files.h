/* Model files by the name of their config, NAME.h5: those that are shipped with Drumline, and the user's own. */
#ifndef DRUMLINE_RUN_MODEL_FILES_H
#define DRUMLINE_RUN_MODEL_FILES_H

#include "base/error.h"

/* The environment's list of folders, separated by colons. */
#define MODEL_FILES_VARIABLE "DRUMLINE_MODELS"

/* The path of the first CONFIG.h5 in models_dir (unless NULL), the folders of DRUMLINE_MODELS, and beside the program:
 * ../share/drumline/models from its folder where it is installed, and models/ of the source tree where it was built. `program` is
 * argv[0], found in PATH where it is no path; NULL: those two are skipped. The path is the caller's; NULL and the error set,
 * with the folders, where there is none. */
char *model_files_find(const char *config, const char *models_dir, const char *program, struct error *error);

#endif
