/* What the parts of drumline-info share: text from outside, members of objects, aligned lines. */
#include "data/dataset/performance_table.h"
#include "programs/info/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_COLUMNS = 80, FIELD_COLUMN = 14, FIELD_TEXT_MAX = 4096 };

/* UTF-8 without control characters: text_is_utf8 knows those of ASCII, and terminals obey U+0080 to U+009F, too. */
static bool is_plain(const char *text)
{
    for (const unsigned char *byte = (const unsigned char *)text; *byte; byte++)
        if (byte[0] == 0xC2 && byte[1] < 0xA0)
            return false;
    return text_is_utf8(text);
}

json_t *info_text(const char *text)
{
    if (is_plain(text))
        return json_string(text);
    char *clean = malloc(strlen(text) + 1);
    if (!clean)
        return json_string("?");
    for (size_t i = 0; i <= strlen(text); i++)
        clean[i] = text[i] == '\0' || (text[i] >= ' ' && text[i] <= '~') ? text[i] : '?';
    json_t *string = json_string(clean);
    free(clean);
    return string;
}

void info_add_damage(json_t *object, const char *message)
{
    json_t *list = json_object_get(object, "damage");
    if (!list) {
        list = json_array();
        json_object_set_new(object, "damage", list);
    }
    json_array_append_new(list, info_text(message));
}

void info_print_damage(FILE *out, const json_t *object)
{
    size_t i;
    json_t *message;
    json_array_foreach(json_object_get(object, "damage"), i, message)
        info_print_field(out, "damage", "%s", json_string_value(message));
}

int64_t info_int(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    if (json_is_integer(number))
        return (int64_t)json_integer_value(number);
    double value = json_number_value(number), most = 9e18;
    return (int64_t)(value > most ? most : value < -most ? -most : value);
}

int64_t info_step(const json_t *object, const char *key)
{
    int64_t step = info_int(object, key);
    return step < 0 ? 0 : step > UINT32_MAX ? UINT32_MAX : step;
}

double info_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

const char *info_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && is_plain(text) ? text : "";
}

/* Characters of UTF-8: all bytes but those that go on with one. */
static int columns_of(const char *text, size_t length)
{
    int columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)text[i] & 0xC0) != 0x80;
    return columns;
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
