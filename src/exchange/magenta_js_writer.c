#include "exchange/magenta_js_writer.h"

#include "base/io/files.h"
#include "base/tempo.h"
#include "base/text.h"
#include "exchange/magenta_names.h"
#include "exchange/notes.h"
#include "exchange/weight_files.h"
#include "model/vae/model_shape.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char config_name[] = "config.json", manifest_name[] = "weights_manifest.json",
                  encoder_folder[] = "encoder";

enum { GROUP_ENCODER = 1, GROUP_DECODER = 2, GROUP_LATENTS = 3 };

bool magenta_js_check(const struct hparams *hparams, struct error *error)
{
    const struct representation *representation = hparams_representation(hparams);
    const struct int_list *decoder = &hparams->dec_rnn_size;
    if (representation != representation_find("groove", NULL))
        return error_set(error, "Magenta.js has no converter for representation=%s", representation->name);
    if (hparams->enc_rnn_size.count > 1)
        return error_set(error,
                         "Magenta.js holds encoders of one layer; enc_rnn_size has %d: train with one, as in "
                         "--hparams=enc_rnn_size=[512]",
                         hparams->enc_rnn_size.count);
    for (int i = 1; i < decoder->count; i++)
        if (decoder->values[i] != decoder->values[0])
            return error_set(error,
                             "Magenta.js holds decoders whose layers have the same size; dec_rnn_size has layers of "
                             "%" PRId64 " and %" PRId64
                             ": train with equal ones, as in --hparams=dec_rnn_size=[256,256]",
                             decoder->values[0], decoder->values[i]);
    return true;
}

/* What the client's converter does by itself: `humanize` removes velocities and offsets; `tapify` moves the loudest hit of a
 * step to the open hi-hat and removes velocities. */
static bool converter_humanizes(const struct hparams *hparams)
{
    return hparams->humanize;
}

static bool converter_tapifies(const struct hparams *hparams)
{
    return hparams->tapify && (hparams->fixed_velocities || hparams->humanize);
}

char *magenta_js_preparation(const struct hparams *hparams)
{
    char *text = format_text("%s", "");
    bool without_velocities = converter_humanizes(hparams) || converter_tapifies(hparams);
    const char *const parts[] = {
        hparams->tapify && !converter_tapifies(hparams) ? "reduce each step to its loudest hit, on the open hi-hat"
                                                        : NULL,
        hparams->fixed_velocities && !without_velocities ? "set velocities to 0" : NULL,
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i]) {
            char *longer = format_text("%s%s%s", text, *text ? ", " : "", parts[i]);
            free(text);
            text = longer;
        }
    for (int i = 0; i < hparams->add_instruments.count; i++) {
        char *longer = format_text("%s%sremove all hits of class %" PRId64, text, *text ? ", " : "",
                                   hparams->add_instruments.values[i]);
        free(text);
        text = longer;
    }
    if (*text)
        return text;
    free(text);
    return NULL;
}

static json_t *make_pitch_classes(const struct magenta_js_pitches *pitches, int num_classes)
{
    json_t *classes = json_array();
    for (int i = 0; i < num_classes; i++) {
        json_t *list = json_array();
        json_array_append_new(list, json_integer(pitches->written[i]));
        for (int pitch = 0; pitch < MAGENTA_JS_NUM_PITCHES; pitch++)
            if (pitches->classes[pitch] == i && pitch != pitches->written[i])
                json_array_append_new(list, json_integer(pitch));
        json_array_append_new(classes, list);
    }
    return classes;
}

/* What every call of the client is given beside the music. */
static json_t *make_controls(const struct hparams *hparams, const struct model_shape *shape)
{
    int tempo = hparams->tempo_control ? NUM_TEMPO_CONTROLS : 0;
    json_t *controls = json_pack("[{s:s, s:i}]", "name", hparams->input_as_controls ? "input" : "hits", "depth",
                                 shape->num_controls - tempo);
    if (tempo > 0)
        json_array_append_new(controls, json_pack("{s:s, s:i}", "name", "tempo", "depth", tempo));
    return controls;
}

