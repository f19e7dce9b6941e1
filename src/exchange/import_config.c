#include "exchange/import_config.h"

#include "base/text.h"
#include "exchange/listing.h"
#include "exchange/naming.h"
#include "exchange/notes.h"
#include "model/vae/model_shape.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GATES = 4 };

/* What the tensors show of their model. */
struct measured {
    bool is_magentas;
    int decoder;                                  /* enum decoder_kind */
    struct int_list encoder_sizes, decoder_sizes; /* units of the layers */
    int64_t depth, z_size, num_controls;
};

/* A model with as many layers as there can be, whose names are those of all others. */
static bool name_all(struct naming *naming, bool is_magentas, int decoder, struct error *error)
{
    struct hparams hparams = {0};
    settings_default(&hparams_table, &hparams);
    hparams.decoder = decoder;
    hparams.enc_rnn_size.count = hparams.dec_rnn_size.count = SETTING_LIST_MAX;
    for (int i = 0; i < SETTING_LIST_MAX; i++)
        hparams.enc_rnn_size.values[i] = hparams.dec_rnn_size.values[i] = 1;
    return naming_make(naming, &hparams, is_magentas, error);
}

static const struct foreign_tensor *find(const struct foreign_tensors *tensors, const struct naming *naming,
                                         const char *ours)
{
    return foreign_tensors_find(tensors, naming_of(naming, ours));
}

/* Whose names they are, and of which decoder. */
static bool find_naming(struct naming *naming, struct measured *measured, const struct foreign_tensors *tensors,
                        struct error *error)
{
    struct listing listing = {0};
    for (int kind = 0; kind < 4; kind++) {
        measured->is_magentas = kind % 2 == 0;
        measured->decoder = kind < 2 ? DECODER_HIERARCHICAL : DECODER_FLAT;
        if (!name_all(naming, measured->is_magentas, measured->decoder, error))
            return false;
        bool has_conductor =
            measured->decoder == DECODER_FLAT || find(tensors, naming, "conductor/initial_state/bias") != NULL;
        if (has_conductor && find(tensors, naming, "decoder/output/bias"))
            return true;
    }
    for (size_t i = 0; i < tensors->count; i++)
        listing_add(&listing, "%s", tensors->rows[i].name);
    return error_set(error,
                     "holds no model of drum performances, neither with Drumline's nor with Magenta's names; in it: %s",
                     listing_end(&listing));
}

/* The length of a bias; 0 where there is none. */
static int64_t length_of(const struct foreign_tensor *tensor)
{
    return tensor && tensor->num_dims == 1 ? tensor->dims[0] : 0;
}

/* Units of the layers of a stack. Stops before a layer that is not there. */
static bool measure_layers(struct int_list *sizes, const struct foreign_tensors *tensors, const struct naming *naming,
                           const char *stack, struct error *error)
{
    for (sizes->count = 0; sizes->count < SETTING_LIST_MAX; sizes->count++) {
        char ours[TENSOR_NAME_SIZE];
        snprintf(ours, sizeof ours, "%s/layer_%d/bias", stack, sizes->count);
        const struct foreign_tensor *bias = find(tensors, naming, ours);
        if (!bias)
            break;
        sizes->values[sizes->count] = length_of(bias) / GATES;
        if (length_of(bias) <= 0 || length_of(bias) % GATES != 0)
            return error_set(error, "%s is no bias of an LSTM, which has four numbers a unit", bias->name);
    }
    char first[TENSOR_NAME_SIZE];
    snprintf(first, sizeof first, "%s/layer_0/bias", stack);
    return sizes->count > 0 || error_set(error, "%s is missing", naming_of(naming, first));
}

