#include "base/log.h"

#include "base/descriptor.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 8192, PREFIX_SIZE = 512, HOST_SIZE = 256, STAMP_SIZE = 64, NO_FILE = -1 };

static struct {
    const char *program;
    enum log_level level;
    int rank, num_ranks;
    char host[HOST_SIZE];
    bool progress_is_open; /* the cursor stands behind a progress line */
    int file;              /* descriptor, or NO_FILE */
    char *file_path;       /* owned */
} log_state = {.program = "drumline", .level = LOG_LEVEL_INFO, .num_ranks = 1, .file = NO_FILE};

enum audience { FOR_JOB, FOR_PROCESS };

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_set_program(const char *name)
{
    log_state.program = name;
}

void log_set_level(enum log_level level)
{
    log_state.level = level;
}

void log_set_rank(int rank, int num_ranks, const char *host)
{
    log_state.rank = rank;
    log_state.num_ranks = num_ranks;
    snprintf(log_state.host, sizeof log_state.host, "%s", host);
}

enum log_level log_get_level(void)
{
    return log_state.level;
}

bool log_is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

static void close_file(void)
{
    if (log_state.file != NO_FILE)
        close(log_state.file);
    free(log_state.file_path);
    log_state.file = NO_FILE;
    log_state.file_path = NULL;
}

bool log_open_file(const char *path, struct error *error)
{
    close_file();
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    if (file < 0)
        return error_set_errno(error, errno, "%s: can't write the log", path);
    log_state.file_path = format_text("%s", path);
    log_state.file = file;
    return true;
}

static void make_text(char text[LINE_SIZE], const char *format, va_list arguments)
{
    int length = vsnprintf(text, LINE_SIZE, format, arguments);
    if (length < 0)
        length = snprintf(text, LINE_SIZE, "(a message that could not be written: %s)", format);
    if (length >= LINE_SIZE)
        memcpy(text + LINE_SIZE - 4, "...", 4);
    text_make_printable(text); /* names of files may hold control sequences for a terminal */
}

/* A failure to write to standard error can't be reported anywhere. */
static void print(const char *prefix, const char *text)
{
    char line[PREFIX_SIZE + LINE_SIZE + 2];
    int length = snprintf(line, sizeof line, "%s%s%s\n", log_state.progress_is_open ? "\n" : "", prefix, text);
    log_state.progress_is_open = false;
    if (length > 0)
        (void)descriptor_write(STDERR_FILENO, line, (size_t)length);
}

/* "2026-01-31T12:00:00.000Z", and the level. */
static void make_stamp(char stamp[STAMP_SIZE], enum log_level level)
{
    struct timespec now;
    struct tm date;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &date);
    size_t used = strftime(stamp, STAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &date);
    snprintf(stamp + used, STAMP_SIZE - used, ".%03ldZ %-7s ", now.tv_nsec / 1000000, level_names[level]);
}

/* Every line of a text of several gets its stamp. */
static void write_to_file(enum log_level level, const char *text)
{
    char stamp[STAMP_SIZE], line[STAMP_SIZE + LINE_SIZE + 1], warning[LINE_SIZE];
    if (log_state.file == NO_FILE)
        return;
    make_stamp(stamp, level);
    for (const char *part = text; part;) {
        size_t length = strcspn(part, "\n");
        int size = snprintf(line, sizeof line, "%s%.*s\n", stamp, (int)length, part);
        part = part[length] && part[length + 1] ? part + length + 1 : NULL;
        int reason = descriptor_write(log_state.file, line, (size_t)size);
        if (reason == 0)
            continue;
        snprintf(warning, sizeof warning, "%s: can't write (%s): this log ends here, the program continues",
                 log_state.file_path, strerror(reason));
        close_file();
        log_warning("%s", warning);
        return;
    }
}

static void make_prefix(char prefix[PREFIX_SIZE], enum log_level level, enum audience audience)
{
    char program[128] = "", rank[HOST_SIZE + 32] = "", label[16] = "";
    if (level <= LOG_LEVEL_WARNING) {
        snprintf(program, sizeof program, "%.100s: ", log_state.program);
        snprintf(label, sizeof label, "%s: ", level_names[level]);
    }
    if (audience == FOR_PROCESS && log_state.num_ranks > 1)
        snprintf(rank, sizeof rank, "rank %d (%s): ", log_state.rank, log_state.host);
    snprintf(prefix, PREFIX_SIZE, "%s%s%s", program, rank, label);
}

/* For callers, a message leaves errno as it was. */
static void say(enum log_level level, enum audience audience, const char *format, va_list arguments)
{
    char text[LINE_SIZE], prefix[PREFIX_SIZE];
    bool prints = level <= log_state.level && (audience == FOR_PROCESS || log_state.rank == 0);
    int error_number = errno;
    if (!prints && log_state.file == NO_FILE)
        return;
    make_text(text, format, arguments);
    if (prints) {
        make_prefix(prefix, level, audience);
        print(prefix, text);
    }
    write_to_file(level, text);
    errno = error_number;
}

/* The body of a function of the interface. */
#define SAY(level, audience)                                                                                           \
    do {                                                                                                               \
        va_list arguments;                                                                                             \
        va_start(arguments, format);                                                                                   \
        say(level, audience, format, arguments);                                                                       \
        va_end(arguments);                                                                                             \
    } while (0)

void log_job_error(const char *format, ...)
{
    SAY(LOG_LEVEL_ERROR, FOR_JOB);
}

void log_error(const char *format, ...)
{
    SAY(LOG_LEVEL_ERROR, FOR_PROCESS);
}

void log_job_warning(const char *format, ...)
{
    SAY(LOG_LEVEL_WARNING, FOR_JOB);
}

void log_warning(const char *format, ...)
{
    SAY(LOG_LEVEL_WARNING, FOR_PROCESS);
}

void log_info(const char *format, ...)
{
    SAY(LOG_LEVEL_INFO, FOR_JOB);
}

void log_debug(const char *format, ...)
{
    SAY(LOG_LEVEL_DEBUG, FOR_JOB);
}

void log_debug_here(const char *format, ...)
{
    SAY(LOG_LEVEL_DEBUG, FOR_PROCESS);
}

void log_record(const char *format, ...)
{
    char text[LINE_SIZE];
    int error_number = errno;
    va_list arguments;
    va_start(arguments, format);
    make_text(text, format, arguments);
    va_end(arguments);
    write_to_file(LOG_LEVEL_INFO, text);
    errno = error_number;
}

/* A line longer than the terminal is wide would wrap, and '\r' would not reach its beginning. */
static size_t terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
        return 80;
    return size.ws_col;
}

void log_progress(const char *format, ...)
{
    if (log_state.level < LOG_LEVEL_INFO || log_state.rank != 0 || !log_is_terminal())
        return;
    char text[LINE_SIZE], line[LINE_SIZE + 8];
    va_list arguments;
    va_start(arguments, format);
    make_text(text, format, arguments);
    va_end(arguments);
    int length = snprintf(line, sizeof line, "\r%.*s\033[K", (int)terminal_columns() - 1, text);
    (void)descriptor_write(STDERR_FILENO, line, (size_t)length);
    log_state.progress_is_open = true;
}
