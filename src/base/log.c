#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINE_SIZE = 8192, PREFIX_SIZE = 160 };

static struct {
    const char *program;
    enum log_level level;
    int rank, num_ranks;
    bool progress_is_open; /* the cursor stands behind a progress line */
} log_state = {.program = "drumline", .level = LOG_LEVEL_INFO, .num_ranks = 1};

void log_set_program(const char *name)
{
    log_state.program = name;
}

void log_set_level(enum log_level level)
{
    log_state.level = level;
}

void log_set_rank(int rank, int num_ranks)
{
    log_state.rank = rank;
    log_state.num_ranks = num_ranks;
}

enum log_level log_get_level(void)
{
    return log_state.level;
}

bool log_is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

static void write_all(const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* nobody listens, and there is no other place to say so */
        bytes += written;
        size -= (size_t)written;
    }
}

/* Names of files are part of messages, and may hold what would drive a terminal. */
static void replace_control_characters(char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && *text != '\n' && *text != '\t') || *text == 0x7f)
            *text = '?';
}

/* Appends the message to line[used..LINE_SIZE - 1) and returns the new length; one byte stays free for a newline. */
static size_t add_message(char line[LINE_SIZE], size_t used, const char *format, va_list arguments)
{
    size_t room = LINE_SIZE - 1 - used;
    int length = vsnprintf(line + used, room, format, arguments);
    if (length < 0)
        length = snprintf(line + used, room, "(a message that could not be written: %s)", format);
    replace_control_characters(line + used);
    if ((size_t)length < room)
        return used + (size_t)length;
    memcpy(line + LINE_SIZE - 5, "...", 4);
    return LINE_SIZE - 2;
}

static void write_message(const char *prefix, const char *format, va_list arguments)
{
    char line[LINE_SIZE];
    size_t used = 0;
    int error_number = errno;
    if (log_state.progress_is_open)
        line[used++] = '\n';
    log_state.progress_is_open = false;
    size_t length = strlen(prefix);
    memcpy(line + used, prefix, length);
    used = add_message(line, used + length, format, arguments);
    line[used++] = '\n';
    write_all(line, used);
    errno = error_number;
}

static void write_labelled(const char *label, const char *format, va_list arguments)
{
    char prefix[PREFIX_SIZE];
    if (log_state.num_ranks > 1)
        snprintf(prefix, sizeof prefix, "%.100s: [rank %d] %s", log_state.program, log_state.rank, label);
    else
        snprintf(prefix, sizeof prefix, "%.100s: %s", log_state.program, label);
    write_message(prefix, format, arguments);
}

void log_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_labelled("error: ", format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    if (log_state.level < LOG_LEVEL_WARNING)
        return;
    va_list arguments;
    va_start(arguments, format);
    write_labelled("warning: ", format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    if (log_state.level < LOG_LEVEL_INFO || log_state.rank != 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    write_message("", format, arguments);
    va_end(arguments);
}

void log_debug(const char *format, ...)
{
    if (log_state.level < LOG_LEVEL_DEBUG || log_state.rank != 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    write_message("", format, arguments);
    va_end(arguments);
}

void log_debug_here(const char *format, ...)
{
    if (log_state.level < LOG_LEVEL_DEBUG)
        return;
    char prefix[PREFIX_SIZE] = "";
    if (log_state.num_ranks > 1)
        snprintf(prefix, sizeof prefix, "[rank %d] ", log_state.rank);
    va_list arguments;
    va_start(arguments, format);
    write_message(prefix, format, arguments);
    va_end(arguments);
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
    static const char clear_to_end[] = "\033[K";
    char line[LINE_SIZE];
    line[0] = '\r';
    va_list arguments;
    va_start(arguments, format);
    size_t used = add_message(line, 1, format, arguments);
    va_end(arguments);
    size_t columns = terminal_columns();
    if (used > columns)
        used = columns;
    if (used > LINE_SIZE - sizeof clear_to_end)
        used = LINE_SIZE - sizeof clear_to_end;
    memcpy(line + used, clear_to_end, sizeof clear_to_end - 1);
    write_all(line, used + sizeof clear_to_end - 1);
    log_state.progress_is_open = true;
}
