#include "run/json_members.h"

#include "base/text.h"
#include "data/dataset/performance_table.h"

#include <stdlib.h>
#include <string.h>

json_t *json_clean_text(const char *text)
{
    if (text_is_printable(text))
        return json_string(text);
    size_t length = strlen(text);
    char *clean = malloc(length + 1);
    if (!clean)
        return json_string("?");
    for (size_t i = 0; i < length; i++)
        clean[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    clean[length] = '\0';
    json_t *string = json_string(clean);
    free(clean);
    return string;
}

int64_t member_int(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    if (json_is_integer(number))
        return (int64_t)json_integer_value(number);
    double value = json_number_value(number), most = 9e18;
    return (int64_t)(value > most ? most : value < -most ? -most : value);
}

int64_t member_step(const json_t *object, const char *key)
{
    int64_t step = member_int(object, key);
    return step < 0 ? 0 : step > UINT32_MAX ? UINT32_MAX : step;
}

double member_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

const char *member_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && text_is_printable(text) ? text : "";
}
