#include "base/cli/settings.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_TEXT = 120, NAME_MAX_LENGTH = 63 };

static void *member(const struct setting *row, void *values)
{
    return (unsigned char *)values + row->offset;
}

static const void *const_member(const struct setting *row, const void *values)
{
    return (const unsigned char *)values + row->offset;
}

/* A default in a table that does not parse is a bug. */
static void set_default(const struct setting *row, void *values)
{
    struct error error;
    if (row->type == SETTING_STRING)
        *(char **)member(row, values) = NULL;
    else if (row->type == SETTING_BOOL)
        *(bool *)member(row, values) = false;
    else if (row->type == SETTING_INT)
        *(int64_t *)member(row, values) = 0;
    else if (row->type == SETTING_DOUBLE)
        *(double *)member(row, values) = 0.0;
    else if (row->type == SETTING_CHOICE)
        *(int *)member(row, values) = 0;
    else
        *(struct int_list *)member(row, values) = (struct int_list){0};
    if (row->default_text && !setting_parse(row, values, row->default_text, &error)) {
        fprintf(stderr, "drumline: a built-in default is wrong: %s\n", error.message);
        abort();
    }
}

void settings_default(const struct settings_table *table, void *values)
{
    for (size_t i = 0; i < table->count; i++)
        set_default(&table->rows[i], values);
}

void settings_free(const struct settings_table *table, void *values)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].type == SETTING_STRING) {
            char **text = member(&table->rows[i], values);
            free(*text);
            *text = NULL;
        }
}

static int name_character(char character)
{
    return character == '-' ? '_' : (unsigned char)character;
}

