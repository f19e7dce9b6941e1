/* drumline-info: describes a data set, shard, checkpoint or run as text or JSON. One process; no MPI. */
#include "base/cli/options.h"
#include "base/hdf5/hdf5.h"
#include "base/log.h"
#include "base/process.h"
#include "data/midi/drum_map.h"
#include "programs/common/blas_threads.h"
#include "programs/info/hparams_page.h"
#include "programs/info/info.h"
#include "programs/info/kinds.h"
#include "programs/info/report.h"
#include "programs/info/watch.h"
#include "render/player.h"
#include "run/sweep_folder.h"

#include <stdio.h>
#include <stdlib.h>

struct options {
    bool json, csv, hparams, drum_maps, markdown;
    double watch; /* seconds; 0: no */
    char *png, *svg, *wav, *ogg, *play, *soundfont, *drum_map, *report;
    bool dark;
};

#define FLAG(name, help) SETTING_ROW(struct options, name, SETTING_BOOL, NULL, 0, 0, NULL, NULL, help)

#define PATH(name, help) SETTING_ROW(struct options, name, SETTING_STRING, NULL, 0, 0, NULL, "FILE", help)

static const struct setting option_rows[] = {
    FLAG(json, "Print JSON: one object for one path, an array for several."),
    FLAG(hparams, "List every hparam and every config; takes no path."),
    FLAG(drum_maps, "Print the built-in drum maps as tables for --drum_map; takes no path."),
    FLAG(markdown, "With --hparams: print Markdown."),
    SETTING_ROW(
        struct options, watch, SETTING_DOUBLE, "0", 0, 86400, "2", "SECONDS",
        "Follow a run until it ends, refreshing every SECONDS (2); 0: off. The exit status is the run's outcome."),
    PATH(report,
         "Write a run, a folder of runs, a data set or a model as one self-contained HTML page: a run's curves, "
         "sessions, "
         "hparams, and samples with audio; runs ranked, with their val_loss curves; a data set's distributions, and "
         "what "
         "was skipped; a model's card, with samples. With --watch a run's page is written again at every refresh, and "
         "reloads itself."),
    FLAG(csv, "Print a run's metrics as CSV, one row a step; of a folder of runs, one row a run."),
    PATH(png, "Draw a MIDI file as a drum roll (PNG)."),
    PATH(svg, "Draw a MIDI file as a drum roll (SVG)."),
    SETTING_ROW(struct options, drum_map, SETTING_STRING, "general", 0, 0, NULL, "NAME|FILE",
                "With --png and --svg: which pitch is which drum (--drum_maps lists the built-in maps)."),
    FLAG(dark, "With --png and --svg: light on dark."),
    PATH(wav, "Render a MIDI file to audio (WAV, 44.1 kHz, 16 bits)."),
    PATH(ogg, "Render a MIDI file to audio (Ogg Vorbis)."),
    SETTING_ROW(struct options, play, SETTING_STRING, NULL, 0, 0, AUDIO_PLAYER_DEFAULT, "DEVICE",
                "Play a MIDI file's drums on the default audio device or another one of ALSA's; Ctrl-C stops."),
    PATH(soundfont,
         "Sound font (SF2 or SF3) for --wav, --ogg and --play; default: $DRUMLINE_SOUNDFONT, else the system's General "
         "MIDI font."),
};

static const struct program program = {
    .name = "drumline-info",
    .summary = "describes and validates data sets, shards, checkpoints, runs and MIDI files",
    .usage = "[--json] PATH... | --watch[=SECONDS] RUN | --report=FILE PATH | --csv RUN | --hparams | --drum_maps",
    .examples = "drumline-info data runs/first\n"
                "drumline-info --watch runs/first\n"
                "drumline-info --json runs/first/train/checkpoint-00001000.h5\n"
                "drumline-info --report=run.html runs/first\n"
                "drumline-info --png=groove.png --wav=groove.wav groove.mid\n",
    .other_statuses = "; with --watch: 0 the run is done or was pruned, 1 it failed or was killed, 3 it was halted and "
                      "can be resumed",
    .table = {option_rows, sizeof option_rows / sizeof option_rows[0]},
};

static bool renders(const struct options *options)
{
    return options->png || options->svg || options->wav || options->ogg || options->play;
}

