/* Messages to standard error, and to a log file of this process's own. Besides what signal handlers need, the only
 * global mutable state of the project: a level, the program's name, the rank and its host, the file.
 *
 * A message speaks either for the whole job, and is printed by rank 0 alone, or for the process that says it: then it is
 * printed by that process and, where there are several ranks, names its rank and host. One call is one write(2), so lines of
 * several ranks do not mix.
 *
 * | says                                       | for the job               | for this process                     |
 * |--------------------------------------------|---------------------------|--------------------------------------|
 * | "PROGRAM: error: ...", at every level      | `log_job_error`           | `log_error`, with "rank N (HOST): "  |
 * | "PROGRAM: warning: ..."                    | `log_job_warning`         | `log_warning`, the same              |
 * | the text alone                             | `log_info`, `log_debug`   | `log_debug_here`, the same           |
 *
 * One thread at a time may use the log: where several threads of a process do, a lock of theirs keeps them apart.
 *
 * The file, where one is open, gets everything that this process says, whatever the level and the rank, each line with
 * the time and its level before it. */
#ifndef DRUMLINE_BASE_LOG_H
#define DRUMLINE_BASE_LOG_H

#include "base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* The choices of the flag --log, in the order of enum log_level. */
#define LOG_LEVEL_CHOICES "error|warning|info|debug"

void log_set_program(const char *name); /* `name` must outlive the program's use of the log */
void log_set_level(enum log_level level);
void log_set_rank(int rank, int num_ranks, const char *host); /* `host` is copied */
enum log_level log_get_level(void);

/* Opens the file, made if missing and else gone on with at its end; one that is open already is closed. If it can't be
 * written to later on (a full disk), that is warned of once and the file is closed. */
bool log_open_file(const char *path, struct error *error);

void log_job_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_job_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug_here(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* To the file alone. */
void log_record(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line that replaces the one before it, for progress. Printed at level info by rank 0, only where standard error is a
 * terminal, and never to the file; the next message of any kind starts on a line of its own. */
void log_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool log_is_terminal(void);

#endif
