/* drumline-drummers: a folder of made-up drum performances, laid out as the Groove data set is. */
#include "base/cli/options.h"
#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "data/midi/writer.h"
#include "drummer.h"

#include "base/io/atomic_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERFORMANCES_PER_SESSION = 20 };

struct settings {
    char *output_dir;
    int64_t num_performances;
    int64_t seed;
};

static const struct setting rows[] = {
    {"output_dir",       SETTING_STRING, offsetof(struct settings, output_dir),       NULL,  0, 0,            NULL, "DIR",
     "Folder to write the MIDI files and their info.csv into; made if missing."},
    {"num_performances", SETTING_INT,    offsetof(struct settings, num_performances), "300", 1, 100000,       NULL, NULL,
     "How many performances to play."                                          },
    {"seed",             SETTING_INT,    offsetof(struct settings, seed),             "1",   0, 4294967295.0, NULL, NULL,
     "The same seed gives the same files; more performances only add to fewer."},
};

static const struct program program = {
    .name = "drumline-drummers",
    .summary = "plays performances of ten made-up drummers, to try Drumline with",
    .usage = "--output_dir DIR [--num_performances N] [--seed N]",
    .examples = "drumline-drummers --output_dir midi\n"
                "drumline-drummers --output_dir midi --num_performances 1000 --seed 2\n",
    .table = {rows, sizeof rows / sizeof *rows},
};

/* One in ten performances is for validation, one for the test. */
static const char *split_name(uint32_t index)
{
    return index % 10 == 4 ? "validation" : index % 10 == 9 ? "test" : "train";
}

static bool write_midi(const struct performance *performance, const char *path, struct error *error)
{
    struct midi_tempo tempo = {.microseconds_per_quarter = midi_tempo_of_qpm(performance->bpm)};
    struct midi_time_signature four_four = {.numerator = 4, .denominator = 4};
    const struct midi midi = {
        .ppq = DRUMMER_PPQ,
        .end_tick = performance_end_tick(performance),
        .onsets = (struct midi_onset *)performance->strokes, /* only read */
        .num_onsets = performance->num_strokes,
        .tempos = &tempo,
        .num_tempos = 1,
        .time_signatures = &four_four,
        .num_time_signatures = 1,
    };
    return midi_save(&midi, performance->style->name, path, true, error);
}

/* "4_jazz-swing_140_beat_4-4", owned by the caller. */
static char *performance_name(const struct performance *performance, int id)
{
    const char *type = performance->is_fill ? "fill" : "beat";
    char *name = format_text("%d_%s_%d_%s_4-4", id, performance->style->name, performance->bpm, type);
    for (char *slash = name; (slash = strchr(slash, '/'));)
        *slash = '-';
    return name;
}

/* Writes performance number `index`, `id` of its drummer, and its line of info.csv. */
static bool write_performance(FILE *index_lines, const char *folder, const struct performance *performance,
                              uint32_t index, int id, struct error *error)
{
    const int drummer = performance->drummer + 1;
    char *name = performance_name(performance, id);
    char *session = format_text("drummer%d/session%d", drummer, 1 + (id - 1) / PERFORMANCES_PER_SESSION);
    char *session_folder = path_join(folder, session);
    char *path = format_text("%s/%s.mid", session_folder, name);
    bool ok = folder_make(session_folder, error) && write_midi(performance, path, error);
    fprintf(index_lines, "drummer%d,%s,%s/%d,%s,%d,%s,4-4,%s/%s.mid,,%.6f,%s\n", drummer, session, session, id,
            performance->style->name, performance->bpm, performance->is_fill ? "fill" : "beat", session, name,
            performance_seconds(performance), split_name(index));
    free(path);
    free(session_folder);
    free(session);
    free(name);
    return ok;
}

static bool write_performances(FILE *index_lines, const struct settings *settings, struct error *error)
{
    struct performance performance;
    int ids[NUM_DRUMMERS] = {0};
    fputs("drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,audio_filename,duration,split\n",
          index_lines);
    double seconds = 0;
    for (uint32_t i = 0; i < settings->num_performances; i++) {
        performance_make(&performance, (uint64_t)settings->seed, i);
        seconds += performance_seconds(&performance);
        int id = ++ids[performance.drummer];
        if (!write_performance(index_lines, settings->output_dir, &performance, i, id, error))
            return false;
    }
    log_info("%s: %lld performances of %d drummers in %d styles, %.0f minutes of drumming", settings->output_dir,
             (long long)settings->num_performances, NUM_DRUMMERS, drummer_num_styles, seconds / 60.0);
    return true;
}

/* info.csv comes last, so that a folder that holds one is whole. */
static bool run(const struct settings *settings, struct error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *index_lines = NULL;
    char *index_path = path_join(settings->output_dir, "info.csv");
    bool ok = false;
    if (file_exists(index_path)) {
        error_set(error, "%s is there already: remove that folder, or choose another --output_dir", index_path);
        goto done;
    }
    if (!folder_make(settings->output_dir, error))
        goto done;
    index_lines = open_memstream(&text, &size);
    if (!index_lines) {
        error_set_errno(error, errno, "info.csv");
        goto done;
    }
    if (!write_performances(index_lines, settings, error))
        goto done;
    ok = fflush(index_lines) == 0 || error_set_errno(error, errno, "info.csv");
    ok = ok && atomic_file_write(index_path, text, size, error);

done:
    if (index_lines)
        fclose(index_lines);
    free(text);
    free(index_path);
    return ok;
}

int main(int argc, char **argv)
{
    struct error error;
    struct settings settings = {0};
    int status = EXIT_SUCCESS;
    switch (options_parse(&program, argc, argv, &settings, NULL, NULL, &error)) {
    case OPTIONS_DONE:
        break;
    case OPTIONS_FAILED:
        log_error("%s", error.message);
        status = EXIT_FAILURE;
        break;
    case OPTIONS_WRONG:
        log_error("%s", error.message);
        status = EXIT_USAGE;
        break;
    case OPTIONS_RUN:
        if (!settings.output_dir) {
            log_error("--output_dir is missing: name the folder to write into");
            status = EXIT_USAGE;
        } else if (!run(&settings, &error)) {
            log_error("%s", error.message);
            status = EXIT_FAILURE;
        }
    }
    settings_free(&program.table, &settings);
    return status;
}
