#include "model/vae/hparams.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#define ROW(name, type, default_text, minimum, maximum, choices, help)                                                 \
    SETTING_ROW(struct hparams, name, type, default_text, minimum, maximum, choices, NULL, help)
#define INT(name, default_text, minimum, maximum, help)                                                                \
    ROW(name, SETTING_INT, default_text, minimum, maximum, NULL, help)
#define DOUBLE(name, default_text, minimum, maximum, help)                                                             \
    ROW(name, SETTING_DOUBLE, default_text, minimum, maximum, NULL, help)
#define LIST(name, default_text, minimum, maximum, help)                                                               \
    ROW(name, SETTING_INT_LIST, default_text, minimum, maximum, NULL, help)
#define BOOL(name, help) ROW(name, SETTING_BOOL, "false", 0, 0, NULL, help)
#define CHOICE(name, default_text, choices, help) ROW(name, SETTING_CHOICE, default_text, 0, 0, choices, help)

static const struct setting rows[] = {
    CHOICE(representation, "groove", representation_choices,
           "How music is laid out for the model. groove: hits, velocities and offsets of nine drums."),
    INT(bars, "4", 1, 64, "Bars of a window: what the model sees and plays."),
    CHOICE(decoder, "flat", "flat|hierarchical",
           "One LSTM over the whole window, or a conductor with one bar at a time."),
    LIST(enc_rnn_size, "[512]", 1, 16384, "Units of each encoder layer, in each direction."),
    LIST(dec_rnn_size, "[256,256]", 1, 16384, "Units of each decoder layer, and of each conductor layer."),
    INT(z_size, "256", 1, 16384, "Size of the latent vector."),
    BOOL(hits_as_controls, "Give the hits of the step being played to the encoder and to the decoder."),
    BOOL(humanize, "Take velocities and offsets from the input, so that the model learns to put them back."),
    BOOL(tapify, "Move each step's loudest hit to the open hi-hat in the input and take the others away."),
    BOOL(fixed_velocities, "Take velocities from the input."),
    LIST(add_instruments, NULL, 0, 8, "Classes (0 to 8) taken from the input, for the model to add."),
    DOUBLE(max_note_dropout, "0", 0, 1, "Largest probability with which a window's input loses notes."),
    INT(batch_size, "512", 1, 1 << 24, "Windows of a step, over all ranks."),
    INT(micro_batches, "1", 1, 1 << 24,
        "Goes in which a rank makes its part of a step, one after the other, so that a step of any size fits into its "
        "memory; more where --micro_batch_size asks for more."),
    INT(hop_bars, "1", 1, 64, "Bars between the starts of two training windows. Evaluation never overlaps."),
    CHOICE(optimizer, "adam", "adam|lamb", "lamb: for large batches; each kernel moves in proportion to its norm."),
    DOUBLE(weight_decay, "0", 0, 10, "optimizer=lamb: share of a kernel that is added to the direction of its step."),
    DOUBLE(learning_rate, "0.001", 0, 10, "The optimizer's learning rate at the start, before warm-up and scaling."),
    DOUBLE(decay_rate, "0.9999", 0, 1,
           "What the learning rate's part above the minimum is multiplied by at every step."),
    DOUBLE(min_learning_rate, "0.00001", 0, 10, "What the learning rate decays to."),
    INT(warmup_steps, "0", 0, 1e9, "Steps over which the learning rate grows from 0 in a straight line."),
    CHOICE(learning_rate_scaling, "none", "none|sqrt|linear",
           "How the learning rate grows with batch_size / reference_batch_size."),
    INT(reference_batch_size, "512", 1, 1 << 24,
        "With learning_rate_scaling: the batch_size that the learning rates are meant for."),
    DOUBLE(max_beta, "0.2", 0, 1000, "Weight of the KL term in the end."),
    DOUBLE(beta_rate, "0", 0, 1, "beta = (1 - beta_rate^step) * max_beta: 0 gives max_beta from the first step."),
    DOUBLE(free_bits, "48", 0, 1e6, "Bits of KL that cost nothing."),
    DOUBLE(dropout_keep_prob, "0.3", 0.01, 1, "Share of each LSTM layer's input that is kept in training."),
    DOUBLE(grad_clip, "1", 1e-12, 1e12, "Gradients are scaled down to this global norm."),
    DOUBLE(grad_norm_clip_to_zero, "10000", 1e-12, 1e30, "A step whose global norm exceeds this is left out."),
    CHOICE(sampling_schedule, "constant", "constant|exponential|inverse_sigmoid",
           "How the probability grows that the decoder is fed its own output in training."),
    DOUBLE(sampling_rate, "0", 0, 1e9,
           "constant: that probability. exponential: 1 - rate^step. inverse_sigmoid: 1 - rate / (rate + exp(step / "
           "rate))."),
    CHOICE(precision, "float32", "float32|bf16",
           "What the operands of training's matrix products are rounded to. Parameters, sums, gradients, optimizer, "
           "evaluation and generation are float32 in both."),
};

