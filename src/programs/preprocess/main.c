/* drumline-preprocess: a folder of MIDI performances becomes a data set. */
#include "base/hdf5/hdf5.h"
#include "base/log.h"
#include "base/process.h"
#include "base/representation.h"
#include "programs/common/rank_log.h"
#include "programs/common/rank_options.h"
#include "programs/preprocess/preprocess.h"

#include <stdlib.h>

#define ROW(name, type, default_text, minimum, maximum, argument, help)                                                \
    SETTING_ROW(struct preprocess_options, name, type, default_text, minimum, maximum, NULL, argument, help)
#define TEXT(name, argument, help) ROW(name, SETTING_STRING, NULL, 0, 0, argument, help)
#define FLAG(name, help) ROW(name, SETTING_BOOL, NULL, 0, 0, NULL, help)

static const struct setting option_rows[] = {
    TEXT(input_dir, "DIR",
         "Folder of MIDI files (.mid, .midi, .kar, .smf, .rmi). A CSV table in it, or in a folder directly below, "
         "with a column midi_filename gives split, style and drummer of each."),
    TEXT(output_dir, "DIR", "Folder for the shards and their index.h5; created if missing."),
    TEXT(output_file, "DIR", "The same as --output_dir (a data set is a folder, whatever its name)."),
    FLAG(recursive, "Search subfolders of --input_dir too."),
    FLAG(is_beat, "Keep only performances in the time signature of --beat."),
    TEXT(beat, "N-D", "Time signature that --is_beat=True keeps; default: 4-4."),
    ROW(min_bars, SETTING_INT, "1", 1, GRID_MAX_STEPS, NULL, "Keep only performances of at least this many bars."),
    ROW(drum_map, SETTING_STRING, "auto", 0, 0, "NAME|FILE",
        "Assigns pitches to drums: a built-in map (drumline-info --drum_maps lists them), a table in a file, or "
        "auto: roland if the folder's table has the Groove set's columns drummer and beat_type, else general."),
    SETTING_ROW(struct preprocess_options, representation, SETTING_CHOICE, "groove", 0, 0, representation_choices, NULL,
                "How music is encoded for the models: their hparam `representation`."),
    TEXT(channel, "auto|all|N",
         "MIDI channel of the drums. auto: channel 10, and others that a track name, a GS or XG message or their "
         "pitches "
         "identify as drums; files without either are skipped. all: every note is a drum."),
    TEXT(track, "NAME", "Use only notes of tracks whose name contains NAME (ignoring case), on any channel."),
    FLAG(strict, "Skip files that violate the MIDI specification, instead of reading them as far as possible."),
    FLAG(skip_unreadable,
         "Skip MIDI files and folders that can't be read (no permission, an error of the disk), with a "
         "warning, instead of failing."),
    SETTING_ROW(struct preprocess_options, split_by, SETTING_CHOICE, "content", 0, 0, "content|path", NULL,
                "How files without a split in a table are assigned to one: by a hash of their onsets, so that copies "
                "are in the "
                "same split, or by a hash of their path, as in version 0.1."),
    FLAG(overwrite, "Replace the data set in --output_dir, once the new one is complete."),
    RANK_LOG_ROW(struct preprocess_options),
};

static const struct program program = {
    .name = "drumline-preprocess",
    .summary = "converts a folder of MIDI performances to HDF5 shards",
    .usage = "--input_dir DIR --output_dir DIR [OPTION]...",
    .examples = "drumline-preprocess --input_dir groove --output_dir data --recursive --is_beat=True --beat=4-4\n"
                "mpirun -n 4 drumline-preprocess --input_dir midi --output_dir data --recursive --min_bars 4\n",
    .table = {option_rows, sizeof option_rows / sizeof option_rows[0]},
};

static bool check(const void *values, struct error *error)
{
    struct time_signature beat;
    int channel;
    return preprocess_options_check(values, &beat, &channel, error);
}

int main(int argc, char **argv)
{
    struct preprocess_options options = {0};
    struct error error = {.message = ""};
    process_begin();
    hdf5_start();
    struct comm *comm = comm_start(&argc, &argv);
    enum options_result result = rank_options_parse(comm, &program, argc, argv, &options, check, NULL);
    int status = options_status(result);
    if (result == OPTIONS_RUN) {
        bool ok = rank_log_start(comm, options.log_dir, &program, argc, argv, &error) &&
                  preprocess_run(&options, comm, &error);
        if (!ok) {
            log_job_error("%s", error.message);
            status = EXIT_FAILURE;
        }
        rank_log_end(status);
    }
    comm_finish(comm);
    settings_free(&program.table, &options);
    return status;
}