/* `generates`: of what generates, not of the encoder of a hierarchical model. */
static json_t *make_config(const struct exchange_model *model, const struct magenta_js_pitches *pitches, bool generates)
{
    const struct hparams *hparams = &model->checkpoint->hparams;
    const struct representation *representation = hparams_representation(hparams);
    struct model_shape shape = model_shape_of(hparams);
    json_t *config = json_object(), *arguments = json_object();
    json_object_set_new(config, "type", json_string("MusicVAE"));
    json_object_set_new(arguments, "numSteps", json_integer(shape.steps));
    json_object_set_new(arguments, "stepsPerQuarter", json_integer(representation->steps_per_bar / 4));
    if (shape.hierarchical && generates)
        json_object_set_new(arguments, "numSegments", json_integer(shape.segments));
    json_object_set_new(arguments, "humanize", json_boolean(converter_humanizes(hparams)));
    json_object_set_new(arguments, "tapify", json_boolean(converter_tapifies(hparams)));
    json_object_set_new(arguments, "pitchClasses", make_pitch_classes(pitches, representation->heads[0].width));
    json_object_set_new(config, "dataConverter", json_pack("{s:s, s:o}", "type", "GrooveConverter", "args", arguments));
    if (shape.num_controls > 0)
        json_object_set_new(config, "extraControls", make_controls(hparams, &shape));
    json_object_set_new(config, "drumline", notes_make(model->checkpoint));
    return config;
}

/* What is being written. */
struct writing {
    const char *folder;
    const struct exchange_model *model;
    enum exchange_dtype dtype;
    struct magenta_names names;
    json_t *groups[GROUP_LATENTS + 1]; /* of the manifest; owned; NULL: not there */
    struct weight_files files[GROUP_LATENTS + 1];
};

static json_t *describe_variable(const char *name, int num_dims, int rows, int columns, enum exchange_dtype dtype,
                                 const struct exchange_scale *scale)
{
    json_t *shape = num_dims == 2 ? json_pack("[i, i]", rows, columns) : json_pack("[i]", columns);
    json_t *entry = json_pack("{s:s, s:o, s:s}", "name", name, "shape", shape, "dtype", "float32");
    if (dtype == EXCHANGE_F16)
        json_object_set_new(entry, "quantization", json_pack("{s:s}", "dtype", "float16"));
    if (dtype == EXCHANGE_U8)
        json_object_set_new(
            entry, "quantization",
            json_pack("{s:s, s:f, s:f}", "dtype", "uint8", "scale", scale->scale, "min", scale->minimum));
    return entry;
}

/* Encodes a variable, puts it into the group's files and its description into `entries`. */
static bool put_variable(struct weight_files *files, json_t *entries, const struct magenta_variable *variable,
                         const float *values, enum exchange_dtype dtype, struct error *error)
{
    struct exchange_scale scale = {0};
    size_t count = magenta_variable_count(variable), size = count * exchange_dtype_size(dtype);
    uint8_t *bytes = malloc(size);
    if (!bytes)
        return error_set_no_memory(error, "out of memory for %s", variable->name);
    bool ok = exchange_encode(bytes, &scale, values, count, dtype, variable->name, error) &&
              weight_files_put(files, bytes, size, error);
    if (ok)
        json_array_append_new(entries, describe_variable(variable->name, variable->num_dims, variable->rows,
                                                         variable->columns, dtype, &scale));
    free(bytes);
    return ok;
}

static int group_of(const struct magenta_variable *variable)
{
    return strncmp(variable->name, "encoder/", strlen("encoder/")) == 0 ? GROUP_ENCODER : GROUP_DECODER;
}

static bool put_ours(struct weight_files *files, json_t *entries, const struct magenta_variable *variable,
                     const struct writing *writing, struct error *error)
{
    float *values = malloc(magenta_variable_count(variable) * sizeof *values);
    if (!values)
        return error_set_no_memory(error, "out of memory for %s", variable->name);
    magenta_variable_write(values, variable, writing->model->table, writing->model->values);
    bool ok = put_variable(files, entries, variable, values, writing->dtype, error);
    free(values);
    return ok;
}

static json_t *make_group(json_t *paths, json_t *entries)
{
    return json_pack("{s:o, s:o}", "paths", paths, "weights", entries);
}