const struct settings_table hparams_table = {rows, sizeof rows / sizeof *rows};

const struct config config_table[] = {
    {"groovae_4bar",                                 "decoder=hierarchical",                                          "4 bars, hierarchical decoder"                       },
    {"groovae_4bar_flat",                            "",                                                              "4 bars, flat decoder, as Magenta published it"      },
    {"groovae_2bar_humanize",                        "bars=2,humanize=true",                                          "2 bars: gives a stiff pattern velocities and timing"},
    {"groovae_2bar_tap_fixed_velocity",              "bars=2,tapify=true,fixed_velocities=true",                      "2 bars: a drum part from taps"                      },
    {"groovae_2bar_tap_fixed_velocity_note_dropout", "bars=2,tapify=true,fixed_velocities=true,max_note_dropout=0.8",
     "the same, from taps of which some are missing"                                                                                                                       },
    {"groovae_2bar_add_closed_hh",                   "bars=2,add_instruments=[2]",                                    "2 bars: adds a closed hi-hat"                       },
    {"groovae_2bar_hits_control",                    "bars=2,hits_as_controls=true",                                  "2 bars: the hits are given, the feel is free"       },
};

const size_t config_count = sizeof config_table / sizeof *config_table;

bool hparams_check(const struct hparams *hparams, struct error *error)
{
    if (hparams->enc_rnn_size.count == 0 || hparams->dec_rnn_size.count == 0)
        return error_set(error, "enc_rnn_size and dec_rnn_size need at least one layer, as in [256,256]");
    if (hparams->min_learning_rate > hparams->learning_rate)
        return error_set(error, "min_learning_rate=%g is above learning_rate=%g", hparams->min_learning_rate,
                         hparams->learning_rate);
    if (hparams->micro_batches > hparams->batch_size)
        return error_set(error, "micro_batches=%" PRId64 " is above batch_size=%" PRId64, hparams->micro_batches,
                         hparams->batch_size);
    if (hparams->optimizer != OPTIMIZER_LAMB && hparams->weight_decay > 0)
        return error_set(error, "weight_decay=%g needs optimizer=lamb", hparams->weight_decay);
    if (hparams->sampling_schedule != SAMPLING_INVERSE_SIGMOID && hparams->sampling_rate > 1)
        return error_set(error, "sampling_rate=%g: a constant or exponential sampling_schedule needs 0 to 1",
                         hparams->sampling_rate);
    if (hparams->sampling_schedule == SAMPLING_INVERSE_SIGMOID && !(hparams->sampling_rate >= 1))
        return error_set(error, "sampling_rate=%g: sampling_schedule=inverse_sigmoid needs 1 or more",
                         hparams->sampling_rate);
    return true;
}

bool hparams_same_model(const struct hparams *a, const struct hparams *b, struct error *error)
{
    static const char *const names[] = {"representation", "bars",   "decoder",         "enc_rnn_size",
                                        "dec_rnn_size",   "z_size", "hits_as_controls"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text_a[SETTING_TEXT_MAX], text_b[SETTING_TEXT_MAX];
        const struct setting *row = settings_find(&hparams_table, names[i]);
        setting_format(row, a, text_a);
        setting_format(row, b, text_b);
        if (strcmp(text_a, text_b) != 0)
            return error_set(error, "%s is %s, not %s", names[i], text_a, text_b);
    }
    return true;
}

const struct representation *hparams_representation(const struct hparams *hparams)
{
    return &representation_table[hparams->representation];
}

const struct config *config_find(const char *name, struct error *error)
{
    struct setting names[sizeof config_table / sizeof *config_table] = {{0}};
    for (size_t i = 0; i < config_count; i++) {
        if (strcmp(config_table[i].name, name) == 0)
            return &config_table[i];
        names[i].name = config_table[i].name;
    }
    if (error) {
        const char *nearest = settings_nearest(&(struct settings_table){names, config_count}, name);
        error_set(error, "--config=%s: no such config%s%s%s (drumline-info --hparams lists all)", name,
                  nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
    }
    return NULL;
}

bool hparams_make(struct hparams *hparams, const struct config *config, const char *changes, struct error *error)
{
    memset(hparams, 0, sizeof *hparams);
    settings_default(&hparams_table, hparams);
    if (!settings_parse_list(&hparams_table, hparams, config->hparams, error))
        return error_prefix(error, "config %s", config->name);
    if (changes && !settings_parse_list(&hparams_table, hparams, changes, error))
        return error_prefix(error, "--hparams");
    if (!hparams_check(hparams, error))
        return error_prefix(error, "--hparams");
    return true;
}