static bool check(const struct options *options, int num_paths, struct error *error)
{
    if (options->markdown && !options->hparams)
        return error_set(error, "--markdown needs --hparams");
    if (options->hparams && (options->json || num_paths > 0))
        return error_set(error, "--hparams takes neither a path nor --json");
    if ((options->report || options->csv) && (options->hparams || options->json || renders(options) || num_paths != 1))
        return error_set(error, "--report and --csv take one path");
    if (options->csv && (options->report || options->watch > 0))
        return error_set(error, "--csv goes with neither --report nor --watch");
    if (options->watch > 0 && (options->hparams || options->json || num_paths != 1))
        return error_set(error, "--watch takes the path of one run, and neither --json nor --hparams");
    if (renders(options) && (options->hparams || options->drum_maps || options->watch > 0 || num_paths != 1))
        return error_set(error, "--png, --svg, --wav, --ogg and --play take the path of one MIDI file");
    if (options->drum_maps && (options->json || options->hparams || options->watch > 0 || num_paths > 0))
        return error_set(error, "--drum_maps takes no path and no other flag");
    if (!options->hparams && !options->drum_maps && num_paths == 0)
        return error_set(error, "give the path of a data set, shard, checkpoint, run or MIDI file");
    return true;
}

/* A report that is written again at every refresh. */
struct watched_report {
    const struct options *options;
    const char *run_dir;
};

static bool write_report(void *context, struct error *error)
{
    const struct watched_report *watched = context;
    const struct options *options = watched->options;
    const struct report_options report = {.soundfont = options->soundfont, .refresh = options->watch};
    if (!report_write(watched->run_dir, options->report, &report, error))
        return false;
    if (options->watch <= 0)
        log_info("wrote %s", options->report);
    return true;
}

static bool render(const struct options *options, const char *path, struct error *error)
{
    const struct info_renderings wanted = {
        .paths = {[RENDERING_PNG] = options->png,
                  [RENDERING_SVG] = options->svg,
                  [RENDERING_WAV] = options->wav,
                  [RENDERING_OGG] = options->ogg},
        .drum_map = options->drum_map,
        .soundfont = options->soundfont,
        .device = options->play,
        .dark = options->dark
    };
    return info_render_midi(path, &wanted, error);
}

/* Each table as a file of its own would be: it can be edited and given as --drum_map=FILE. */
static void print_drum_maps(void)
{
    size_t count;
    const struct drum_map_entry *entries = drum_map_entries(&count);
    for (size_t i = 0; i < count; i++)
        printf("%s# %s: %s\n# Source: %s\n%s", i > 0 ? "\n" : "", entries[i].name, entries[i].title, entries[i].source,
               entries[i].text);
}

/* A closed pipe or a full disk shows only when the buffer is flushed. */
static bool flush(struct error *error)
{
    return (fflush(stdout) == 0 && !ferror(stdout)) || error_set(error, "can't write to standard output");
}

/* Describes every path, also after one that fails; false where any is damaged or can't be described. */
static bool describe(const struct options *options, char **paths, int num_paths)
{
    struct error error;
    bool ok = true;
    json_t *all = json_array();
    for (int i = 0; i < num_paths; i++) {
        json_t *description = info_describe(paths[i], &error);
        ok = ok && description && !json_object_get(description, "damage");
        if (!description) {
            log_error("%s", error.message);
            continue;
        }
        if (!options->json) {
            printf("%s", i > 0 ? "\n" : "");
            info_print(stdout, description);
        }
        json_array_append_new(all, description);
    }
    if (options->json && json_array_size(all) > 0) {
        json_dumpf(num_paths == 1 ? json_array_get(all, 0) : all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        printf("\n");
    }
    json_decref(all);
    return ok;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct error error;
    char **paths = NULL;
    int num_paths = 0, status = EXIT_SUCCESS;
    process_begin();
    blas_threads_begin();
    hdf5_start();
    enum options_result result = options_parse(&program, argc, argv, &options, &paths, &num_paths, &error);
    if (result == OPTIONS_RUN && !check(&options, num_paths, &error))
        result = OPTIONS_WRONG;
    if (result != OPTIONS_RUN) {
        if (result != OPTIONS_DONE)
            log_error("%s%s", error.message, result == OPTIONS_WRONG ? " (see --help)" : "");
        settings_free(&program.table, &options);
        return options_status(result);
    }
    struct watched_report report = {&options, num_paths > 0 ? paths[0] : NULL};
    const struct info_watcher watcher = {write_report, &report};
    bool ok = true;
    if (options.hparams)
        hparams_page_print(options.markdown);
    else if (options.drum_maps)
        print_drum_maps();
    else if (options.csv)
        ok = info_is_sweep(paths[0]) && !sweep_folder_is_run(paths[0]) ? info_print_sweep_csv(stdout, paths[0], &error)
                                                                       : report_print_csv(stdout, paths[0], &error);
    else if (options.report && options.watch <= 0)
        ok = write_report(&report, &error);
    else if (options.watch > 0)
        ok = info_watch(paths[0], options.watch, options.report ? &watcher : NULL, &status, &error);
    else if (renders(&options) && !render(&options, paths[0], &error))
        ok = false;
    else if (!describe(&options, paths, num_paths))
        status = EXIT_FAILURE;
    if (!ok || !flush(&error)) {
        log_error("%s", error.message);
        status = EXIT_FAILURE;
    }
    settings_free(&program.table, &options);
    return blas_threads_end(status);
}
