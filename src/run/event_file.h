/* Event files, which TensorBoard reads: records of a length, its checksum, a message, its checksum (TFRecord), where each message
 * is an Event in the encoding of protocol buffers. Source: event.proto, summary.proto and the hparams plugin's
 * plugin_data.proto of TensorFlow and TensorBoard; developers.google.com/protocol-buffers/docs/encoding.
 *
 * Each record is appended by one write, so readers see whole ones, as those of metrics.jsonl. A file is one session's: who resumes
 * opens another, which says from which step on older files are void. */
#ifndef DRUMLINE_RUN_EVENT_FILE_H
#define DRUMLINE_RUN_EVENT_FILE_H

#include "base/cli/settings.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct event_file;

/* Makes FOLDER/events.out.tfevents.SECONDS.HOST.PID, whose first record is the version, and whose second says that a session
 * resumes after `step`: older files' records of later steps are void. The folder must be there. NULL and the error set on failure. */
struct event_file *event_file_open(const char *folder, uint64_t step, struct error *error);
void event_file_close(struct event_file *file); /* NULL is fine */

/* Numbers by tag at a step; those that are not finite are written as they are, as TensorBoard expects. */
struct event_scalar {
    const char *tag;
    double value;
};
bool event_file_put_scalars(struct event_file *file, uint64_t step, const struct event_scalar *scalars, size_t count,
                            struct error *error);

/* A picture: a whole PNG file. */
bool event_file_put_image(struct event_file *file, uint64_t step, const char *tag, const uint8_t *bytes, size_t size,
                          struct error *error);

/* The distribution of values [count], in bins whose bounds grow by a tenth on both sides of 0. What is not finite is not
 * counted. */
bool event_file_put_histogram(struct event_file *file, uint64_t step, const char *tag, const float *values,
                              size_t count, struct error *error);

/* All settings of a table, as the hparams plugin shows them. `values`: the table's struct. */
bool event_file_put_hparams(struct event_file *file, const struct settings_table *table, const void *values,
                            struct error *error);

#endif
