/* Checkpoints: training position, model, and whether every tensor is valid. */
#include "model/checkpoint.h"
#include "base/text.h"
#include "model/nn/ops.h"
#include "model/optimizer/optimizer.h"
#include "model/vae/parameters.h"
#include "programs/info/kinds.h"
#include "run/hparams_file.h"
#include "run/json_members.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* All hparams, and those that differ from the config's as --hparams takes them. */
static void read_hparams(json_t *object, const struct checkpoint *checkpoint)
{
    static const struct config unknown = {.name = "", .hparams = ""};
    const struct config *config = config_find(checkpoint->config, NULL);
    struct hparams usual;
    struct error ignored;
    bool known = hparams_make(&usual, config ? config : &unknown, NULL, &ignored);
    json_object_set_new(object, "hparams", hparams_json(&checkpoint->hparams));
    json_object_set_new(object, "hparams_changed",
                        known ? hparams_changes(&checkpoint->hparams, &usual) : json_array());
}

static void read_place(json_t *object, const struct checkpoint *checkpoint)
{
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {
        {"step",     checkpoint->step    },
        {"epoch",    checkpoint->epoch   },
        {"position", checkpoint->position},
        {"updates",  checkpoint->updates },
        {"skipped",  checkpoint->skipped },
        {"seed",     checkpoint->seed    },
    };
    const struct {
        const char *key, *text;
    } notes[] = {
        {"licence",     checkpoint->licence    },
        {"attribution", checkpoint->attribution},
        {"recipe",      checkpoint->recipe     },
    };
    json_object_set_new(object, "config", json_clean_text(checkpoint->config));
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        json_object_set_new(object, counts[i].key, json_integer((json_int_t)counts[i].value));
    json_object_set_new(object, "num_ranks", json_integer(checkpoint->num_ranks));
    json_object_set_new(object, "content_sha256", json_clean_text(checkpoint->content_sha256));
    if (checkpoint->drum_map[0] != '\0')
        json_object_set_new(object, "drum_map", json_clean_text(checkpoint->drum_map));
    json_object_set_new(object, "program_version", json_clean_text(checkpoint->program_version));
    json_object_set_new(object, "date", json_clean_text(checkpoint->date));
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        if (notes[i].text[0] != '\0')
            json_object_set_new(object, notes[i].key, json_clean_text(notes[i].text));
}

static void read_validation(json_t *object, const struct checkpoint *checkpoint)
{
    if (!checkpoint->has_validation)
        return;
    struct metric_set set;
    json_t *validation = json_object();
    metric_set_make(&set, hparams_representation(&checkpoint->hparams));
    json_object_set_new(validation, "step", json_integer((json_int_t)checkpoint->validation_step));
    for (int i = 0; i < set.count; i++) {
        char key[METRIC_NAME_SIZE];
        metric_key(key, &set.metrics[i], "validation");
        if ((set.metrics[i].row->places & METRIC_IN_CHECKPOINT) && isfinite(checkpoint->validation.values[i]))
            json_object_set_new(validation, key, json_real(checkpoint->validation.values[i]));
    }
    json_object_set_new(object, "validation", validation);
}

/* The table of tensors; with values, their norms too. */
static void read_tensor_table(json_t *object, const struct tensor_table *table, const float *values)
{
    json_t *tensors = json_array();
    for (int i = 0; i < table->num_rows; i++) {
        const struct tensor *row = &table->rows[i];
        json_t *tensor = json_object(), *shape = json_array();
        if (row->num_dims == 2)
            json_array_append_new(shape, json_integer(row->rows));
        json_array_append_new(shape, json_integer(row->columns));
        json_object_set_new(tensor, "name", json_string(row->name));
        json_object_set_new(tensor, "shape", shape);
        if (values)
            json_object_set_new(tensor, "norm", json_real(global_norm(values + row->offset, row->count)));
        json_array_append_new(tensors, tensor);
    }
    json_object_set_new(object, "num_parameters", json_integer((json_int_t)table->num_values));
    json_object_set_new(object, "tensors", tensors);
}

/* Weights into *values, the optimizer's tensors only read: that is what their checksums are for. */
static bool verify(float *values, const struct tensor_table *table, struct checkpoint_reader *reader,
                   bool *has_optimizer, struct error *error)
{
    const struct tensor_group weights = {CHECKPOINT_WEIGHTS, values};
    *has_optimizer = checkpoint_has(reader, "optimizer");
    return checkpoint_read_group(reader, table, table->num_rows, &weights, error) &&
           (!*has_optimizer || (checkpoint_verify(reader, OPTIMIZER_FIRST_MOMENTS, error) &&
                                checkpoint_verify(reader, OPTIMIZER_SECOND_MOMENTS, error)));
}

static bool read_tensors(json_t *object, const struct checkpoint *checkpoint, struct checkpoint_reader *reader,
                         const char *path, struct error *error)
{
    struct tensor_table table;
    struct arena arena = arena_measure();
    if (!parameters_describe(&table, &checkpoint->hparams, error))
        return error_prefix(error, "%s", path);
    arena_floats(&arena, table.num_floats);
    if (!arena_reserve(&arena, error))
        return error_prefix(error, "%s", path);
    struct error damage;
    bool has_optimizer;
    float *values = arena_floats(&arena, table.num_floats);
    bool valid = verify(values, &table, reader, &has_optimizer, &damage);
    json_object_set_new(object, "valid", json_boolean(valid));
    if (!valid)
        info_add_damage(object, damage.message);
    json_object_set_new(object, "sealed", json_boolean(checkpoint->is_sealed));
    json_object_set_new(object, "has_optimizer", json_boolean(has_optimizer));
    read_tensor_table(object, &table, valid ? values : NULL);
    arena_free(&arena);
    return true;
}

