/* Files of one JSON object a line, which grow. The file must be a regular one. */
#ifndef DRUMLINE_RUN_JSON_LINES_H
#define DRUMLINE_RUN_JSON_LINES_H

#include "base/error.h"

#include <jansson.h>

/* Whether others may be appending to the file, too. */
enum json_lines_writers { ONE_WRITER, SEVERAL_WRITERS };

/* Appends `object`, whose reference it takes, as a line of FOLDER/NAME with one write, so that readers see whole lines and those of
 * several writers do not mix; makes the folder. What a full disk cuts of a single writer's line is taken back; of several none
 * can do so without cutting what another has appended since, so the next line then begins on a line of its own. */
bool json_lines_append(const char *folder, const char *name, json_t *object, enum json_lines_writers writers,
                       struct error *error);

#endif
