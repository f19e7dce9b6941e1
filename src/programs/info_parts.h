/* The kinds of things that info_describe knows, each with its reader and its printer. Readers add members to an object that
 * has "path" already. */
#ifndef DRUMLINE_PROGRAMS_INFO_PARTS_H
#define DRUMLINE_PROGRAMS_INFO_PARTS_H

#include "base/error.h"

#include <jansson.h>

bool info_read_shard(json_t *object, const char *path, struct error *error);
bool info_read_dataset(json_t *object, const char *folder, struct error *error);
void info_print_performances(const json_t *object);

bool info_read_checkpoint(json_t *object, const char *path, struct error *error);
void info_print_checkpoint(const json_t *object);
/* Its members "validation" (nothing where it is NULL) and "hparams_changed". */
void info_print_validation(const json_t *validation);
void info_print_hparams(const json_t *changed);

bool info_read_run(json_t *object, const char *run_dir, struct error *error);
void info_print_run(const json_t *object);

/* The end of a metrics.jsonl: {"lines": its last lines of numbers, "event": its last line with an event}. A line that is half
 * written, or is no JSON object, is passed over. NULL where there is no such file. */
json_t *info_read_metrics(const char *path);
void info_print_metrics(const json_t *metrics, const char *title);

/* A JSON string of text that came from outside: what is no UTF-8, or a control character, becomes '?'. */
json_t *info_text(const char *text);

/* Adds a message to the object's list "damage". */
void info_add_damage(json_t *object, const char *message);

/* Members, with 0 and "" where they are missing. */
int64_t info_int(const json_t *object, const char *key);
double info_number(const json_t *object, const char *key);
const char *info_string(const json_t *object, const char *key);

/* "  LABEL        text", wrapped at 80 columns. */
void info_print_field(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `text` in a column of that many characters, cut where it is longer. */
void info_print_column(const char *text, int width);

#endif
