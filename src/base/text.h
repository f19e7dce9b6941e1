/* Text in memory. */
#ifndef DRUMLINE_BASE_TEXT_H
#define DRUMLINE_BASE_TEXT_H

#include <stdbool.h>

/* printf into new memory that the caller frees. Aborts where there is no memory for a few bytes. */
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "s" for the noun of any count but 1: printf("%zu file%s", count, PLURAL(count)). */
#define PLURAL(count) ((count) == 1 ? "" : "s")

/* Whether the text is valid UTF-8 without ASCII control characters. Overlong forms, surrogates and code points above U+10FFFF
 * are not valid. */
bool text_is_utf8(const char *text);

#endif
