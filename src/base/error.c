#define DRUMLINE_BASE_ERROR_C
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Every message is made here first, because an argument may point into the message that it replaces. */
static void make_message(char text[ERROR_MESSAGE_SIZE], const char *format, va_list arguments)
{
    int length = vsnprintf(text, ERROR_MESSAGE_SIZE, format, arguments);
    if (length < 0)
        snprintf(text, ERROR_MESSAGE_SIZE, "(a message that could not be written: %s)", format);
    if (length >= ERROR_MESSAGE_SIZE)
        memcpy(text + ERROR_MESSAGE_SIZE - 4, "...", 4);
}

static void append(char text[ERROR_MESSAGE_SIZE], const char *more)
{
    size_t length = strlen(text);
    size_t room = ERROR_MESSAGE_SIZE - 1 - length;
    size_t wanted = strlen(more);
    memcpy(text + length, more, wanted < room ? wanted : room);
    text[length + (wanted < room ? wanted : room)] = '\0';
    if (wanted > room)
        memcpy(text + ERROR_MESSAGE_SIZE - 4, "...", 4);
}

bool error_set(struct error *error, const char *format, ...)
{
    char text[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    make_message(text, format, arguments);
    va_end(arguments);
    memcpy(error->message, text, strlen(text) + 1);
    error->number = 0;
    return false;
}

bool error_set_no_memory(struct error *error, const char *format, ...)
{
    char text[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    make_message(text, format, arguments);
    va_end(arguments);
    memcpy(error->message, text, strlen(text) + 1);
    error->number = ENOMEM;
    return false;
}

bool error_set_errno(struct error *error, int error_number, const char *format, ...)
{
    char text[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    make_message(text, format, arguments);
    va_end(arguments);
    append(text, ": ");
    append(text, strerror(error_number));
    memcpy(error->message, text, strlen(text) + 1);
    error->number = error_number;
    return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
    char text[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    make_message(text, format, arguments);
    va_end(arguments);
    append(text, ": ");
    append(text, error->message);
    memcpy(error->message, text, strlen(text) + 1);
    return false;
}

bool error_append(struct error *error, const char *text)
{
    append(error->message, text);
    return false;
}