static bool write_group(struct writing *writing, int group, struct error *error)
{
    const struct magenta_names *names = &writing->names;
    struct weight_files *files = &writing->files[group];
    json_t *entries = json_array();
    size_t size = 0;
    for (int i = 0; i < names->count; i++)
        if (group_of(&names->variables[i]) == group)
            size += magenta_variable_count(&names->variables[i]) * exchange_dtype_size(writing->dtype);
    weight_files_start(files, writing->folder, group, size, MAGENTA_JS_FILE_SIZE);
    bool ok = true;
    for (int i = 0; ok && i < names->count; i++)
        if (group_of(&names->variables[i]) == group)
            ok = put_ours(files, entries, &names->variables[i], writing, error);
    ok = weight_files_finish(files, error) && ok;
    writing->groups[group] = make_group(weight_files_paths(files, ""), entries);
    return ok;
}

static bool write_latents(struct writing *writing, struct error *error)
{
    const struct latents *density = writing->model->latents;
    const struct latent_counts gaussian = {.size = density->counts.size}; /* the rest of it stays with us */
    struct weight_files *files = &writing->files[GROUP_LATENTS];
    struct tensor_table table;
    json_t *entries = json_array();
    bool ok = true;
    latents_table(&table, &gaussian);
    weight_files_start(files, writing->folder, GROUP_LATENTS, table.num_values * sizeof(float), MAGENTA_JS_FILE_SIZE);
    for (int i = 0; ok && i < table.num_rows; i++) {
        const struct tensor *tensor = &table.rows[i];
        struct magenta_variable variable = {
            .num_dims = tensor->num_dims, .rows = tensor->rows, .columns = tensor->columns};
        snprintf(variable.name, sizeof variable.name, EXCHANGE_LATENTS "%s", tensor->name);
        ok = put_variable(files, entries, &variable, density->values + tensor->offset, EXCHANGE_F32, error);
    }
    ok = weight_files_finish(files, error) && ok;
    writing->groups[GROUP_LATENTS] = make_group(weight_files_paths(files, ""), entries);
    return ok;
}

/* Variables without numbers, in a group without files: the client does not start where it lacks them. What would use them
 * fails by their shapes. */
static json_t *make_empty_group(const char *const *layers, size_t num_layers, int rows)
{
    json_t *entries = json_array();
    for (size_t i = 0; i < num_layers; i++) {
        char *kernel = format_text("%s/kernel", layers[i]), *bias = format_text("%s/bias", layers[i]);
        json_array_append_new(entries, describe_variable(kernel, 2, rows, 0, EXCHANGE_F32, NULL));
        json_array_append_new(entries, describe_variable(bias, 1, 1, 0, EXCHANGE_F32, NULL));
        free(kernel);
        free(bias);
    }
    return make_group(json_array(), entries);
}

static bool write_json(const char *folder, const char *name, json_t *value, struct error *error)
{
    char *path = path_join(folder, name), *text = value ? json_dumps(value, JSON_INDENT(1)) : NULL;
    bool ok = text ? atomic_file_write(path, text, strlen(text), error)
                   : error_set_no_memory(error, "%s: out of memory", path);
    free(text);
    free(path);
    json_decref(value);
    return ok;
}

/* Config and manifest of what encodes, of a hierarchical model: the encoder's files are those of the model itself. */
static bool write_encoder(const struct writing *writing, const struct magenta_js_pitches *pitches, struct error *error)
{
    static const char *const layers[] = {"decoder/z_to_initial_state", "decoder/output_projection"};
    const struct weight_files *files = &writing->files[GROUP_ENCODER];
    char *folder = path_join(writing->folder, encoder_folder);
    json_t *manifest = json_array();
    json_array_append_new(manifest,
                          make_group(weight_files_paths(files, "../"),
                                     json_incref(json_object_get(writing->groups[GROUP_ENCODER], "weights"))));
    json_array_append_new(manifest, make_empty_group(layers, sizeof layers / sizeof *layers,
                                                     (int)writing->model->checkpoint->hparams.z_size));
    bool ok = folder_make(folder, error) &&
              write_json(folder, config_name, make_config(writing->model, pitches, false), error);
    ok = ok ? write_json(folder, manifest_name, json_incref(manifest), error) : false;
    json_decref(manifest);
    free(folder);
    return ok;
}

