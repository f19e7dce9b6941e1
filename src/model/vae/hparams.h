/* Everything that decides what a model is and how it is trained, as one table of settings. All of it is stored in every
 * checkpoint. Names and defaults are Magenta's where Magenta has them (music_vae's `HParams` and the groovae configs). */
#ifndef DRUMLINE_MODEL_VAE_HPARAMS_H
#define DRUMLINE_MODEL_VAE_HPARAMS_H

#include "base/cli/settings.h"
#include "base/representation.h"

enum decoder_kind { DECODER_FLAT, DECODER_HIERARCHICAL };
enum optimizer_kind { OPTIMIZER_ADAM, OPTIMIZER_LAMB, OPTIMIZER_ADAMW };
enum learning_rate_scaling { SCALING_NONE, SCALING_SQRT, SCALING_LINEAR };
enum precision { PRECISION_FLOAT32, PRECISION_BF16 };
enum sampling_schedule { SAMPLING_CONSTANT, SAMPLING_EXPONENTIAL, SAMPLING_INVERSE_SIGMOID };

enum { HPARAMS_MAX_Z_SIZE = 16384 };

struct hparams {
    /* what the model is: a checkpoint fits a model only if these are equal */
    int representation; /* number of the row of representation_table */
    int64_t bars;
    int decoder; /* enum decoder_kind */
    struct int_list enc_rnn_size;
    struct int_list dec_rnn_size;
    int64_t z_size;
    bool hits_as_controls;  /* of target, to encoder and decoder */
    bool input_as_controls; /* what the encoder gets to see, to the decoder too */
    bool tempo_control; /* the tempo, beside those: with hits_as_controls to encoder and decoder, else to the decoder */

    /* what the encoder gets to see */
    bool humanize;
    bool tapify;
    bool fixed_velocities;
    struct int_list add_instruments;
    double max_note_dropout;
    double augment_drop_class; /* of the target too */

    /* how it is trained */
    int64_t batch_size; /* of the whole job */
    int64_t micro_batches;
    int64_t hop_bars;
    bool skip_silent; /* windows without a hit, in training and evaluation */
    int optimizer;    /* enum optimizer_kind */
    double weight_decay;
    double ema_decay; /* 0: no average of weights */
    double learning_rate, decay_rate, min_learning_rate;
    int64_t warmup_steps;
    int learning_rate_scaling; /* enum learning_rate_scaling */
    int64_t reference_batch_size;
    double max_beta, beta_rate, free_bits;
    double dropout_keep_prob;
    double prev_keep_prob, context_keep_prob; /* of the decoder's lowest layer; 0: as dropout_keep_prob */
    double velocity_l1;                       /* weight of the absolute error of hits' velocities */
    double grad_clip, grad_norm_clip_to_zero;
    int sampling_schedule; /* enum sampling_schedule */
    double sampling_rate;
    int precision; /* enum precision: of the operands of training's matrix products */
};

extern const struct settings_table hparams_table;

/* Cross-checks that single bounds can't express (say, min_learning_rate against learning_rate). */
bool hparams_check(const struct hparams *hparams, struct error *error);

/* What is refused of a new run alone, because the first version allowed it and its runs are resumed: hop_bars above bars. */
bool hparams_check_new(const struct hparams *hparams, struct error *error);

/* True where both describe the same tensors; else the error names the first hparam that differs, and both values. */
bool hparams_same_model(const struct hparams *a, const struct hparams *b, struct error *error);

/* The row of the hparam `representation`. */
const struct representation *hparams_representation(const struct hparams *hparams);

/* A row of the table of configs: a name for a set of hparams. */
struct config {
    const char *name;
    const char *hparams; /* what differs from the defaults, as --hparams takes it */
    const char *help;
};

extern const struct config config_table[];
extern const size_t config_count;

/* NULL where there is none; then the error, which may be NULL, is a message on the flag --config. */
const struct config *config_find(const char *name, struct error *error);

/* Fills *hparams with the defaults, the config's own and then `changes` ("a=1,b=[2,3]", or NULL), and checks them as a new
 * run's. */
bool hparams_make(struct hparams *hparams, const struct config *config, const char *changes, struct error *error);

#endif
