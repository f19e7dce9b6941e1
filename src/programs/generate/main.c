/* drumline-generate: new MIDI from a checkpoint. One process; no MPI. */
#include "base/cli/options.h"
#include "base/hdf5/hdf5.h"
#include "base/log.h"
#include "programs/generate/generate.h"
#include "run/run_folder.h"

#include <stdlib.h>

#define MEMBER(name) offsetof(struct generate_options, name)
#define TEXT(name, member, argument, help)                                                                             \
    {                                                                                                                  \
        name, SETTING_STRING, MEMBER(member), NULL, 0, 0, NULL, argument, help                                         \
    }
#define NUMBER(name, type, member, default_text, minimum, maximum, help)                                               \
    {                                                                                                                  \
        name, type, MEMBER(member), default_text, minimum, maximum, NULL, NULL, help                                   \
    }

#define FLAG(name, help) SETTING_ROW(struct generate_options, name, SETTING_BOOL, NULL, 0, 0, NULL, NULL, help)

static const struct setting option_rows[] = {
    TEXT("run_dir", run_dir, "DIR", "Folder of a run, whose best or newest checkpoint is used."),
    SETTING_ROW(
        struct generate_options, checkpoint, SETTING_CHOICE, "best", 0, 0, RUN_CHECKPOINT_CHOICES, NULL,
        "With --run_dir: the model of the lowest val_loss (train/best.h5), or the newest checkpoint; the newest "
        "where there is no best."),
    TEXT("checkpoint_file", checkpoint_file, "FILE", "A checkpoint or a model file."),
    TEXT("config", config, "NAME",
         "Alone: the shipped model of this name. With --run_dir or --checkpoint_file: refuse a checkpoint of "
         "any other config."),
    TEXT("models_dir", models_dir, "DIR",
         "Where --config NAME looks first for NAME.h5; then in the folders of DRUMLINE_MODELS, and where Drumline is "
         "installed."),
    {"mode",         SETTING_CHOICE, MEMBER(mode),         "sample", 0, 0, GENERATE_MODE_CHOICES,   NULL,
       "sample: decode random latent vectors. interpolate: from --input_midi_1 to --input_midi_2 in equal steps, both "
     "ends "
     "included. reconstruct: encode --input_midi_1 and decode it again, which is how to use humanize, tap and "
     "add_closed_hh models."                           },
    TEXT(
        "input_midi_1", input_midi[0], "FILE",
        "A performance in 4/4, as long as the model's window. A shorter one is repeated or padded with silence; a "
        "longer "
        "one is divided into windows, which are written to --output_dir for you to choose from, and the exit status is "
        "1. With groovae_2bar_hits_control the model plays the hits of this file, in every mode."),
    NUMBER("input_bar_1", SETTING_INT, input_bar[0], NULL, 1, 1 << 20,
           "First bar of the window in --input_midi_1, counted from 1."),
    TEXT("input_midi_2", input_midi[1], "FILE", "The second performance for --mode=interpolate."),
    NUMBER("input_bar_2", SETTING_INT, input_bar[1], NULL, 1, 1 << 20, "The same for --input_midi_2."),
    NUMBER("num_outputs", SETTING_INT, num_outputs, "5", 1, 1000000, "Number of files; at least 2 for interpolate."),
    {"latent",       SETTING_CHOICE, MEMBER(latent),       "auto",   0, 0, GENERATE_LATENT_CHOICES, NULL,
       "With --mode=sample: what latent vectors are drawn from. fitted: the density of the training data that the model "
     "file has; "
     "prior: N(0, 1); auto: fitted where there is one."},
    NUMBER("temperature", SETTING_DOUBLE, temperature, "0", 0, 100,
           "Hits are drawn with probability sigmoid(logit / temperature): lower is more predictable, higher more "
           "varied (0: 1 "
           "for samples from a fitted latent density, else 0.5)."),
    SETTING_ROW(
        struct generate_options, keep_hits, SETTING_CHOICE, "auto", 0, 0, SETTING_AUTO_CHOICES, NULL,
        "Play exactly the hits of --input_midi_1, with the model's velocities and timing. auto: off, as the model then "
        "decides which drums it hits."),
    NUMBER(
        "velocity_noise", SETTING_DOUBLE, velocity_noise, "0", 0, 10,
        "Vary velocities at random, by this many times the standard deviation by which the model's differ from those "
        "of its training data. Models play averages; drummers don't. Needs a model that stores it."),
    NUMBER("timing_noise", SETTING_DOUBLE, timing_noise, "0", 0, 10, "The same for the timing."),
    SETTING_ROW(struct generate_options, feedback, SETTING_CHOICE, "zero", 0, 0, GENERATE_FEEDBACK_CHOICES, NULL,
                "Velocities and offsets of drums that are not hit, as the next step is given them. zero: 0, as in "
                "training; raw: "
                "what the model put out, as Magenta's programs do."),
    NUMBER("qpm", SETTING_DOUBLE, qpm, NULL, 4, 1000,
           "Tempo of the output in quarter notes per minute; default: that of --input_midi_1, else 120."),
    NUMBER("bpm", SETTING_DOUBLE, bpm, NULL, 4, 1000, "The same as --qpm."),
    NUMBER("seed", SETTING_INT, seed, "-1", -1, 9007199254740992.0,
           "Random seed; the same seed gives the same music on the same kind of machine (-1: chosen at random and "
           "reported)."),
    NUMBER("drum_map", SETTING_STRING, drum_map, "auto", 0, 0,
           "Assigns pitches of the inputs to drums: a built-in map (drumline-info --drum_maps lists them), a table in "
           "a file, or auto: general, or the map of the model's training data if only that one has one of the file's "
           "pitches."),
    TEXT("channel", channel, "auto|all|N",
         "MIDI channel of the drums in the inputs. auto: channel 10, and others that a track name, a GS or XG message "
         "or "
         "their pitches identify as drums; all notes if nothing does."),
    TEXT("track", track, "NAME", "Use only notes of tracks whose name contains NAME (ignoring case)."),
    TEXT("output_dir", output_dir, "DIR",
         "Folder for the files, CONFIG_MODE_YYYY-MM-DD_HHMMSS-000-of-005.mid; created if missing. Nothing is "
         "overwritten."),
    NUMBER("output_channel", SETTING_INT, output_channel, "10", 1, 16, "MIDI channel of the output."),
    {"wrap_pick_up", SETTING_BOOL,   MEMBER(wrap_pick_up), NULL,     0, 0, NULL,                    NULL,
       "Write hits before the first beat at the end of the loop, where they are a pick-up when it repeats; without this "
     "flag they are moved to the first beat."          },
    NUMBER("output_drum_map", SETTING_STRING, output_drum_map, "general", 0, 0,
           "Pitches of the output: the first pitch of each drum in a built-in map or a table in a file."),
    FLAG(png, "Draw each output as a drum roll beside it (PNG); an interpolation also as one sheet."),
    FLAG(svg, "The same as SVG."),
    FLAG(dark, "With --png and --svg: light on dark."),
    FLAG(wav, "Render each output to audio beside it (WAV, 44.1 kHz, 16 bits)."),
    FLAG(ogg, "The same as Ogg Vorbis."),
    TEXT("soundfont", soundfont, "FILE",
         "Sound font (SF2 or SF3) for --wav and --ogg; default: $DRUMLINE_SOUNDFONT, else the system's General MIDI "
         "font."),
    NUMBER("threads", SETTING_INT, threads, "0", 0, 256,
           "Threads (0: one per available core). The output does not depend on it."),
};