static json_t *make_manifest(const struct writing *writing)
{
    static const char *const layers[] = {
        "encoder/hierarchical_level_0/cell_0/bidirectional_rnn/fw/multi_rnn_cell/cell_0/lstm_cell",
        "encoder/hierarchical_level_0/cell_0/bidirectional_rnn/bw/multi_rnn_cell/cell_0/lstm_cell",
        "encoder/hierarchical_level_1/cell_0/bidirectional_rnn/fw/multi_rnn_cell/cell_0/lstm_cell",
        "encoder/hierarchical_level_1/cell_0/bidirectional_rnn/bw/multi_rnn_cell/cell_0/lstm_cell",
    };
    json_t *manifest = json_array();
    for (int i = GROUP_ENCODER; i <= GROUP_LATENTS; i++)
        if (writing->groups[i])
            json_array_append(manifest, writing->groups[i]);
    if (writing->model->checkpoint->hparams.decoder == DECODER_HIERARCHICAL)
        json_array_append_new(manifest, make_empty_group(layers, sizeof layers / sizeof *layers, 0));
    return manifest;
}

static bool is_weight_file(const char *name)
{
    int group, number, count, end = -1;
    return sscanf(name, "group%d-shard%dof%d.bin%n", &group, &number, &count, &end) == 3 && end == (int)strlen(name);
}

static bool is_current_file(const struct writing *writing, const char *name)
{
    for (int group = GROUP_ENCODER; group <= GROUP_LATENTS; group++)
        for (int i = 1; i <= writing->files[group].count; i++) {
            char *current = weight_file_name(group, i, writing->files[group].count);
            bool same = strcmp(current, name) == 0;
            free(current);
            if (same)
                return true;
        }
    return false;
}

/* Removes files of an earlier export that have other names. */
static bool remove_old_files(const struct writing *writing, struct error *error)
{
    DIR *folder = opendir(writing->folder);
    bool ok = folder != NULL;
    struct dirent *entry;
    if (!ok)
        return error_set_errno(error, errno, "%s", writing->folder);
    while (ok && (entry = readdir(folder)))
        if (is_weight_file(entry->d_name) && !is_current_file(writing, entry->d_name)) {
            char *path = path_join(writing->folder, entry->d_name);
            ok = unlink(path) == 0 || error_set_errno(error, errno, "%s", path);
            free(path);
        }
    closedir(folder);
    return ok;
}

static bool remove_manifests(const char *folder, struct error *error)
{
    char *encoder = path_join(folder, encoder_folder);
    char *const paths[] = {path_join(folder, manifest_name), path_join(encoder, manifest_name),
                           path_join(encoder, config_name)};
    bool ok = true;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        ok = ok && (unlink(paths[i]) == 0 || errno == ENOENT || errno == ENOTDIR ||
                    error_set_errno(error, errno, "%s", paths[i]));
        free(paths[i]);
    }
    rmdir(encoder); /* stays where somebody keeps other files in it */
    free(encoder);
    return ok;
}

bool magenta_js_write(const char *folder, const struct exchange_model *model, const struct magenta_js_pitches *pitches,
                      enum exchange_dtype dtype, struct error *error)
{
    struct writing writing = {.folder = folder, .model = model, .dtype = dtype};
    const struct hparams *hparams = &model->checkpoint->hparams;
    if (!magenta_js_check(hparams, error))
        return false;
    magenta_names_make(&writing.names, hparams, model->table);
    bool ok = folder_make(folder, error) && remove_manifests(folder, error) &&
              write_group(&writing, GROUP_ENCODER, error) && write_group(&writing, GROUP_DECODER, error) &&
              (!model->latents || write_latents(&writing, error)) && remove_old_files(&writing, error) &&
              write_json(folder, config_name, make_config(model, pitches, true), error) &&
              (hparams->decoder != DECODER_HIERARCHICAL || write_encoder(&writing, pitches, error)) &&
              write_json(folder, manifest_name, make_manifest(&writing), error);
    for (int i = GROUP_ENCODER; i <= GROUP_LATENTS; i++)
        json_decref(writing.groups[i]);
    return ok;
}