bool info_read_checkpoint(json_t *object, const char *path, struct error *error)
{
    struct checkpoint checkpoint;
    struct stat status;
    struct checkpoint_reader *reader = checkpoint_open(&checkpoint, path, error);
    if (!reader)
        return false;
    read_place(object, &checkpoint);
    read_validation(object, &checkpoint);
    read_hparams(object, &checkpoint);
    if (stat(path, &status) == 0)
        json_object_set_new(object, "bytes", json_integer((json_int_t)status.st_size));
    struct error damage;
    bool ok = read_tensors(object, &checkpoint, reader, path, error);
    if (ok && !info_read_latents(object, reader, &damage)) {
        json_object_set_new(object, "valid", json_false());
        info_add_damage(object, damage.message);
    }
    checkpoint_close(reader);
    return ok;
}

void info_print_validation(FILE *out, const json_t *validation)
{
    char text[1024] = "";
    const char *key;
    json_t *value;
    if (!validation)
        return;
    json_object_foreach((json_t *)(uintptr_t)validation, key, value)
    {
        size_t used = strlen(text);
        if (json_is_real(value))
            snprintf(text + used, sizeof text - used, "%s %s %.4g", used > 0 ? "," : "", key, json_real_value(value));
    }
    info_print_field(out, "validation", "at step %" PRId64 ":%s", member_int(validation, "step"), text);
}

void info_print_hparams(FILE *out, const json_t *changed)
{
    size_t i;
    json_t *text;
    if (json_array_size(changed) == 0)
        info_print_field(out, "hparams", "the config's");
    json_array_foreach(changed, i, text) info_print_field(out, i == 0 ? "hparams" : "", "%s", json_string_value(text));
}

static void print_tensors(FILE *out, const json_t *tensors)
{
    size_t i;
    json_t *tensor;
    fprintf(out, "\n");
    info_print_column(out, "tensor", 42);
    fprintf(out, "%16s%14s\n", "shape", "norm");
    json_array_foreach(tensors, i, tensor)
    {
        const json_t *shape = json_object_get(tensor, "shape"), *norm = json_object_get(tensor, "norm");
        char text[32];
        int64_t first = json_integer_value(json_array_get(shape, 0));
        if (json_array_size(shape) == 2)
            snprintf(text, sizeof text, "%" PRId64 " x %lld", first,
                     (long long)json_integer_value(json_array_get(shape, 1)));
        else
            snprintf(text, sizeof text, "%" PRId64, first);
        fprintf(out, "  ");
        info_print_column(out, member_string(tensor, "name"), 40);
        fprintf(out, "%16s", text);
        if (norm)
            fprintf(out, "%14.6g\n", json_number_value(norm));
        else
            fprintf(out, "%14s\n", "?");
    }
}

static void print_notes(FILE *out, const json_t *object)
{
    static const char *const names[] = {"licence", "attribution", "recipe"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (json_object_get(object, names[i]))
            info_print_field(out, names[i], "%s", member_string(object, names[i]));
}

void info_print_checkpoint(FILE *out, const json_t *object)
{
    bool valid = json_is_true(json_object_get(object, "valid"));
    fprintf(out, "%s: checkpoint, %s\n", member_string(object, "path"), valid ? "valid" : "DAMAGED");
    info_print_field(out, "config", "%s", member_string(object, "config"));
    info_print_field(out, "step",
                     "%" PRId64 " (%" PRId64 " updates, %" PRId64 " skipped because of their gradient norm)",
                     member_int(object, "step"), member_int(object, "updates"), member_int(object, "skipped"));
    info_print_field(out, "epoch", "%" PRId64 ", %" PRId64 " windows in", member_int(object, "epoch"),
                     member_int(object, "position"));
    info_print_field(out, "seed", "%" PRId64, member_int(object, "seed"));
    const char *data_set = member_string(object, "content_sha256");
    info_print_field(out, "data set", "%s", data_set[0] != '\0' ? data_set : "not known");
    if (json_object_get(object, "drum_map"))
        info_print_field(out, "drum map", "%s", member_string(object, "drum_map"));
    print_notes(out, object);
    info_print_field(out, "written", "%s by drumline %s on %" PRId64 " rank%s", member_string(object, "date"),
                     member_string(object, "program_version"), member_int(object, "num_ranks"),
                     PLURAL(member_int(object, "num_ranks")));
    info_print_field(out, "size", "%.1f MiB", member_number(object, "bytes") / (1 << 20));
    info_print_field(out, "parameters", "%" PRId64 " in %zu tensors", member_int(object, "num_parameters"),
                     json_array_size(json_object_get(object, "tensors")));
    bool has_optimizer = json_is_true(json_object_get(object, "has_optimizer"));
    info_print_field(out, "checksums", "%s",
                     !valid          ? "failed, see below"
                     : has_optimizer ? "valid for all tensors, the optimizer's included"
                                     : "valid for all tensors; a model without optimizer state");
    if (!json_is_true(json_object_get(object, "sealed")))
        info_print_field(out, "seal", "none: written by another program");
    info_print_validation(out, json_object_get(object, "validation"));
    info_print_latents(out, json_object_get(object, "latents"));
    info_print_hparams(out, json_object_get(object, "hparams_changed"));
    print_tensors(out, json_object_get(object, "tensors"));
}
