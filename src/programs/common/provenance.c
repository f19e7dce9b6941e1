#include "programs/common/provenance.h"

#include "base/io/files.h"
#include "data/midi/events.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char program_name[] = "drumline-generate";
static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+:,./-";

char *provenance_quote(const char *value)
{
    if (value[0] != '\0' && value[strspn(value, plain)] == '\0')
        return format_text("%s", value);
    char *quoted = format_text("'");
    for (const char *at = value;;) {
        size_t length = strcspn(at, "'");
        char *longer = format_text("%s%.*s%s", quoted, (int)length, at, at[length] != '\0' ? "'\\''" : "'");
        free(quoted);
        quoted = longer;
        if (at[length] == '\0')
            return quoted;
        at += length + 1;
    }
}

char *provenance_text(const struct provenance *provenance)
{
    return format_text(PROVENANCE_PREFIX "%s (model xxh3 %s, file %d of %d): %s", provenance->version,
                       provenance->model_hash, provenance->number, provenance->count, provenance->command);
}

/* Moves *text past what provenance_quote writes; false where something else is there. */
static bool pass_value(const char **text)
{
    const char *at = *text;
    if (*at != '\'') {
        at += strspn(at, plain);
        bool any = at > *text;
        *text = at;
        return any;
    }
    for (;;) {
        at = strchr(at + 1, '\'');
        if (!at)
            return false;
        if (strncmp(at, "'\\''", 4) != 0)
            break;
        at += 3;
    }
    *text = at + 1;
    return true;
}

/* "drumline-generate --name=value ..." and nothing else. */
static bool is_safe_command(const char *text)
{
    if (strncmp(text, program_name, strlen(program_name)) != 0)
        return false;
    text += strlen(program_name);
    while (*text != '\0') {
        if (strncmp(text, " --", 3) != 0)
            return false;
        text += 3;
        size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
        if (length == 0 || text[length] != '=')
            return false;
        text += length + 1;
        if (!pass_value(&text))
            return false;
    }
    return true;
}

/* Copies what lies before `end` in *text, letters, digits and ".+-" alone, and moves *text past `end`. */
static bool take_word(char word[PROVENANCE_WORD_SIZE], const char **text, const char *end)
{
    const char *stop = strstr(*text, end);
    size_t length = stop ? (size_t)(stop - *text) : 0;
    if (length == 0 || length >= PROVENANCE_WORD_SIZE)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)(*text)[i]) && !strchr(".+-", (*text)[i]))
            return false;
    memcpy(word, *text, length);
    word[length] = '\0';
    *text = stop + strlen(end);
    return true;
}

static bool take_number(int *number, const char **text, const char *end)
{
    char word[PROVENANCE_WORD_SIZE], *rest;
    if (!take_word(word, text, end) || !isdigit((unsigned char)word[0]))
        return false;
    long value = strtol(word, &rest, 10);
    *number = (int)value;
    return *rest == '\0' && value > 0 && value <= 1000000;
}

bool provenance_parse(struct provenance *provenance, const char *text)
{
    *provenance = (struct provenance){.command = NULL};
    for (const char *at = text; *at; at++)
        if (iscntrl((unsigned char)*at))
            return false;
    if (strncmp(text, PROVENANCE_PREFIX, strlen(PROVENANCE_PREFIX)) != 0)
        return false;
    text += strlen(PROVENANCE_PREFIX);
    if (!take_word(provenance->version, &text, " (model xxh3 ") ||
        !take_word(provenance->model_hash, &text, ", file ") || !take_number(&provenance->number, &text, " of ") ||
        !take_number(&provenance->count, &text, "): ") || !is_safe_command(text)) {
        *provenance = (struct provenance){.command = NULL};
        return false;
    }
    provenance->command = format_text("%s", text);
    return true;
}

void provenance_free(struct provenance *provenance)
{
    free(provenance->command);
    *provenance = (struct provenance){.command = NULL};
}

bool provenance_of_file(struct provenance *provenance, const char *path)
{
    uint8_t *bytes;
    size_t size;
    struct midi_events events;
    struct midi_repairs repairs = {{0}, 0, {{0}}};
    struct error ignored;
    *provenance = (struct provenance){.command = NULL};
    if (!file_read(&bytes, &size, path, MIDI_MAX_BYTES, &ignored))
        return false;
    bool ok = midi_events_parse(&events, &repairs, bytes, size, &ignored);
    free(bytes);
    if (!ok)
        return false;
    char *text = midi_events_find_text(&events, PROVENANCE_PREFIX);
    ok = text && provenance_parse(provenance, text);
    free(text);
    midi_events_free(&events);
    return ok;
}