static const struct options_group groups[] = {
    {"Model",  "run_dir"   },
    {"Music",  "mode"      },
    {"Output", "output_dir"},
    {NULL,     NULL        },
};

static const struct program program = {
    .name = "drumline-generate",
    .summary = "generates MIDI files with a model, by sampling or from existing performances",
    .usage = "(--run_dir DIR | --checkpoint_file FILE | --config NAME) --output_dir DIR [OPTION]...",
    .examples = "drumline-generate --run_dir runs/first --mode=sample --num_outputs 4 --output_dir new\n"
                "drumline-generate --run_dir runs/first --mode=interpolate --input_midi_1 a.mid --input_bar_1 9 "
                "--input_midi_2 b.mid --output_dir new\n"
                "drumline-generate --checkpoint_file tap.h5 --mode=reconstruct --input_midi_1 taps.mid --num_outputs 1 "
                "--output_dir new\n",
    .table = {option_rows, sizeof option_rows / sizeof option_rows[0]},
    .groups = groups,
};

int main(int argc, char **argv)
{
    struct generate_options options = {.program = argc > 0 ? argv[0] : NULL};
    struct error error;
    hdf5_start();
    enum options_result result = options_parse(&program, argc, argv, &options, NULL, NULL, &error);
    int status = options_status(result);
    bool wrong_usage = result == OPTIONS_WRONG;
    if (result == OPTIONS_FAILED)
        log_error("%s", error.message);
    if (result == OPTIONS_RUN) {
        wrong_usage = !generate_check(&options, &error);
        if (!wrong_usage && !generate(&options, &wrong_usage, &error) && !wrong_usage) {
            log_error("%s", error.message);
            status = EXIT_FAILURE;
        }
    }
    if (wrong_usage) {
        log_error("%s (see --help)", error.message);
        status = EXIT_USAGE;
    }
    settings_free(&program.table, &options);
    return status;
}
