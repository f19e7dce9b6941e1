#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

char *format_text(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (!text) {
        fprintf(stderr, "drumline: no memory for a line of text\n");
        abort();
    }
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

/* The length of the UTF-8 character that begins at `bytes`, 0 where it is none (Unicode 15, table 3-7). */
static int utf8_length(const uint8_t *bytes)
{
    static const struct {
        uint8_t first, last, second_low, second_high;
        int length;
    } forms[] = {
        {0x20, 0x7e, 0,    0,    1},
        {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (bytes[0] < forms[i].first || bytes[0] > forms[i].last)
            continue;
        if (forms[i].length > 1 && (bytes[1] < forms[i].second_low || bytes[1] > forms[i].second_high))
            return 0;
        for (int k = 2; k < forms[i].length; k++)
            if ((bytes[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

/* The same, and 0 for U+0080 to U+009F. */
static int printable_length(const uint8_t *bytes)
{
    bool is_control = bytes[0] == 0xc2 && bytes[1] < 0xa0;
    return is_control ? 0 : utf8_length(bytes);
}

static bool consists_of(const char *text, int (*length_of)(const uint8_t *bytes))
{
    const uint8_t *bytes = (const uint8_t *)text;
    while (*bytes != 0) {
        int length = length_of(bytes);
        if (length == 0)
            return false;
        bytes += length;
    }
    return true;
}

bool text_is_utf8(const char *text)
{
    return consists_of(text, utf8_length);
}

bool text_is_printable(const char *text)
{
    return consists_of(text, printable_length);
}

void text_make_printable(char *text)
{
    while (*text != '\0') {
        int length = *text == '\n' || *text == '\t' ? 1 : printable_length((const uint8_t *)text);
        if (length == 0)
            *text = '?';
        text += length == 0 ? 1 : length;
    }
}
