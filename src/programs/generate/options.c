#include "programs/generate/options.h"

#include "base/io/foreign_file.h"
#include "data/midi/drum_notes.h"
#include "model/vae/hparams.h"
#include "render/player.h"
#include "run/run_folder.h"

enum { MOST_OUTPUTS = 1000000 };

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

static const struct setting rows[] = {
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
       "sample: decode random latent vectors. apply: the model applied to all of --input_midi_1, whatever its length, "
     "which is how to use humanize, tap and add_closed_hh models. transfer: the hits of --input_midi_1 with the feel "
     "of "
     "--input_midi_2. similar: variations of --input_midi_1. interpolate: from --input_midi_1 to --input_midi_2 in "
     "equal steps, both ends included, or with four inputs a grid between them. reconstruct: encode one window of "
     "--input_midi_1 and decode it again. attribute: "
     "--input_midi_1 with more or less of what --attribute names."             },
    TEXT("input_midi_1", input_midi[0], "FILE",
         "A performance in 4/4, as long as the model's window. A shorter one is repeated or padded with silence; of a "
         "longer one the first window with a hit is played, or that of --input_bar_1 (--mode=apply plays all of it); "
         "with --mode=interpolate its windows are written to --output_dir for you to choose from, and the exit status "
         "is 1. A model that is given the hits (hits_as_controls) plays to those of this file, in every mode."),
    NUMBER("input_bar_1", SETTING_INT, input_bar[0], NULL, 1, 1 << 20,
           "First bar of the window in --input_midi_1, counted from 1."),
    TEXT("input_midi_2", input_midi[1], "FILE", "The second performance for --mode=interpolate and transfer."),
    NUMBER("input_bar_2", SETTING_INT, input_bar[1], NULL, 1, 1 << 20, "The same for --input_midi_2."),
    TEXT("input_midi_3", input_midi[2], "FILE",
         "With --mode=interpolate and --input_midi_4: a grid whose corners are the four inputs, 1 and 2 the upper "
         "ones, 3 "
         "and 4 the lower ones, written row by row."),
    NUMBER("input_bar_3", SETTING_INT, input_bar[2], NULL, 1, 1 << 20, "The same for --input_midi_3."),
    TEXT("input_midi_4", input_midi[3], "FILE", "The fourth corner."),
    NUMBER("input_bar_4", SETTING_INT, input_bar[3], NULL, 1, 1 << 20, "The same for --input_midi_4."),
    NUMBER("num_outputs", SETTING_INT, num_outputs, NULL, 1, MOST_OUTPUTS,
           "Number of files (default: 5; 1 for apply and transfer). For interpolate at least 2, for a grid those of a "
           "side."),
    NUMBER(
        "bars", SETTING_INT, bars, NULL, 1, GENERATE_MAX_BARS,
        "With --mode=sample: length of each output; default: the model's window. A longer one is generated window by "
        "window, each of which continues the one before, while the latent vector moves on to another random one "
        "every four windows."),
    FLAG(join,
         "With --mode=interpolate: one file with all outputs one after the other, each of which continues the one "
         "before; of a grid, every second row is played backwards."),
    NUMBER("similarity", SETTING_DOUBLE, similarity, "0.7", 0, 1,
           "With --mode=similar: from 0, as different as samples are, to 1, as reconstruct."),
    NUMBER("amount", SETTING_DOUBLE, amount, "1", 0, 1,
           "With --mode=apply and transfer, where hits are kept: velocities and timing between the input's (0) and the "
           "model's "
           "(1)."),
    TEXT("style", style, "NAME",
         "With --mode=sample: draw from the density of one style; drumline-info MODEL lists those that a model has."),
    TEXT("attribute", attribute, "NAME:X,...",
         "With --mode=attribute and sample: more of an attribute, or less, in standard deviations over the training "
         "data: "
         "density:+1.5,swing:-1. Attributes are density, syncopation, swing, push (before the beat; less: laid back), "
         "loudness, dynamics, ride (less: hi-hat) and fills."),
    {"latent",       SETTING_CHOICE, MEMBER(latent),       "auto",   0, 0, GENERATE_LATENT_CHOICES, NULL,
       "With --mode=sample: what latent vectors are drawn from. fitted: the density of the training data that the model "
     "file has; "
     "mixture: a mixture fitted likewise; "
     "prior: N(0, 1); auto: mixture, fitted or prior, the first that there is."},
    NUMBER("temperature", SETTING_DOUBLE, temperature, "0", 0, 100,
           "Hits are drawn with probability sigmoid(logit / temperature): lower is more predictable, higher more "
           "varied (0: for "
           "samples from a fitted latent density what the model stores, or 0.9; else 0.5)."),
    SETTING_ROW(struct generate_options, keep_hits, SETTING_CHOICE, "auto", 0, 0, SETTING_AUTO_CHOICES, NULL,
                "Play exactly the hits of --input_midi_1, with the model's velocities and timing. auto: on for apply "
                "with models of "
                "humanize or hits_as_controls and for transfer; else the model decides which drums it hits."),
    NUMBER(
        "velocity_noise", SETTING_DOUBLE, velocity_noise, "-1", -1, 10,
        "Vary velocities at random: 1 as those of the training data vary where the model plays the same, 0.5 half as "
        "much. Models play averages; drummers don't. Needs a model that stores it. -1: 1 for samples where the model "
        "stores it, else 0."),
    NUMBER("timing_noise", SETTING_DOUBLE, timing_noise, "-1", -1, 10,
           "The same for the timing, by this many standard deviations."),
    SETTING_ROW(struct generate_options, feedback, SETTING_CHOICE, "zero", 0, 0, GENERATE_FEEDBACK_CHOICES, NULL,
                "Velocities and offsets of drums that are not hit, as the next step is given them. zero: 0, as in "
                "training; raw: what the model put out, as Magenta's programs do."),
    NUMBER("qpm", SETTING_DOUBLE, qpm, NULL, 4, 1000,
           "Tempo of the output in quarter notes per minute; default: that of --input_midi_1, else 120."),
    NUMBER("bpm", SETTING_DOUBLE, bpm, NULL, 4, 1000, "The same as --qpm."),
    NUMBER("seed", SETTING_INT, seed, "-1", -1, 9007199254740992.0,
           "Random seed; the same seed gives the same music on the same kind of machine (-1: chosen at random and "
           "reported)."),
    SETTING_ROW(
        struct generate_options, drum_map, SETTING_STRING, "auto", 0, 0, NULL, "NAME|FILE",
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
    NUMBER("output_channel", SETTING_INT, output_channel, NULL, 1, 16,
           "MIDI channel of the output; default: 10, with apply that of the drums."),
    {"wrap_pick_up", SETTING_BOOL,   MEMBER(wrap_pick_up), NULL,     0, 0, NULL,                    NULL,
       "Write hits before the first beat at the end of the loop, where they are a pick-up when it repeats; without this "
     "flag they are moved to the first beat."                                  },
    SETTING_ROW(struct generate_options, output_drum_map, SETTING_STRING, NULL, 0, 0, NULL, "NAME|FILE",
                "Pitches of the output: the first pitch of each drum in a built-in map or a table in a file; default: "
                "general, with apply "
                "those of the input."),
    FLAG(png, "Draw each output as a drum roll beside it (PNG); an interpolation also as one sheet."),
    FLAG(svg, "The same as SVG."),
    FLAG(dark, "With --png and --svg: light on dark."),
    FLAG(wav, "Render each output to audio beside it (WAV, 44.1 kHz, 16 bits)."),
    FLAG(ogg, "The same as Ogg Vorbis."),
    SETTING_ROW(struct generate_options, play, SETTING_STRING, NULL, 0, 0, AUDIO_PLAYER_DEFAULT, "DEVICE",
                "Play the outputs, once all are written, on the default audio device or another one of ALSA's; Ctrl-C "
                "stops. Where that device can't be opened, nothing is generated."),
    TEXT("soundfont", soundfont, "FILE",
         "Sound font (SF2 or SF3) for --wav, --ogg and --play; default: $DRUMLINE_SOUNDFONT, else the system's General "
         "MIDI font."),
    NUMBER("threads", SETTING_INT, threads, "0", 0, 256,
           "Threads (0: one per available core). The output does not depend on it."),
};

