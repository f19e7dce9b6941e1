/* What the pages of drumline-info share: damage, aligned fields and columns. */
#include "programs/info/kinds.h"
#include "run/json_members.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { PAGE_COLUMNS = 80, FIELD_COLUMN = 14, FIELD_TEXT_MAX = 4096 };

void info_add_damage(json_t *object, const char *message)
{
    json_t *list = json_object_get(object, "damage");
    if (!list) {
        list = json_array();
        json_object_set_new(object, "damage", list);
    }
    json_array_append_new(list, json_clean_text(message));
}

void info_print_damage(FILE *out, const json_t *object)
{
    size_t i;
    json_t *message;
    json_array_foreach(json_object_get(object, "damage"), i, message)
        info_print_field(out, "damage", "%s", json_string_value(message));
}

/* Characters of UTF-8: all bytes but those that go on with one. */
static int columns_of(const char *text, size_t length)
{
    int columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)text[i] & 0xC0) != 0x80;
    return columns;
}

int info_columns_of(const char *text)
{
    return columns_of(text, strlen(text));
}

int info_page_columns(FILE *out)
{
    struct winsize window;
    int descriptor = fileno(out);
    bool known = descriptor >= 0 && ioctl(descriptor, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
    return known ? window.ws_col : PAGE_COLUMNS;
}

void info_print_column(FILE *out, const char *text, int width)
{
    size_t length = strlen(text);
    while (columns_of(text, length) > width)
        length--;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    fprintf(out, "%.*s%*s", (int)length, text, width - columns_of(text, length), "");
}

void info_print_field(FILE *out, const char *label, const char *format, ...)
{
    char text[FIELD_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(out, "  ");
    info_print_column(out, label, FIELD_COLUMN - 2);
    int column = FIELD_COLUMN;
    for (const char *word = text; *word;) {
        size_t length = strcspn(word, " ");
        int columns = columns_of(word, length);
        if (column > FIELD_COLUMN && column + 1 + columns > PAGE_COLUMNS) {
            fprintf(out, "\n%*s", FIELD_COLUMN, "");
            column = FIELD_COLUMN;
        } else if (column > FIELD_COLUMN) {
            putc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)length, word);
        column += columns;
        word += length;
        word += strspn(word, " ");
    }
    putc('\n', out);
}
