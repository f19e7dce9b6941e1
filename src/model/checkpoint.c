#include "model/checkpoint.h"

#include "base/cli/options.h"
#include "base/hdf5/hdf5.h"
#include "base/io/atomic_file.h"
#include "base/io/files.h"
#include "base/text.h"
#include "model/nn/arrays.h"
#include "model/vae/parameters.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The attributes that are plain numbers or texts: one table for writing and reading. */
enum attribute_kind {
    ATTRIBUTE_TEXT,
    ATTRIBUTE_NOTE, /* a longer text, which is left away where it is "" */
    ATTRIBUTE_COUNT,
    ATTRIBUTE_INT,
};

static const struct attribute {
    const char *name;
    enum attribute_kind kind;
    size_t offset;
} attributes[] = {
    {"config",          ATTRIBUTE_TEXT,  offsetof(struct checkpoint, config)         },
    {"content_sha256",  ATTRIBUTE_TEXT,  offsetof(struct checkpoint, content_sha256) },
    {"program_version", ATTRIBUTE_TEXT,  offsetof(struct checkpoint, program_version)},
    {"date",            ATTRIBUTE_TEXT,  offsetof(struct checkpoint, date)           },
    {"licence",         ATTRIBUTE_NOTE,  offsetof(struct checkpoint, licence)        },
    {"attribution",     ATTRIBUTE_NOTE,  offsetof(struct checkpoint, attribution)    },
    {"recipe",          ATTRIBUTE_NOTE,  offsetof(struct checkpoint, recipe)         },
    {"drum_map",        ATTRIBUTE_NOTE,  offsetof(struct checkpoint, drum_map)       },
    {"drum_map_table",  ATTRIBUTE_NOTE,  offsetof(struct checkpoint, drum_map_table) },
    {"seed",            ATTRIBUTE_COUNT, offsetof(struct checkpoint, seed)           },
    {"step",            ATTRIBUTE_COUNT, offsetof(struct checkpoint, step)           },
    {"epoch",           ATTRIBUTE_COUNT, offsetof(struct checkpoint, epoch)          },
    {"position",        ATTRIBUTE_COUNT, offsetof(struct checkpoint, position)       },
    {"updates",         ATTRIBUTE_COUNT, offsetof(struct checkpoint, updates)        },
    {"skipped",         ATTRIBUTE_COUNT, offsetof(struct checkpoint, skipped)        },
    {"num_ranks",       ATTRIBUTE_INT,   offsetof(struct checkpoint, num_ranks)      },
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static bool write_attribute(hid_t file, const struct attribute *attribute, const struct checkpoint *checkpoint,
                            struct error *error)
{
    const char *member = (const char *)checkpoint + attribute->offset;
    switch (attribute->kind) {
    case ATTRIBUTE_TEXT:
        return hdf5_write_string(file, attribute->name, member, error);
    case ATTRIBUTE_NOTE:
        return member[0] == '\0' || hdf5_write_string(file, attribute->name, member, error);
    case ATTRIBUTE_COUNT:
        return hdf5_write_int(file, attribute->name, (int64_t) * (const uint64_t *)(const void *)member, error);
    case ATTRIBUTE_INT:
        return hdf5_write_int(file, attribute->name, *(const int *)(const void *)member, error);
    }
    return false;
}

/* The metrics of the last validation, as "val_loss" and so on. */
static bool write_validation(hid_t file, const struct checkpoint *checkpoint, struct error *error)
{
    struct metric_set set;
    metric_set_make(&set, hparams_representation(&checkpoint->hparams));
    for (int i = 0; i < set.count; i++) {
        char key[METRIC_NAME_SIZE];
        double value = checkpoint->validation.values[i];
        if (!(set.metrics[i].row->places & METRIC_IN_CHECKPOINT) || !isfinite(value))
            continue;
        metric_key(key, &set.metrics[i], "validation");
        if (!hdf5_write_double(file, key, value, error))
            return false;
    }
    return hdf5_write_int(file, "val_step", (int64_t)checkpoint->validation_step, error);
}

static bool write_best(hid_t file, const struct checkpoint_best *best, struct error *error)
{
    return hdf5_write_int(file, "best_step", (int64_t)best->step, error) &&
           hdf5_write_double(file, "best_val_loss", best->val_loss, error) &&
           hdf5_write_int(file, "evaluations_since_best", (int64_t)best->evaluations_since, error);
}

static bool write_attributes(hid_t file, const struct checkpoint *checkpoint, struct error *error)
{
    for (size_t i = 0; i < COUNT_OF(attributes); i++)
        if (!write_attribute(file, &attributes[i], checkpoint, error))
            return false;
    return hdf5_write_settings(file, &hparams_table, &checkpoint->hparams, error) &&
           (!checkpoint->has_validation || write_validation(file, checkpoint, error)) &&
           (!checkpoint->best.is_known || write_best(file, &checkpoint->best, error)) &&
           hdf5_write_int(file, "eval_steps", (int64_t)checkpoint->eval_steps, error);
}

static int dims_of(hsize_t dims[2], const struct tensor *tensor)
{
    dims[0] = (hsize_t)(tensor->num_dims == 2 ? tensor->rows : tensor->columns);
    dims[1] = (hsize_t)tensor->columns;
    return tensor->num_dims;
}

enum { OBJECT_NAME_SIZE = 2 * TENSOR_NAME_SIZE };

static void object_name(char name[OBJECT_NAME_SIZE], const char *group, const struct tensor *tensor)
{
    snprintf(name, OBJECT_NAME_SIZE, "/%.40s/%s", group, tensor->name);
}

static bool write_group(hid_t file, const struct tensor_table *table, const struct tensor_group *group,
                        enum checkpoint_precision precision, struct error *error)
{
    for (int i = 0; i < table->num_rows; i++) {
        const struct tensor *tensor = &table->rows[i];
        const float *values = group->values + tensor->offset;
        char name[OBJECT_NAME_SIZE];
        hsize_t dims[2];
        object_name(name, group->name, tensor);
        int num_dims = dims_of(dims, tensor);
        bool ok =
            precision == CHECKPOINT_FLOAT16
                ? hdf5_write_halves(file, name, num_dims, dims, values, HDF5_CHECKSUMMED, error)
                : hdf5_write_dataset(file, name, H5T_NATIVE_FLOAT, num_dims, dims, values, HDF5_CHECKSUMMED, error);
        if (!ok)
            return false;
    }
    return true;
}

bool checkpoint_write(struct atomic_file *to, const struct checkpoint *checkpoint,
                      const struct checkpoint_content *content, struct error *error)
{
    hid_t file = H5I_INVALID_HID;
    bool ok = hdf5_create(&file, to->path, CHECKPOINT_FORMAT, error) && write_attributes(file, checkpoint, error);
    for (size_t i = 0; ok && i < content->num_groups; i++)
        ok = write_group(file, content->table, &content->groups[i], content->precision, error);
    ok = ok && (!content->latents || checkpoint_latents_write(file, content->latents, error));
    if (ok)
        return hdf5_save(&file, to, error);
    hdf5_close(&file);
    return false;
}

bool checkpoint_save(const char *path, const struct checkpoint *checkpoint, const struct checkpoint_content *content,
                     struct error *error)
{
    struct atomic_file atomic;
    if (!atomic_file_start(&atomic, path, error))
        return false;
    if (checkpoint_write(&atomic, checkpoint, content, error))
        return atomic_file_commit(&atomic, error);
    atomic_file_abandon(&atomic);
    return false;
}

static bool read_attribute(struct hdf5_reader *file, const char *path, const struct attribute *attribute,
                           struct checkpoint *checkpoint, struct error *error)
{
    char *member = (char *)checkpoint + attribute->offset;
    int64_t number;
    if (attribute->kind == ATTRIBUTE_NOTE && !hdf5_has_attribute(file, attribute->name))
        return true;
    if (attribute->kind == ATTRIBUTE_TEXT || attribute->kind == ATTRIBUTE_NOTE) {
        char *text;
        if (!hdf5_read_string(&text, file, attribute->name, error))
            return false;
        snprintf(member, attribute->kind == ATTRIBUTE_TEXT ? CHECKPOINT_TEXT_SIZE : CHECKPOINT_NOTE_SIZE, "%s", text);
        free(text);
        return true;
    }
    if (!hdf5_read_int(&number, file, attribute->name, error))
        return false;
    if (number < 0 || (attribute->kind == ATTRIBUTE_INT && number > INT_MAX))
        return error_set(error, "%s: %s is %" PRId64 ", which no training writes", path, attribute->name, number);
    if (attribute->kind == ATTRIBUTE_COUNT)
        *(uint64_t *)(void *)member = (uint64_t)number;
    else
        *(int *)(void *)member = (int)number;
    return true;
}

/* The first version called them "validation_hits_loss" and so on, and had no loss. */
static bool read_validation_metric(double *value, struct hdf5_reader *file, const struct metric *metric,
                                   struct error *error)
{
    char key[METRIC_NAME_SIZE], first_version[METRIC_NAME_SIZE + sizeof "validation_"];
    metric_key(key, metric, "validation");
    snprintf(first_version, sizeof first_version, "validation_%s", metric->name);
    const char *name = hdf5_has_attribute(file, key) ? key : first_version;
    return !hdf5_has_attribute(file, name) || hdf5_read_double(value, file, name, error);
}

static bool read_validation(struct checkpoint *checkpoint, struct hdf5_reader *file, const char *path,
                            struct error *error)
{
    struct metric_set set;
    int64_t step;
    const char *name = hdf5_has_attribute(file, "val_step") ? "val_step" : "validation_step";
    metric_set_make(&set, hparams_representation(&checkpoint->hparams));
    metric_values_clear(&checkpoint->validation);
    checkpoint->has_validation = hdf5_has_attribute(file, name);
    if (!checkpoint->has_validation)
        return true;
    if (!hdf5_read_int(&step, file, name, error))
        return false;
    if (step < 0)
        return error_set(error, "%s: %s is %" PRId64 ", which no training writes", path, name, step);
    checkpoint->validation_step = (uint64_t)step;
    for (int i = 0; i < set.count; i++)
        if ((set.metrics[i].row->places & METRIC_IN_CHECKPOINT) &&
            !read_validation_metric(&checkpoint->validation.values[i], file, &set.metrics[i], error))
            return false;
    return true;
}

/* A count that files of the first version lack: then 0. */
static bool read_later_count(uint64_t *count, struct hdf5_reader *file, const char *path, const char *name,
                             struct error *error)
{
    int64_t value = 0;
    if (hdf5_has_attribute(file, name) && !hdf5_read_int(&value, file, name, error))
        return false;
    *count = (uint64_t)value;
    return value >= 0 || error_set(error, "%s: %s is %" PRId64 ", which no training writes", path, name, value);
}

static bool read_best(struct checkpoint_best *best, struct hdf5_reader *file, const char *path, struct error *error)
{
    *best = (struct checkpoint_best){.is_known = hdf5_has_attribute(file, "best_val_loss")};
    return !best->is_known || (hdf5_read_double(&best->val_loss, file, "best_val_loss", error) &&
                               read_later_count(&best->step, file, path, "best_step", error) &&
                               read_later_count(&best->evaluations_since, file, path, "evaluations_since_best", error));
}

static bool read_attributes(struct checkpoint *checkpoint, struct hdf5_reader *file, const char *path,
                            struct error *error)
{
    for (size_t i = 0; i < COUNT_OF(attributes); i++)
        if (!read_attribute(file, path, &attributes[i], checkpoint, error))
            return false;
    settings_default(&hparams_table, &checkpoint->hparams);
    if (!hdf5_read_settings(&checkpoint->hparams, file, &hparams_table, error))
        return false;
    if (!hparams_check(&checkpoint->hparams, error))
        return error_prefix(error, "%s", path);
    return read_validation(checkpoint, file, path, error) && read_best(&checkpoint->best, file, path, error) &&
           read_later_count(&checkpoint->eval_steps, file, path, "eval_steps", error);
}

struct checkpoint_reader {
    struct hdf5_reader *file; /* owned */
    char *path;               /* owned */
    struct hparams hparams;
};

void checkpoint_close(struct checkpoint_reader *reader)
{
    if (!reader)
        return;
    hdf5_reader_close(&reader->file);
    free(reader->path);
    free(reader);
}

bool checkpoint_has(const struct checkpoint_reader *reader, const char *group)
{
    char name[OBJECT_NAME_SIZE];
    snprintf(name, sizeof name, "/%.40s", group);
    return hdf5_has_object(reader->file, name);
}

const char *checkpoint_best_weights(const struct checkpoint_reader *reader)
{
    return checkpoint_has(reader, CHECKPOINT_AVERAGED_WEIGHTS) ? CHECKPOINT_AVERAGED_WEIGHTS : CHECKPOINT_WEIGHTS;
}

enum checkpoint_precision checkpoint_precision(const struct checkpoint_reader *reader)
{
    uint64_t size = hdf5_element_size(reader->file, "/" CHECKPOINT_WEIGHTS "/decoder/output/bias", 1);
    return size == sizeof(uint16_t) ? CHECKPOINT_FLOAT16 : CHECKPOINT_FLOAT32;
}

/* That the weights are there, in their sizes, before anyone takes memory for them. What is stored may be compressed, but
 * weights are noise: a file that claims to hold many times its own size is no model. */
static bool check_weights(const struct checkpoint_reader *reader, struct error *error)
{
    enum { MAX_VALUES_PER_BYTE = 8 };
    struct tensor_table table;
    struct stat status;
    if (!parameters_describe(&table, &reader->hparams, error))
        return error_prefix(error, "%s", reader->path);
    if (stat(reader->path, &status) != 0)
        return error_set_errno(error, errno, "%s", reader->path);
    if ((uint64_t)status.st_size < table.num_values / MAX_VALUES_PER_BYTE)
        return error_set(error, "%s: is too small for the %zu parameters that its hparams describe", reader->path,
                         table.num_values);
    for (int i = 0; i < table.num_rows; i++) {
        char name[OBJECT_NAME_SIZE];
        hsize_t dims[2];
        object_name(name, CHECKPOINT_WEIGHTS, &table.rows[i]);
        int num_dims = dims_of(dims, &table.rows[i]);
        if (!hdf5_check_floats(reader->file, name, num_dims, dims, error))
            return false;
    }
    return true;
}

struct checkpoint_reader *checkpoint_open(struct checkpoint *checkpoint, const char *path, struct error *error)
{
    struct checkpoint_reader *reader = calloc(1, sizeof *reader);
    memset(checkpoint, 0, sizeof *checkpoint);
    if (!reader) {
        error_set_no_memory(error, "%s: out of memory", path);
        return NULL;
    }
    reader->path = format_text("%s", path);
    if (hdf5_open(&reader->file, path, CHECKPOINT_FORMAT, error) &&
        read_attributes(checkpoint, reader->file, path, error)) {
        reader->hparams = checkpoint->hparams;
        checkpoint->is_sealed = hdf5_seal_exists(path);
        if (check_weights(reader, error))
            return reader;
    }
    checkpoint_close(reader);
    return NULL;
}

bool checkpoint_read(struct checkpoint *checkpoint, const char *path, struct error *error)
{
    struct checkpoint_reader *reader = checkpoint_open(checkpoint, path, error);
    bool ok = reader != NULL;
    checkpoint_close(reader);
    return ok;
}

static bool read_tensor(const struct checkpoint_reader *reader, const struct tensor_group *group,
                        const struct tensor *tensor, struct error *error)
{
    char name[OBJECT_NAME_SIZE];
    hsize_t dims[2];
    object_name(name, group->name, tensor);
    int num_dims = dims_of(dims, tensor);
    float *values = group->values + tensor->offset;
    if (!hdf5_read_floats(values, reader->file, name, num_dims, dims, error))
        return false;
    size_t num_bad = 0;
    for (size_t i = 0; i < tensor->count; i++)
        num_bad += !(fabsf(values[i]) <= FLT_MAX);
    return num_bad == 0 || error_set(error, "%s: %s holds a number that is not finite", reader->path, name);
}

bool checkpoint_read_group(struct checkpoint_reader *reader, const struct tensor_table *table, int num_tensors,
                           const struct tensor_group *group, struct error *error)
{
    for (int i = 0; i < num_tensors; i++)
        if (!read_tensor(reader, group, &table->rows[i], error))
            return false;
    return true;
}

bool checkpoint_read_latents(struct checkpoint_reader *reader, struct latents *latents, struct error *error)
{
    return checkpoint_latents_read(latents, reader->file, reader->path, (int)reader->hparams.z_size,
                                   hparams_representation(&reader->hparams)->heads[0].width, error);
}

bool checkpoint_read_residuals(const struct checkpoint_reader *reader, float *sd, bool *found, struct error *error)
{
    static const struct {
        const char *kind, *name;
    } residuals[] = {
        {HEAD_SIGMOID, CHECKPOINT_LATENTS "/velocity_sd"},
        {HEAD_TANH,    CHECKPOINT_LATENTS "/offset_sd"  }
    };
    const struct representation *representation = hparams_representation(&reader->hparams);
    memset(sd, 0, (size_t)representation->depth * sizeof *sd);
    *found = checkpoint_has(reader, CHECKPOINT_LATENTS) && checkpoint_has(reader, residuals[0].name) &&
             checkpoint_has(reader, residuals[1].name);
    for (int i = 0, first = 0; *found && i < representation->num_heads; i++) {
        const struct representation_head *head = &representation->heads[i];
        hsize_t width = (hsize_t)head->width;
        for (size_t k = 0; head->gate && k < 2; k++)
            if (strcmp(head->kind, residuals[k].kind) == 0 &&
                !hdf5_read_floats(sd + first, reader->file, residuals[k].name, 1, &width, error))
                return false;
        first += head->width;
    }
    for (int i = 0; *found && i < representation->depth; i++)
        if (!(sd[i] >= 0 && sd[i] <= 1))
            return error_set(error, "%s: a standard deviation in %s is not in [0, 1]", reader->path,
                             CHECKPOINT_LATENTS);
    return true;
}

bool checkpoint_verify(struct checkpoint_reader *reader, const char *group, struct error *error)
{
    struct tensor_table table;
    size_t largest = 0;
    if (!parameters_describe(&table, &reader->hparams, error))
        return error_prefix(error, "%s", reader->path);
    for (int i = 0; i < table.num_rows; i++)
        largest = larger_size(largest, table.rows[i].count);
    float *values = malloc(largest * sizeof *values);
    bool ok = values || error_set_no_memory(error, "%s: out of memory", reader->path);
    for (int i = 0; ok && i < table.num_rows; i++) {
        struct tensor tensor = table.rows[i];
        const struct tensor_group scratch = {group, values};
        tensor.offset = 0;
        ok = read_tensor(reader, &scratch, &tensor, error);
    }
    free(values);
    return ok;
}

bool checkpoint_read_groups(const char *path, const struct tensor_table *table, const struct tensor_group *groups,
                            size_t num_groups, struct error *error)
{
    struct checkpoint checkpoint;
    struct checkpoint_reader *reader = checkpoint_open(&checkpoint, path, error);
    bool ok = reader != NULL;
    for (size_t i = 0; ok && i < num_groups; i++)
        ok = checkpoint_read_group(reader, table, table->num_rows, &groups[i], error);
    checkpoint_close(reader);
    return ok;
}

char *checkpoint_name(uint64_t step)
{
    return format_text("checkpoint-%08" PRIu64 ".h5", step);
}

/* The step in a checkpoint's name; false for other names. */
static bool parse_name(uint64_t *step, const char *name)
{
    int end = 0;
    if (sscanf(name, "checkpoint-%" SCNu64 ".h5%n", step, &end) != 1 || end == 0 || name[end] != '\0')
        return false;
    char *again = checkpoint_name(*step);
    bool same = strcmp(again, name) == 0;
    free(again);
    return same;
}

struct found {
    uint64_t step;
    char *path;
};

static int compare_newest_first(const void *a, const void *b)
{
    uint64_t step_a = ((const struct found *)a)->step, step_b = ((const struct found *)b)->step;
    return step_a < step_b ? 1 : step_a > step_b ? -1 : 0;
}

bool checkpoint_list_make(struct checkpoint_list *list, const char *folder, struct error *error)
{
    static const char *const suffixes[] = {".h5", NULL};
    struct file_list files = {0};
    struct stat status;
    *list = (struct checkpoint_list){0};
    if (stat(folder, &status) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return true;
    if (!file_list_make(&files, folder, false, suffixes, error))
        return false;
    struct found *found = calloc(files.count + 1, sizeof *found);
    list->paths = calloc(files.count + 1, sizeof *list->paths);
    list->steps = calloc(files.count + 1, sizeof *list->steps);
    bool ok = found && list->paths && list->steps;
    if (!ok) {
        error_set_no_memory(error, "%s: out of memory", folder);
        goto done;
    }
    for (size_t i = 0; i < files.count; i++) {
        uint64_t step;
        if (parse_name(&step, files.paths[i]))
            found[list->count++] = (struct found){step, path_join(folder, files.paths[i])};
    }
    qsort(found, list->count, sizeof *found, compare_newest_first);
    for (size_t i = 0; i < list->count; i++) {
        list->paths[i] = found[i].path;
        list->steps[i] = found[i].step;
    }
done:
    free(found);
    file_list_free(&files);
    if (!ok)
        checkpoint_list_free(list);
    return ok;
}

void checkpoint_list_free(struct checkpoint_list *list)
{
    for (size_t i = 0; list->paths && i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    free(list->steps);
    *list = (struct checkpoint_list){0};
}