const struct settings_table generate_options_table = {rows, sizeof rows / sizeof *rows};

/* A mode, and the inputs that it takes. */
static const struct mode {
    const char *name;
    int least_inputs, most_inputs;
    int num_outputs; /* where none is given */
} modes[] = {
    [GENERATE_SAMPLE] = {"sample",      0, 1,                   5},
    [GENERATE_INTERPOLATE] = {"interpolate", 2, GENERATE_MAX_INPUTS, 5},
    [GENERATE_RECONSTRUCT] = {"reconstruct", 1, 1,                   5},
    [GENERATE_ATTRIBUTE] = {"attribute",   1, 1,                   5},
    [GENERATE_SIMILAR] = {"similar",     1, 1,                   5},
    [GENERATE_APPLY] = {"apply",       1, 1,                   1},
    [GENERATE_TRANSFER] = {"transfer",    2, 2,                   1},
};

const char *generate_mode_name(int mode)
{
    return modes[mode].name;
}

int generate_num_outputs(const struct generate_options *options)
{
    return options->num_outputs > 0 ? (int)options->num_outputs : modes[options->mode].num_outputs;
}

int generate_num_inputs(const struct generate_options *options)
{
    int count = 0;
    while (count < GENERATE_MAX_INPUTS && options->input_midi[count])
        count++;
    return count;
}

