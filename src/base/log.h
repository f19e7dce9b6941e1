/* Messages to standard error. The only global mutable state of the project: a level, the program's name and the rank.
 *
 * `log_info` and `log_debug` speak for the whole job and are printed by rank 0 alone; `log_warning`, `log_error` and
 * `log_debug_here` speak for the process that calls them and carry its rank where there are several. One call is one
 * write(2), so lines of several ranks do not mix. */
#ifndef DRUMLINE_BASE_LOG_H
#define DRUMLINE_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* The choices of the flag --log, in the order of enum log_level. */
#define LOG_LEVEL_CHOICES "error|warning|info|debug"

void log_set_program(const char *name); /* `name` must outlive the program's use of the log */
void log_set_level(enum log_level level);
void log_set_rank(int rank, int num_ranks);
enum log_level log_get_level(void);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug_here(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line that replaces the one before it, for progress. Printed at level info by rank 0, only where standard error is a
 * terminal; the next message of any kind starts on a line of its own. */
void log_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool log_is_terminal(void);

#endif
