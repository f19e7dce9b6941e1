/* The command line of drumline-generate. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_OPTIONS_H
#define DRUMLINE_PROGRAMS_GENERATE_OPTIONS_H

#include "base/cli/settings.h"

enum { GENERATE_MAX_INPUTS = 4, GENERATE_MAX_BARS = 1024, GENERATE_MAX_JOINED = 256 };

enum generate_mode {
    GENERATE_SAMPLE,
    GENERATE_INTERPOLATE,
    GENERATE_RECONSTRUCT,
    GENERATE_SIMILAR,
    GENERATE_APPLY,
    GENERATE_TRANSFER,
    GENERATE_ATTRIBUTE
};
#define GENERATE_MODE_CHOICES "sample|interpolate|reconstruct|similar|apply|transfer|attribute"

/* What latent vectors of samples are drawn from. */
enum generate_latent { GENERATE_LATENT_AUTO, GENERATE_LATENT_PRIOR, GENERATE_LATENT_FITTED, GENERATE_LATENT_MIXTURE };
#define GENERATE_LATENT_CHOICES "auto|prior|fitted|mixture"

/* What a step is fed for drums that are not hit. */
enum generate_feedback { GENERATE_FEEDBACK_ZERO, GENERATE_FEEDBACK_RAW };
#define GENERATE_FEEDBACK_CHOICES "zero|raw"

struct generate_options {
    char *run_dir, *checkpoint_file, *config;
    char *models_dir;
    const char *program; /* argv[0] */
    int checkpoint;      /* enum run_checkpoint_choice: with run_dir */
    int mode;            /* enum generate_mode */
    int64_t num_outputs; /* 0: as the mode has it; in a grid of four inputs: of a side */
    int64_t bars;        /* of a sample; 0: the model's window */
    bool join;
    double similarity, amount;
    char *input_midi[GENERATE_MAX_INPUTS];
    int64_t input_bar[GENERATE_MAX_INPUTS]; /* from 1; 0: not given */
    int latent;                             /* enum generate_latent */
    char *style, *attribute;                /* NULL: not given */
    double temperature;                     /* 0: by the latent density */
    int keep_hits;                          /* enum setting_auto */
    int feedback;                           /* enum generate_feedback */
    double velocity_noise, timing_noise;    /* below 0: as the mode has it */
    double qpm, bpm;                        /* two names of one; 0: not given */
    int64_t seed;                           /* -1: not given */
    int64_t threads;
    char *output_dir;
    char *drum_map;         /* of the inputs; NULL: auto */
    char *output_drum_map;  /* NULL: general */
    int64_t output_channel; /* from 1; 0: not given */
    bool wrap_pick_up;
    bool png, svg, wav, ogg, dark;
    char *play; /* the audio device; NULL: nothing is played */
    char *soundfont;
    char *channel, *track; /* of the inputs; NULL: auto, any */
};

extern const struct settings_table generate_options_table;

/* Errors that are visible from the options alone. */
bool generate_check(const struct generate_options *options, struct error *error);

/* "sample": the mode's name, also in those of the files. */
const char *generate_mode_name(int mode);

/* Whether the mode changes a file that is given rather than writing one of its own. */
bool generate_edits(int mode);

/* How many outputs are asked for, or usual in the mode. */
int generate_num_outputs(const struct generate_options *options);

/* How many of the inputs are given, which are the first ones. */
int generate_num_inputs(const struct generate_options *options);

#endif