static bool check_inputs(const struct generate_options *options, struct error *error)
{
    const struct mode *mode = &modes[options->mode];
    int count = generate_num_inputs(options);
    for (int i = 0; i < GENERATE_MAX_INPUTS; i++) {
        if (options->input_bar[i] > 0 && !options->input_midi[i])
            return error_set(error, "--input_bar_%d without --input_midi_%d", i + 1, i + 1);
        if (options->input_midi[i] && i >= count)
            return error_set(error, "--input_midi_%d without --input_midi_%d", i + 1, count + 1);
        if (options->input_midi[i] && !foreign_file_check(options->input_midi[i], error))
            return false;
    }
    if (options->mode == GENERATE_INTERPOLATE && (count < 2 || count == 3))
        return error_set(error, "--mode=interpolate needs --input_midi_1 and --input_midi_2, or all four up to "
                                "--input_midi_4 for a grid");
    if (count < mode->least_inputs)
        return error_set(error, "--mode=%s needs --input_midi_%d", mode->name, count + 1);
    if (count > mode->most_inputs)
        return error_set(error, "--mode=%s does not use --input_midi_%d", mode->name, mode->most_inputs + 1);
    return true;
}

bool generate_edits(int mode)
{
    return mode == GENERATE_APPLY || mode == GENERATE_TRANSFER;
}

static bool check_editing(const struct generate_options *options, struct error *error)
{
    const char *name = generate_mode_name(options->mode);
    if (options->qpm > 0 || options->bpm > 0)
        return error_set(error, "--mode=%s keeps the tempo of --input_midi_1: omit --qpm and --bpm", name);
    if (options->input_bar[0] > 0)
        return error_set(error, "--mode=%s works on all of --input_midi_1: omit --input_bar_1", name);
    if (options->wrap_pick_up)
        return error_set(error, "--mode=%s leaves hits where they are: omit --wrap_pick_up", name);
    return true;
}

/* Flags that one mode has and others have not. */
static bool check_modes_own(const struct generate_options *options, struct error *error)
{
    int count = generate_num_outputs(options);
    const char *name = generate_mode_name(options->mode);
    if (options->bars > 0 && options->mode != GENERATE_SAMPLE)
        return error_set(error, "--bars is for --mode=sample; the outputs of %s are as long as %s", name,
                         generate_edits(options->mode) ? "--input_midi_1" : "the model's window");
    if (options->join && options->mode != GENERATE_INTERPOLATE)
        return error_set(error, "--join is for --mode=interpolate");
    if (generate_edits(options->mode))
        return check_editing(options, error);
    if (options->amount > 0 && options->amount < 1)
        return error_set(error, "--amount is for --mode=apply and --mode=transfer");
    if (options->mode != GENERATE_INTERPOLATE)
        return true;
    if (count < 2)
        return error_set(error, "--mode=interpolate needs --num_outputs=2 or more, as both ends are included");
    if (generate_num_inputs(options) == 4 && (int64_t)count * count > MOST_OUTPUTS)
        return error_set(error, "--num_outputs=%d is the number of outputs of a side of the grid: at most %d", count,
                         1000);
    if (options->join && (generate_num_inputs(options) == 4 ? (int64_t)count * count : count) > GENERATE_MAX_JOINED)
        return error_set(error, "--join: at most %d windows are joined", GENERATE_MAX_JOINED);
    return true;
}

bool generate_check(const struct generate_options *options, struct error *error)
{
    if (options->run_dir && options->checkpoint_file)
        return error_set(error, "give one of --run_dir DIR and --checkpoint_file FILE");
    if (!options->run_dir && !options->checkpoint_file && !options->config)
        return error_set(error, "give one of --run_dir DIR, --checkpoint_file FILE and "
                                "--config NAME (a shipped model)");
    const char *files[] = {options->run_dir, options->checkpoint_file};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (files[i] && !foreign_file_check(files[i], error))
            return false;
    if (!options->output_dir)
        return error_set(error, "give --output_dir DIR, the folder for the MIDI files");
    if (options->config && !config_find(options->config, error))
        return false;
    int channel;
    if (options->channel && !drum_channel_parse(&channel, options->channel, error))
        return error_prefix(error, "--channel");
    if (options->qpm > 0 && options->bpm > 0)
        return error_set(error, "--qpm and --bpm are the same: give one");
    if (options->keep_hits == SETTING_TRUE && !options->input_midi[0])
        return error_set(error, "--keep_hits keeps the hits of an input: give --input_midi_1 FILE");
    return check_inputs(options, error) && check_modes_own(options, error);
}
