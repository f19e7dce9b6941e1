#include "run/hparams_file.h"

#include "base/clock.h"
#include "base/io/atomic_file.h"
#include "base/io/files.h"
#include "base/text.h"
#include "run/json_members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *json_of_setting(const struct setting *row, const void *values)
{
    const void *member = (const unsigned char *)values + row->offset;
    char text[SETTING_TEXT_MAX];
    if (row->type == SETTING_BOOL)
        return json_boolean(*(const bool *)member);
    if (row->type == SETTING_INT)
        return json_integer((json_int_t) * (const int64_t *)member);
    if (row->type == SETTING_DOUBLE)
        return json_real(*(const double *)member);
    if (row->type != SETTING_INT_LIST)
        return json_clean_text(setting_format(row, values, text));
    const struct int_list *list = member;
    json_t *array = json_array();
    for (int i = 0; i < list->count; i++)
        json_array_append_new(array, json_integer((json_int_t)list->values[i]));
    return array;
}

json_t *hparams_json(const struct hparams *hparams)
{
    json_t *all = json_object();
    for (size_t i = 0; i < hparams_table.count; i++)
        json_object_set_new(all, hparams_table.rows[i].name, json_of_setting(&hparams_table.rows[i], hparams));
    return all;
}

json_t *hparams_changes(const struct hparams *hparams, const struct hparams *usual)
{
    json_t *changes = json_array();
    for (size_t i = 0; i < hparams_table.count; i++) {
        const struct setting *row = &hparams_table.rows[i];
        char text[SETTING_TEXT_MAX], usual_text[SETTING_TEXT_MAX];
        if (strcmp(setting_format(row, hparams, text), setting_format(row, usual, usual_text)) != 0)
            json_array_append_new(changes, json_sprintf("%s=%s", row->name, text));
    }
    return changes;
}

static json_t *json_of_surroundings(const struct run_surroundings *surroundings)
{
    char date[32];
    json_t *object = json_object();
    date_now(date);
    json_object_set_new(object, "time", json_string(date));
    json_object_set_new(object, "version", json_clean_text(surroundings->version));
    json_object_set_new(object, "mpi", json_clean_text(surroundings->mpi));
    json_object_set_new(object, "blas", json_clean_text(surroundings->blas));
    json_object_set_new(object, "processor", json_clean_text(surroundings->processor));
    json_object_set_new(object, "host", json_clean_text(surroundings->host));
    json_object_set_new(object, "num_ranks", json_integer(surroundings->num_ranks));
    json_object_set_new(object, "data_set", json_clean_text(surroundings->data_set));
    return object;
}

bool hparams_file_write(const char *run_dir, const struct checkpoint *state,
                        const struct run_surroundings *surroundings, struct error *error)
{
    char *path = path_join(run_dir, RUN_HPARAMS_NAME);
    json_t *object = json_object();
    json_object_set_new(object, "config", json_clean_text(state->config));
    json_object_set_new(object, "seed", json_integer((json_int_t)state->seed));
    json_object_set_new(object, "content_sha256", json_clean_text(state->content_sha256));
    json_object_set_new(object, "hparams", hparams_json(&state->hparams));
    json_object_set_new(object, "session", json_of_surroundings(surroundings));
    char *json = json_dumps(object, JSON_INDENT(2)), *text = json ? format_text("%s\n", json) : NULL;
    bool ok = text ? atomic_file_write(path, text, strlen(text), error)
                   : error_set_no_memory(error, "%s: out of memory", path);
    json_decref(object);
    free(json);
    free(text);
    free(path);
    return ok;
}

const char *const hparams_of_loss[] = {"representation",   "bars",        "hits_as_controls", "input_as_controls",
                                       "humanize",         "tapify",      "fixed_velocities", "add_instruments",
                                       "max_note_dropout", "skip_silent", "max_beta",         "beta_rate",
                                       "free_bits",        NULL};

/* A JSON value as a setting's text. */
static bool parse_setting(const struct setting *row, struct hparams *hparams, const json_t *value)
{
    struct error ignored;
    char *dumped = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    const char *text = dumped ? dumped : json_string_value(value);
    bool ok = text && setting_parse(row, hparams, text, &ignored);
    free(dumped);
    return ok;
}

static bool parse_file(struct checkpoint *state, const json_t *file)
{
    const json_t *all = json_object_get(file, "hparams");
    memset(state, 0, sizeof *state);
    settings_default(&hparams_table, &state->hparams);
    snprintf(state->config, sizeof state->config, "%s", member_string(file, "config"));
    snprintf(state->content_sha256, sizeof state->content_sha256, "%s", member_string(file, "content_sha256"));
    for (size_t i = 0; i < hparams_table.count; i++) {
        const json_t *value = json_object_get(all, hparams_table.rows[i].name);
        if (value && !parse_setting(&hparams_table.rows[i], &state->hparams, value))
            return false;
    }
    return json_is_object(all);
}

bool hparams_file_read(struct checkpoint *state, const char *run_dir)
{
    enum { MOST_BYTES = 1 << 20 };
    uint8_t *bytes;
    size_t size;
    struct error ignored;
    char *path = path_join(run_dir, RUN_HPARAMS_NAME);
    bool ok = file_read(&bytes, &size, path, MOST_BYTES, &ignored);
    if (ok) {
        json_t *file = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
        ok = parse_file(state, file);
        json_decref(file);
        free(bytes);
    }
    free(path);
    return ok;
}

bool hparams_file_same_loss(const char *run_dir, const struct checkpoint *state)
{
    struct checkpoint other;
    bool same = hparams_file_read(&other, run_dir) && strcmp(other.content_sha256, state->content_sha256) == 0;
    for (size_t i = 0; same && hparams_of_loss[i]; i++) {
        char text[SETTING_TEXT_MAX], own[SETTING_TEXT_MAX];
        const struct setting *row = settings_find(&hparams_table, hparams_of_loss[i]);
        same = strcmp(setting_format(row, &other.hparams, text), setting_format(row, &state->hparams, own)) == 0;
    }
    return same;
}
