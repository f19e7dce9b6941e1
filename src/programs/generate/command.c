#include "programs/generate/command.h"

#include "base/text.h"
#include "programs/common/provenance.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The model and the seed are named apart; the others change nothing in the MIDI files. */
static const char *const skipped[] = {
    "run_dir", "checkpoint", "checkpoint_file", "config", "output_dir", "seed", "png", "svg", "dark", "wav",
    "ogg",     "play",       "soundfont",       "threads"};

static bool is_skipped(const struct setting *row)
{
    for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++)
        if (strcmp(row->name, skipped[i]) == 0)
            return true;
    return false;
}

static void append(char **command, const char *name, const char *value)
{
    char *quoted = provenance_quote(value), *longer = format_text("%s --%s=%s", *command, name, quoted);
    free(quoted);
    free(*command);
    *command = longer;
}

char *generate_command(const struct generate_options *options, const char *model_path, uint64_t seed)
{
    const struct settings_table *table = &generate_options_table;
    struct generate_options defaults = {.program = NULL};
    char value[SETTING_TEXT_MAX], by_default[SETTING_TEXT_MAX];
    char *command = format_text("drumline-generate");
    settings_default(table, &defaults);
    if (options->run_dir || options->checkpoint_file)
        append(&command, "checkpoint_file", model_path);
    else
        append(&command, "config", options->config);
    for (size_t i = 0; i < table->count; i++) {
        const struct setting *row = &table->rows[i];
        if (is_skipped(row))
            continue;
        setting_format(row, options, value);
        if (strcmp(value, setting_format(row, &defaults, by_default)) != 0)
            append(&command, row->name, value);
    }
    settings_free(table, &defaults);
    snprintf(value, sizeof value, "%" PRIu64, seed);
    append(&command, "seed", value);
    return command;
}