static bool measure(struct measured *measured, const struct foreign_tensors *tensors, struct naming *naming,
                    struct error *error)
{
    if (!find_naming(naming, measured, tensors, error) ||
        !measure_layers(&measured->encoder_sizes, tensors, naming, "encoder/forward", error) ||
        !measure_layers(&measured->decoder_sizes, tensors, naming, "decoder", error))
        return false;
    const struct foreign_tensor *kernel = find(tensors, naming, "decoder/layer_0/kernel");
    measured->depth = length_of(find(tensors, naming, "decoder/output/bias"));
    measured->z_size = length_of(find(tensors, naming, "encoder/mu/bias"));
    if (!kernel || kernel->num_dims != 2)
        return error_set(error, "%s is missing, or has no two dimensions", naming_of(naming, "decoder/layer_0/kernel"));
    if (measured->z_size == 0)
        return error_set(error, "%s is missing, or has not one dimension", naming_of(naming, "encoder/mu/bias"));
    int64_t embedding = measured->decoder == DECODER_FLAT
                            ? measured->z_size
                            : measured->decoder_sizes.values[measured->decoder_sizes.count - 1];
    measured->num_controls = kernel->dims[0] - measured->depth - embedding - measured->decoder_sizes.values[0];
    return true;
}

static const char *decoder_name(char text[SETTING_TEXT_MAX], int decoder)
{
    struct hparams hparams = {0};
    hparams.decoder = decoder;
    return setting_format(settings_find(&hparams_table, "decoder"), &hparams, text);
}

/* Whether the tensors, and what a config.json says of them, are of such a model; sizes of layers do not count. */
static bool fits(const struct hparams *hparams, const struct measured *measured,
                 const struct foreign_converter *converter, struct error *error)
{
    struct model_shape shape = model_shape_of(hparams);
    char here[SETTING_TEXT_MAX], there[SETTING_TEXT_MAX];
    if (measured->depth != shape.depth)
        return error_set(error, "a step has %" PRId64 " numbers, not %d: a model of something else", measured->depth,
                         shape.depth);
    if (measured->decoder != hparams->decoder)
        return error_set(error, "its decoder is %s, not %s", decoder_name(here, measured->decoder),
                         decoder_name(there, hparams->decoder));
    if (measured->num_controls != shape.num_controls)
        return error_set(error, "its decoder has %" PRId64 " controls, not %d", measured->num_controls,
                         shape.num_controls);
    if (!converter->is_known)
        return true;
    if (converter->bars > 0 && converter->bars != hparams->bars)
        return error_set(error, "its windows have %" PRId64 " bars, not %" PRId64, converter->bars, hparams->bars);
    if (converter->humanize != hparams->humanize)
        return error_set(error, "its config.json says humanize=%s", converter->humanize ? "true" : "false");
    return converter->tapify == hparams->tapify ||
           error_set(error, "its config.json says tapify=%s", converter->tapify ? "true" : "false");
}

/* Whether both configs have windows of the same length and the same input: then they differ in what an imported model brings
 * along or does not need, sizes and training. */
static bool same_task(const struct hparams *a, const struct hparams *b)
{
    static const char *const names[] = {
        "bars", "humanize", "tapify", "fixed_velocities", "add_instruments", "max_note_dropout"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text_a[SETTING_TEXT_MAX], text_b[SETTING_TEXT_MAX];
        const struct setting *row = settings_find(&hparams_table, names[i]);
        if (strcmp(setting_format(row, a, text_a), setting_format(row, b, text_b)) != 0)
            return false;
    }
    return true;
}

/* "--config=A, --config=B" of those that fit, the first of each task; *last is the last of them. */
static void list_fitting(struct listing *listing, const struct config **last, const struct measured *measured,
                         const struct foreign_converter *converter, const char *changes)
{
    struct hparams before = {0};
    for (size_t i = 0; i < config_count; i++) {
        struct hparams hparams;
        struct error reason = {0};
        if (!hparams_make(&hparams, &config_table[i], changes, &reason) ||
            !fits(&hparams, measured, converter, &reason) || (listing->count > 0 && same_task(&before, &hparams)))
            continue;
        before = hparams;
        listing_add(listing, "--config=%s", config_table[i].name);
        *last = &config_table[i];
    }
    listing_end(listing);
}

