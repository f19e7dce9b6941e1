/* Text in memory. */
#ifndef DRUMLINE_BASE_TEXT_H
#define DRUMLINE_BASE_TEXT_H

#include <stdbool.h>

/* printf into new memory that the caller frees. Aborts where there is no memory for a few bytes. */
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "s" for the noun of any count but 1: printf("%zu file%s", count, PLURAL(count)). */
#define PLURAL(count) ((count) == 1 ? "" : "s")

/* Whether the text is valid UTF-8 without ASCII control characters. Overlong forms, surrogates and code points above U+10FFFF
 * are not valid. U+0080 to U+009F are, as names of files that were converted twice are full of them. */
bool text_is_utf8(const char *text);

/* The same without U+0080 to U+009F, which terminals obey like the control sequences of ESC (U+009B is CSI). What comes from a
 * file and goes to a terminal other than by log.h must be this. */
bool text_is_printable(const char *text);

/* Puts '?' for each byte of a character for which text_is_printable is false, but for newlines and tabs. */
void text_make_printable(char *text);

#endif
