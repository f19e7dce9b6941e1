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
           "How music is encoded for the model. groove: hits, velocities and offsets of nine drums."),
    INT(bars, "4", 1, 64, "Length of a window in bars."),
    CHOICE(decoder, "flat", "flat|hierarchical",
           "flat: one LSTM over the whole window. hierarchical: a conductor LSTM, one step per bar, drives the core "
           "decoder."),
    LIST(enc_rnn_size, "[512]", 1, 16384, "Units of each bidirectional encoder layer, per direction."),
    LIST(dec_rnn_size, "[256,256]", 1, 16384, "Units of each decoder layer, and of each conductor layer."),
    INT(z_size, "256", 1, HPARAMS_MAX_Z_SIZE, "Size of the latent vector."),
    BOOL(hits_as_controls, "Give the encoder and the decoder the hits of the current step."),
    BOOL(input_as_controls, "Give the decoder the current step of the encoder's input."),
    BOOL(tempo_control, "With hits_as_controls or input_as_controls, give the tempo too."),
    BOOL(humanize, "Remove velocities and offsets from the input; the model learns to restore them."),
    BOOL(tapify, "Reduce the input to taps: each step's loudest hit, moved to the open hi-hat."),
    BOOL(fixed_velocities, "Remove velocities from the input."),
    LIST(add_instruments, NULL, 0, 8, "Classes (0 to 8) to remove from the input; the model learns to add them."),
    DOUBLE(max_note_dropout, "0", 0, 1, "Maximum probability of dropping notes from the input, drawn for each window."),
    DOUBLE(augment_drop_class, "0", 0, 1,
           "Probability that a training window loses one of its classes, in input and target."),
    INT(batch_size, "512", 1, 1 << 24, "Windows per step, over all ranks."),
    INT(micro_batches, "1", 1, 1 << 24, "Minimum number of micro-batches per rank and step (gradient accumulation)."),
    INT(hop_bars, "1", 1, 64,
        "Bars from one training window to the next, at most `bars`. Evaluation windows never overlap."),
    BOOL(skip_silent, "Skip windows without a hit, in training and evaluation."),
    CHOICE(optimizer, "adam", "adam|lamb|adamw",
           "adam; lamb: for large batches, scales the step of each kernel by its norm; adamw: adam with weight_decay."),
    DOUBLE(weight_decay, "0", 0, 10, "Decoupled weight decay of kernels; needs optimizer=lamb or adamw."),
    DOUBLE(ema_decay, "0", 0, 0.9999999,
           "Decay of a moving average of the weights, which is evaluated and exported in their place (0: none)."),
    DOUBLE(learning_rate, "0.001", 0, 10, "Initial learning rate, before warm-up and scaling."),
    DOUBLE(decay_rate, "0.9999", 0, 1, "Factor per step on the part of the learning rate above min_learning_rate."),
    DOUBLE(min_learning_rate, "0.00001", 0, 10, "Learning rate that the decay approaches."),
    INT(warmup_steps, "0", 0, 1e9, "Steps of linear warm-up of the learning rate (0: none)."),
    CHOICE(learning_rate_scaling, "none", "none|sqrt|linear",
           "Scale the learning rate by batch_size / reference_batch_size, or by its square root."),
    INT(reference_batch_size, "512", 1, 1 << 24,
        "Batch size that learning_rate was chosen for, with learning_rate_scaling."),
    DOUBLE(max_beta, "0.2", 0, 1000, "Final weight of the KL term."),
    DOUBLE(beta_rate, "0", 0, 1, "Annealing of the KL weight: (1 - beta_rate^step) * max_beta (0: none)."),
    DOUBLE(free_bits, "48", 0, 1e6, "KL per window, in bits, that is not penalized."),
    DOUBLE(dropout_keep_prob, "0.3", 0.01, 1,
           "Probability of keeping each input of an LSTM layer in training (1: no dropout)."),
    DOUBLE(prev_keep_prob, "0", 0, 1, "The same for the previous step as the decoder's input (0: dropout_keep_prob)."),
    DOUBLE(context_keep_prob, "0", 0, 1,
           "The same for controls and latent vector or embedding as the decoder's input (0: dropout_keep_prob)."),
    DOUBLE(velocity_l1, "0", 0, 1000,
           "Weight of the absolute error of hits' velocities, added to the squared error in training."),
    DOUBLE(grad_clip, "1", 1e-12, 1e12, "Maximum global norm of the gradient; larger ones are scaled down."),
    DOUBLE(grad_norm_clip_to_zero, "10000", 1e-12, 1e30, "Skip steps whose gradient has a larger global norm."),
    CHOICE(sampling_schedule, "constant", "constant|exponential|inverse_sigmoid",
           "Scheduled sampling: growth of the probability of feeding the decoder its own output in training."),
    DOUBLE(
        sampling_rate, "0", 0, 1e9,
        "Rate r of sampling_schedule. constant: r; exponential: 1 - r^step; inverse_sigmoid: 1 - r / (r + exp(step / "
        "r))."),
    CHOICE(precision, "float32", "float32|bf16", "Operands of GEMMs in training. All else is float32."),
};

