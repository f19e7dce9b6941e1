#include "exchange/notes.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum note_kind { NOTE_TEXT, NOTE_COUNT /* uint64_t */ };

static const struct note {
    const char *name;
    enum note_kind kind;
    size_t offset, size;
} rows[] = {
#define NOTE(member, kind)                                                                                             \
    {                                                                                                                  \
#member, kind, offsetof(struct checkpoint, member), sizeof(((struct checkpoint *)0)->member)                   \
    }
    NOTE(config, NOTE_TEXT),         NOTE(seed, NOTE_COUNT),           NOTE(step, NOTE_COUNT),
    NOTE(content_sha256, NOTE_TEXT), NOTE(program_version, NOTE_TEXT), NOTE(date, NOTE_TEXT),
    NOTE(licence, NOTE_TEXT),        NOTE(attribution, NOTE_TEXT),     NOTE(recipe, NOTE_TEXT),
    NOTE(drum_map, NOTE_TEXT),       NOTE(drum_map_table, NOTE_TEXT),
#undef NOTE
};

enum { NUM_NOTES = sizeof rows / sizeof *rows };

/* JSON is UTF-8; of other text every byte but printable ASCII becomes '?'. Newlines, as in a drum map's table, stay. */
static json_t *clean_string(const char *text)
{
    json_t *string = json_string(text);
    if (string)
        return string;
    char *clean = format_text("%s", text);
    for (char *c = clean; *c != '\0'; c++)
        if ((*c < ' ' || *c > '~') && *c != '\n')
            *c = '?';
    string = json_string(clean);
    free(clean);
    return string;
}

static char *hparams_text(const struct hparams *hparams)
{
    char *text = format_text("%s", "");
    for (size_t i = 0; i < hparams_table.count; i++) {
        char value[SETTING_TEXT_MAX];
        const struct setting *row = &hparams_table.rows[i];
        setting_format(row, hparams, value);
        char *longer = format_text("%s%s%s=%s", text, i > 0 ? "," : "", row->name, value);
        free(text);
        text = longer;
    }
    return text;
}

static void put_text(json_t *notes, const char *name, const char *text)
{
    json_object_set_new(notes, name, clean_string(text));
}

json_t *notes_make(const struct checkpoint *checkpoint)
{
    json_t *notes = json_object();
    put_text(notes, "format", NOTES_FORMAT);
    char *hparams = hparams_text(&checkpoint->hparams);
    put_text(notes, "hparams", hparams);
    free(hparams);
    for (size_t i = 0; i < NUM_NOTES; i++) {
        const char *member = (const char *)checkpoint + rows[i].offset;
        if (rows[i].kind == NOTE_TEXT) {
            if (member[0] != '\0')
                put_text(notes, rows[i].name, member);
            continue;
        }
        char *number = format_text("%" PRIu64, *(const uint64_t *)(const void *)member);
        put_text(notes, rows[i].name, number);
        free(number);
    }
    return notes;
}

static bool read_count(uint64_t *count, const char *name, const char *text, struct error *error)
{
    char *end;
    errno = 0;
    *count = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
        return error_set(error, "%s is no number", name);
    return true;
}

static bool read_note(struct checkpoint *checkpoint, const struct note *row, const char *text, struct error *error)
{
    char *member = (char *)checkpoint + row->offset;
    if (row->kind == NOTE_COUNT)
        return read_count((uint64_t *)(void *)member, row->name, text, error);
    if (strlen(text) >= row->size)
        return error_set(error, "%s is longer than %zu bytes", row->name, row->size - 1);
    memcpy(member, text, strlen(text) + 1);
    return true;
}

static bool find_text(const char **text, const json_t *notes, const char *name, struct error *error)
{
    const json_t *value = json_object_get(notes, name);
    *text = json_string_value(value);
    return !value || *text || error_set(error, "%s is no string", name);
}

bool notes_read(struct checkpoint *checkpoint, const json_t *notes, struct error *error)
{
    const char *text;
    memset(checkpoint, 0, sizeof *checkpoint);
    settings_default(&hparams_table, &checkpoint->hparams);
    for (size_t i = 0; i < NUM_NOTES; i++)
        if (!find_text(&text, notes, rows[i].name, error) || (text && !read_note(checkpoint, &rows[i], text, error)))
            return false;
    if (!find_text(&text, notes, "hparams", error))
        return false;
    if (!text || checkpoint->config[0] == '\0')
        return error_set(error, "%s is missing", text ? "config" : "hparams");
    return settings_parse_list(&hparams_table, &checkpoint->hparams, text, error) &&
           hparams_check(&checkpoint->hparams, error);
}