static bool same_name(const char *a, const char *b)
{
    while (*a && name_character(*a) == name_character(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

const struct setting *settings_find(const struct settings_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (same_name(table->rows[i].name, name))
            return &table->rows[i];
    return NULL;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions and changes that make `a` into `b` (Levenshtein); both at most NAME_MAX_LENGTH long. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_LENGTH + 1];
    size_t length = strlen(b);
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t above = row[j];
            size_t change = diagonal + (name_character(a[i - 1]) != name_character(b[j - 1]));
            row[j] = min_size(change, min_size(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[length];
}

/* A name that was cut short ("batch") is as near as one with one wrong letter. */
static size_t name_distance(const char *given, const char *name)
{
    size_t length = strlen(given);
    size_t common = 0;
    while (common < length && name[common] && name_character(given[common]) == name_character(name[common]))
        common++;
    size_t distance = edit_distance(given, name);
    return length >= 3 && common == length ? min_size(distance, 1) : distance;
}

const char *settings_nearest(const struct settings_table *table, const char *name)
{
    const char *nearest = NULL;
    size_t length = strlen(name);
    if (length == 0 || length > NAME_MAX_LENGTH)
        return NULL;
    size_t least = 1 + length / 3;
    for (size_t i = 0; i < table->count; i++) {
        if (strlen(table->rows[i].name) > NAME_MAX_LENGTH)
            continue;
        size_t distance = name_distance(name, table->rows[i].name);
        if (distance < least || (distance == least && !nearest)) {
            least = distance;
            nearest = table->rows[i].name;
        }
    }
    return nearest;
}

/* Fails with "NAME=TEXT: why; allowed: ...". */
static bool refuse(const struct setting *row, const char *text, const char *why, struct error *error)
{
    char allowed[SETTING_TEXT_MAX];
    bool is_cut = strlen(text) > SHOWN_TEXT;
    return error_set(error, "%s=%.*s%s: %s; allowed: %s", row->name, SHOWN_TEXT, text, is_cut ? "..." : "", why,
                     setting_allowed(row, allowed));
}

static bool is_bounded(const struct setting *row)
{
    return row->minimum != 0.0 || row->maximum != 0.0;
}

/* A bound of a table as an integer, exactly: doubles above 2^53 are integers. Beyond int64_t's range it is that range's end. */
static int64_t integer_bound(double bound)
{
    return bound >= 0x1p63 ? INT64_MAX : bound <= -0x1p63 ? INT64_MIN : (int64_t)bound;
}

/* Not by is_within_bounds, for which 2^53 + 1 is 2^53. */
static bool is_integer_within_bounds(const struct setting *row, int64_t value)
{
    return !is_bounded(row) ||
           (value >= integer_bound(ceil(row->minimum)) && value <= integer_bound(floor(row->maximum)));
}

static bool is_within_bounds(const struct setting *row, double value)
{
    return !is_bounded(row) || (value >= row->minimum && value <= row->maximum);
}

/* One whole number at *text; *text is moved behind it. */
static bool scan_int(int64_t *value, const char **text)
{
    const char *digits = **text == '-' || **text == '+' ? *text + 1 : *text;
    if (!isdigit((unsigned char)*digits))
        return false;
    char *end;
    errno = 0;
    long long number = strtoll(*text, &end, 10);
    if (errno != 0)
        return false;
    *value = number;
    *text = end;
    return true;
}

static bool parse_bool(const struct setting *row, void *values, const char *text, struct error *error)
{
    static const char *const words[] = {"false", "true", "0", "1", "no", "yes"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *(bool *)member(row, values) = i % 2 == 1;
            return true;
        }
    return refuse(row, text, "not a boolean", error);
}

static bool parse_int(const struct setting *row, void *values, const char *text, struct error *error)
{
    int64_t value;
    const char *rest = text;
    if (!scan_int(&value, &rest) || *rest)
        return refuse(row, text, "not a whole number", error);
    if (!is_integer_within_bounds(row, value))
        return refuse(row, text, "out of bounds", error);
    *(int64_t *)member(row, values) = value;
    return true;
}

static bool parse_double(const struct setting *row, void *values, const char *text, struct error *error)
{
    char *end;
    if (*text == '\0' || isspace((unsigned char)*text))
        return refuse(row, text, "not a number", error);
    double value = strtod(text, &end);
    if (*end || isnan(value))
        return refuse(row, text, "not a number", error);
    if (isinf(value))
        return refuse(row, text, "not finite", error);
    if (!is_within_bounds(row, value))
        return refuse(row, text, "out of bounds", error);
    *(double *)member(row, values) = value;
    return true;
}

static bool parse_string(const struct setting *row, void *values, const char *text, struct error *error)
{
    char **value = member(row, values);
    size_t length = strlen(text);
    if (length >= SETTING_TEXT_MAX)
        return refuse(row, text, "too long", error);
    /* `text` may be the member itself. */
    char *copy = length > 0 ? format_text("%.*s", (int)length, text) : NULL;
    free(*value);
    *value = copy;
    return true;
}

static bool parse_choice(const struct setting *row, void *values, const char *text, struct error *error)
{
    size_t length = strlen(text);
    const char *choice = row->choices;
    for (int index = 0; choice; index++) {
        size_t choice_length = strcspn(choice, "|");
        if (choice_length == length && memcmp(choice, text, length) == 0) {
            *(int *)member(row, values) = index;
            return true;
        }
        choice = choice[choice_length] ? choice + choice_length + 1 : NULL;
    }
    return refuse(row, text, "no such choice", error);
}

static void skip_spaces(const char **text)
{
    while (isspace((unsigned char)**text))
        (*text)++;
}

/* The numbers between the brackets of "[2, 3]"; *text is moved behind the closing one. */
static bool scan_bracketed(struct int_list *list, const char **text)
{
    (*text)++;
    skip_spaces(text);
    while (**text != ']') {
        if (list->count == SETTING_LIST_MAX || !scan_int(&list->values[list->count], text))
            return false;
        list->count++;
        skip_spaces(text);
        if (**text == ',') {
            (*text)++;
            skip_spaces(text);
        } else if (**text != ']') {
            return false;
        }
    }
    (*text)++;
    return true;
}

static bool parse_list(const struct setting *row, void *values, const char *text, struct error *error)
{
    struct int_list list = {0};
    const char *rest = text;
    bool ok;
    if (*text == '[') {
        ok = scan_bracketed(&list, &rest);
    } else {
        ok = scan_int(&list.values[0], &rest);
        list.count = 1;
    }
    if (!ok || *rest)
        return refuse(row, text, "not a list of whole numbers", error);
    for (int i = 0; i < list.count; i++)
        if (!is_integer_within_bounds(row, list.values[i]))
            return refuse(row, text, "out of bounds", error);
    *(struct int_list *)member(row, values) = list;
    return true;
}

bool setting_parse(const struct setting *row, void *values, const char *text, struct error *error)
{
    switch (row->type) {
    case SETTING_BOOL:
        return parse_bool(row, values, text, error);
    case SETTING_INT:
        return parse_int(row, values, text, error);
    case SETTING_DOUBLE:
        return parse_double(row, values, text, error);
    case SETTING_STRING:
        return parse_string(row, values, text, error);
    case SETTING_CHOICE:
        return parse_choice(row, values, text, error);
    case SETTING_INT_LIST:
        return parse_list(row, values, text, error);
    }
    return error_set(error, "%s: a setting of no known type", row->name);
}

/* The shortest digits that read back as the same double; 10 rather than 1e+01. */
static void format_double(double value, char text[SETTING_TEXT_MAX])
{
    bool is_plain = fabs(value) >= 1e-4 && fabs(value) < 1e15;
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, SETTING_TEXT_MAX, "%.*g", digits, value);
        if (strtod(text, NULL) == value && !(is_plain && strchr(text, 'e')))
            return;
    }
}

static void format_choice(const struct setting *row, int index, char text[SETTING_TEXT_MAX])
{
    const char *choice = row->choices;
    for (; index > 0 && *choice; index--) {
        choice += strcspn(choice, "|");
        choice += *choice == '|';
    }
    snprintf(text, SETTING_TEXT_MAX, "%.*s", (int)strcspn(choice, "|"), choice);
}

static void format_list(const struct int_list *list, char text[SETTING_TEXT_MAX])
{
    size_t used = (size_t)snprintf(text, SETTING_TEXT_MAX, "[");
    for (int i = 0; i < list->count && i < SETTING_LIST_MAX; i++)
        used += (size_t)snprintf(text + used, SETTING_TEXT_MAX - used, "%s%lld", i > 0 ? "," : "",
                                 (long long)list->values[i]);
    snprintf(text + used, SETTING_TEXT_MAX - used, "]");
}

const char *setting_format(const struct setting *row, const void *values, char text[SETTING_TEXT_MAX])
{
    const void *value = const_member(row, values);
    switch (row->type) {
    case SETTING_BOOL:
        snprintf(text, SETTING_TEXT_MAX, "%s", *(const bool *)value ? "true" : "false");
        break;
    case SETTING_INT:
        snprintf(text, SETTING_TEXT_MAX, "%lld", (long long)*(const int64_t *)value);
        break;
    case SETTING_DOUBLE:
        format_double(*(const double *)value, text);
        break;
    case SETTING_STRING: {
        const char *string = *(char *const *)value;
        snprintf(text, SETTING_TEXT_MAX, "%s", string ? string : "");
        break;
    }
    case SETTING_CHOICE:
        format_choice(row, *(const int *)value, text);
        break;
    case SETTING_INT_LIST:
        format_list(value, text);
        break;
    }
    return text;
}

/* ", 1 to 64", ", at least 1", ", at most 3" or "". */
static void add_bounds(const struct setting *row, char text[SETTING_TEXT_MAX])
{
    char minimum[SETTING_TEXT_MAX], maximum[SETTING_TEXT_MAX];
    size_t used = strlen(text);
    if (!is_bounded(row))
        return;
    bool has_minimum = row->minimum > -1e18, has_maximum = row->maximum < 1e18;
    format_double(row->minimum, minimum);
    format_double(row->maximum, maximum);
    if (row->type != SETTING_DOUBLE) {
        snprintf(minimum, sizeof minimum, "%.0f", row->minimum);
        snprintf(maximum, sizeof maximum, "%.0f", row->maximum);
    }
    if (has_minimum && has_maximum)
        snprintf(text + used, SETTING_TEXT_MAX - used, ", %s to %s", minimum, maximum);
    else if (has_minimum)
        snprintf(text + used, SETTING_TEXT_MAX - used, ", at least %s", minimum);
    else if (has_maximum)
        snprintf(text + used, SETTING_TEXT_MAX - used, ", at most %s", maximum);
}

const char *setting_allowed(const struct setting *row, char text[SETTING_TEXT_MAX])
{
    switch (row->type) {
    case SETTING_BOOL:
        snprintf(text, SETTING_TEXT_MAX, "true or false");
        break;
    case SETTING_INT:
        snprintf(text, SETTING_TEXT_MAX, "integer");
        add_bounds(row, text);
        break;
    case SETTING_DOUBLE:
        snprintf(text, SETTING_TEXT_MAX, "number");
        add_bounds(row, text);
        break;
    case SETTING_STRING:
        snprintf(text, SETTING_TEXT_MAX, "text of at most %d bytes", SETTING_TEXT_MAX - 1);
        break;
    case SETTING_CHOICE: {
        size_t used = (size_t)snprintf(text, SETTING_TEXT_MAX, "one of ");
        for (const char *c = row->choices; *c && used + 3 < SETTING_TEXT_MAX; c++) {
            text[used++] = *c == '|' ? ',' : *c;
            if (*c == '|')
                text[used++] = ' ';
        }
        text[used] = '\0';
        break;
    }
    case SETTING_INT_LIST:
        snprintf(text, SETTING_TEXT_MAX, "[a,b,...] of at most %d integers", SETTING_LIST_MAX);
        add_bounds(row, text);
        break;
    }
    return text;
}

/* The length of the entry at `text`: up to a comma outside brackets, or the end. */
static size_t entry_length(const char *text)
{
    size_t length = 0;
    int depth = 0;
    for (; text[length] && (depth > 0 || text[length] != ','); length++) {
        if (text[length] == '[')
            depth++;
        if (text[length] == ']')
            depth--;
    }
    return length;
}

static char *trimmed(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* `entry` is "name=value" and is cut up. */
static bool parse_entry(const struct settings_table *table, void *values, char *entry, struct error *error)
{
    char *equals = strchr(entry, '=');
    if (!equals)
        return error_set(error, "'%.*s': write NAME=VALUE, with ',' between entries", SHOWN_TEXT, trimmed(entry));
    *equals = '\0';
    const char *name = trimmed(entry);
    const struct setting *row = settings_find(table, name);
    if (row)
        return setting_parse(row, values, trimmed(equals + 1), error);
    const char *nearest = settings_nearest(table, name);
    if (nearest)
        return error_set(error, "%.*s: no such name; did you mean %s?", SHOWN_TEXT, name, nearest);
    return error_set(error, "%.*s: no such name", SHOWN_TEXT, name);
}

bool settings_parse_list(const struct settings_table *table, void *values, const char *text, struct error *error)
{
    if (text[strspn(text, " \t\n")] == '\0')
        return true;
    for (;;) {
        size_t length = entry_length(text);
        char *entry = format_text("%.*s", (int)length, text);
        bool ok = parse_entry(table, values, entry, error);
        free(entry);
        if (!ok)
            return false;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}