const struct settings_table hparams_table = {rows, sizeof rows / sizeof *rows};

const struct config config_table[] = {
    {"groovae_4bar",                                 "decoder=hierarchical,skip_silent=true",                     "4 bars, hierarchical decoder"                                  },
    {"groovae_4bar_flat",                            "skip_silent=true",                                          "4 bars, flat decoder, as Magenta published it"                 },
    {"groovae_4bar_small",
     "skip_silent=true,enc_rnn_size=[128],dec_rnn_size=[128,128],z_size=64,batch_size=32,learning_rate=0.002,"
     "decay_rate=0.999,min_learning_rate=0.0001,warmup_steps=50,dropout_keep_prob=0.9,context_keep_prob=1",       "4 bars, flat decoder, narrow: good within minutes on two cores"},
    {"groovae_2bar_humanize",                        "bars=2,humanize=true,skip_silent=true",
     "2 bars: adds velocities and timing to a quantized pattern"                                                                                                                  },
    {"groovae_2bar_tap_fixed_velocity",              "bars=2,tapify=true,fixed_velocities=true,skip_silent=true",
     "2 bars: a drum pattern from a tapped rhythm"                                                                                                                                },
    {"groovae_2bar_tap_fixed_velocity_note_dropout",
     "bars=2,tapify=true,fixed_velocities=true,max_note_dropout=0.8,skip_silent=true",                            "2 bars: the same, with some taps missing"                      },
    {"groovae_2bar_add_closed_hh",                   "bars=2,add_instruments=[2],skip_silent=true",               "2 bars: adds a closed hi-hat"                                  },
    {"groovae_2bar_hits_control",                    "bars=2,hits_as_controls=true,skip_silent=true",
     "2 bars: velocities and timing for given hits"                                                                                                                               },
};

const size_t config_count = sizeof config_table / sizeof *config_table;

/* A mask's probability is a multiple of 2^-16: far smaller ones would keep nothing, at a scale without bounds. */
static bool check_keep_prob(const char *name, double keep_prob, struct error *error)
{
    return keep_prob <= 0 || keep_prob >= 0.001 ||
           error_set(error, "%s=%g: 0 or 0.001 to 1 is allowed", name, keep_prob);
}

bool hparams_check(const struct hparams *hparams, struct error *error)
{
    if (!check_keep_prob("prev_keep_prob", hparams->prev_keep_prob, error) ||
        !check_keep_prob("context_keep_prob", hparams->context_keep_prob, error))
        return false;
    if (hparams->hits_as_controls && hparams->input_as_controls)
        return error_set(error, "give one of hits_as_controls and input_as_controls");
    if (hparams->tempo_control && !hparams->hits_as_controls && !hparams->input_as_controls)
        return error_set(error, "tempo_control=true needs hits_as_controls or input_as_controls");
    if (hparams->enc_rnn_size.count == 0 || hparams->dec_rnn_size.count == 0)
        return error_set(error, "enc_rnn_size and dec_rnn_size need at least one layer, as in [256,256]");
    if (hparams->min_learning_rate > hparams->learning_rate)
        return error_set(error, "min_learning_rate=%g is above learning_rate=%g", hparams->min_learning_rate,
                         hparams->learning_rate);
    if (hparams->micro_batches > hparams->batch_size)
        return error_set(error, "micro_batches=%" PRId64 " is above batch_size=%" PRId64, hparams->micro_batches,
                         hparams->batch_size);
    if (hparams->optimizer == OPTIMIZER_ADAM && hparams->weight_decay > 0)
        return error_set(error, "weight_decay=%g needs optimizer=lamb or adamw", hparams->weight_decay);
    if (hparams->sampling_schedule != SAMPLING_INVERSE_SIGMOID && hparams->sampling_rate > 1)
        return error_set(error, "sampling_rate=%g: a constant or exponential sampling_schedule needs 0 to 1",
                         hparams->sampling_rate);
    if (hparams->sampling_schedule == SAMPLING_INVERSE_SIGMOID && !(hparams->sampling_rate >= 1))
        return error_set(error, "sampling_rate=%g: sampling_schedule=inverse_sigmoid needs 1 or more",
                         hparams->sampling_rate);
    return true;
}

bool hparams_check_new(const struct hparams *hparams, struct error *error)
{
    return hparams->hop_bars <= hparams->bars ||
           error_set(error, "hop_bars=%" PRId64 " is above bars=%" PRId64 ": the bars between windows would be lost",
                     hparams->hop_bars, hparams->bars);
}

bool hparams_same_model(const struct hparams *a, const struct hparams *b, struct error *error)
{
    static const char *const names[] = {"representation", "bars",   "decoder",          "enc_rnn_size",
                                        "dec_rnn_size",   "z_size", "hits_as_controls", "input_as_controls",
                                        "tempo_control"};
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
    if (!hparams_check(hparams, error) || !hparams_check_new(hparams, error))
        return error_prefix(error, "--hparams");
    return true;
}
