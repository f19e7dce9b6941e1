/* How a function says what went wrong.
 *
 * A function that can fail returns bool and takes a `struct error *` as its last argument. On failure it returns false
 * and has set the message: one sentence that names the file (or flag) and the reason, without a final newline. On
 * success the error is left as it was. The caller owns the struct; nothing is allocated. */
#ifndef DRUMLINE_BASE_ERROR_H
#define DRUMLINE_BASE_ERROR_H

#include <stdbool.h>

enum { ERROR_MESSAGE_SIZE = 2048 };

struct error {
    char message[ERROR_MESSAGE_SIZE]; /* NUL-terminated; cut with "..." where it would not fit */
    int number;                       /* errno's, where the system failed; 0 where a check of ours did */
};

/* Sets the message and returns false, so that a failing function can end with `return error_set(error, ...)`. */
bool error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As error_set, with ": " and strerror(error_number) added. Take a copy of errno before anything can change it. */
bool error_set_errno(struct error *error, int error_number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, for a failure for want of memory: the number is ENOMEM. */
bool error_set_no_memory(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "CONTEXT: " before the message that is there, and returns false. */
bool error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts more behind the message that is there, and returns false; the number stays. */
bool error_append(struct error *error, const char *text);

/* clang-tidy's analyzer sees one file at a time, and would follow paths on which a failing function succeeds. */
#if defined(__clang_analyzer__) && !defined(DRUMLINE_BASE_ERROR_C)
#define error_set(...) ((void)error_set(__VA_ARGS__), false)
#define error_set_errno(...) ((void)error_set_errno(__VA_ARGS__), false)
#define error_set_no_memory(...) ((void)error_set_no_memory(__VA_ARGS__), false)
#define error_prefix(...) ((void)error_prefix(__VA_ARGS__), false)
#define error_append(...) ((void)error_append(__VA_ARGS__), false)
#endif

#endif