static bool check_given(const struct config *config, const struct measured *measured,
                        const struct foreign_converter *converter, const char *changes, struct error *error)
{
    struct hparams hparams;
    struct error reason = {0};
    struct listing listing = {0};
    const struct config *last;
    if (!hparams_make(&hparams, config, changes, error))
        return false;
    if (fits(&hparams, measured, converter, &reason))
        return true;
    list_fitting(&listing, &last, measured, converter, changes);
    struct model_shape shape = model_shape_of(&hparams);
    bool has_hits = shape.num_controls == 0 && measured->num_controls == hparams_representation(&hparams)->num_controls;
    return error_set(error, "does not fit --config=%s: %s%s%s%s", config->name, reason.message,
                     listing.count > 0 ? "; what fits: " : "", listing.text,
                     has_hits ? "; where it was trained with them, give --hparams=hits_as_controls=true too" : "");
}

/* The only config that fits. */
static bool choose(const struct config **config, const struct measured *measured,
                   const struct foreign_converter *converter, const char *changes, struct error *error)
{
    struct listing listing = {0};
    char decoder[SETTING_TEXT_MAX];
    list_fitting(&listing, config, measured, converter, changes);
    if (listing.count > 1)
        return error_set(error, "its tensors do not show which config it is of: give one of %s", listing.text);
    return listing.count == 1 ||
           error_set(error,
                     "fits no config: a %s decoder with %" PRId64 " controls, steps of %" PRId64
                     " numbers; where it was trained with other hparams than its config's, give --config and --hparams",
                     decoder_name(decoder, measured->decoder), measured->num_controls, measured->depth);
}

/* Sizes of layers, checked as --hparams are. */
static bool put_sizes(struct hparams *hparams, const struct measured *measured, struct error *error)
{
    struct hparams found = {0};
    char encoder[SETTING_TEXT_MAX], decoder[SETTING_TEXT_MAX];
    found.enc_rnn_size = measured->encoder_sizes;
    found.dec_rnn_size = measured->decoder_sizes;
    setting_format(settings_find(&hparams_table, "enc_rnn_size"), &found, encoder);
    setting_format(settings_find(&hparams_table, "dec_rnn_size"), &found, decoder);
    char *text = format_text("enc_rnn_size=%s,dec_rnn_size=%s,z_size=%" PRId64, encoder, decoder, measured->z_size);
    bool ok = settings_parse_list(&hparams_table, hparams, text, error);
    free(text);
    return ok && hparams_check(hparams, error);
}

static bool find_by_shapes(struct checkpoint *checkpoint, const struct foreign_tensors *tensors,
                           const struct measured *measured, const struct config *config, const char *changes,
                           struct error *error)
{
    const struct foreign_converter *converter = &tensors->converter;
    if (config ? !check_given(config, measured, converter, changes, error)
               : !choose(&config, measured, converter, changes, error))
        return false;
    assert(config); /* choose found one */
    memset(checkpoint, 0, sizeof *checkpoint);
    snprintf(checkpoint->config, sizeof checkpoint->config, "%s", config->name);
    return hparams_make(&checkpoint->hparams, config, changes, error) &&
           put_sizes(&checkpoint->hparams, measured, error);
}

static bool find_by_notes(struct checkpoint *checkpoint, const struct foreign_tensors *tensors,
                          const struct config *config, const char *changes, struct error *error)
{
    if (!notes_read(checkpoint, tensors->notes, error))
        return error_prefix(error, "its notes");
    if (!text_is_utf8(checkpoint->config))
        return error_set(error, "its notes: config is not text");
    if (config && strcmp(config->name, checkpoint->config) != 0)
        return error_set(error, "is of config %s, not %s", checkpoint->config, config->name);
    return !changes || (settings_parse_list(&hparams_table, &checkpoint->hparams, changes, error) &&
                        hparams_check(&checkpoint->hparams, error));
}

bool import_config_find(struct checkpoint *checkpoint, bool *is_magentas, const struct foreign_tensors *tensors,
                        const struct config *config, const char *changes, struct error *error)
{
    struct measured measured = {0};
    struct naming naming;
    if (!measure(&measured, tensors, &naming, error))
        return false;
    *is_magentas = measured.is_magentas;
    return tensors->notes ? find_by_notes(checkpoint, tensors, config, changes, error)
                          : find_by_shapes(checkpoint, tensors, &measured, config, changes, error);
}
