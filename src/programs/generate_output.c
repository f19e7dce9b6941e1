#include "programs/generate_output.h"

#include "base/files.h"
#include "data/midi_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds that are tried before the folder is called full, and times that another program may take them from us: far more
 * than anyone needs. */
enum { MOST_SECONDS = 3600, MOST_CLASHES = 16 };

bool generate_output_name_is_safe(const char *name)
{
    bool safe = isalnum((unsigned char)name[0]) || name[0] == '_';
    for (; *name; name++)
        safe = safe && (isalnum((unsigned char)*name) || strchr("_-.", *name));
    return safe;
}

static char *file_name(const struct generate_output *output, int number)
{
    char date[64], largest[16];
    struct tm now;
    localtime_r(&output->second, &now);
    strftime(date, sizeof date, "%Y-%m-%d_%H%M%S", &now);
    int width = snprintf(largest, sizeof largest, "%d", output->count);
    if (width < 3)
        width = 3;
    return format_text("%s_%s_%s-%0*d-of-%0*d.mid", output->config, output->kind, date, width, number, width,
                       output->count);
}

char *generate_output_path(const struct generate_output *output, int number)
{
    char *name = file_name(output, number);
    char *path = path_join(output->folder, name);
    free(name);
    return path;
}

/* Anything of that name, a link to nowhere too. */
static bool is_taken(const struct generate_output *output, int number)
{
    char target[1];
    char *path = generate_output_path(output, number);
    bool taken = access(path, F_OK) == 0 || readlink(path, target, sizeof target) >= 0;
    free(path);
    return taken;
}

static bool find_second(struct generate_output *output, struct error *error)
{
    for (int tried = 0; tried < MOST_SECONDS; tried++, output->second++) {
        bool taken = false;
        for (int i = 0; !taken && i < output->count; i++)
            taken = is_taken(output, i);
        if (!taken)
            return true;
    }
    return error_set(error, "%s: holds files of the names of the next hour: give another --output_dir", output->folder);
}

bool generate_output_start(struct generate_output *output, const char *folder, const char *config, const char *kind,
                           int count, struct error *error)
{
    *output = (struct generate_output){
        .folder = folder, .config = config, .kind = kind, .count = count, .second = time(NULL)};
    return folder_make(folder, error) && find_second(output, error);
}

/* The first file claims the second for this set. Where somebody else was faster, the next one is tried. */
static bool save(struct generate_output *output, const struct midi *midi, struct error *error)
{
    char track_name[100];
    snprintf(track_name, sizeof track_name, "%.60s %.30s", output->config, output->kind);
    for (int tried = 1;; tried++) {
        char *path = generate_output_path(output, output->written);
        bool ok = midi_save(midi, track_name, path, false, error);
        free(path);
        if (ok)
            return true;
        if (tried == MOST_CLASHES || output->written > 0 || !is_taken(output, 0) || !find_second(output, error))
            return false;
    }
}

bool generate_output_write(struct generate_output *output, const struct grid *grid, struct error *error)
{
    struct midi midi;
    if (!grid_to_midi(&midi, grid, error))
        return false;
    bool ok = save(output, &midi, error);
    midi_free(&midi);
    if (!ok)
        return output->written == 0 ? false
                                    : error_prefix(error, "after %d of %d files", output->written, output->count);
    if (output->written == 0) {
        char *name = file_name(output, 0);
        snprintf(output->first_name, sizeof output->first_name, "%s", name);
        free(name);
    }
    output->written++;
    return true;
}
