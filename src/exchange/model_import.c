#include "exchange/model_import.h"

#include "exchange/exchange.h"
#include "exchange/import_config.h"
#include "exchange/listing.h"
#include "exchange/naming.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool no_memory(struct error *error)
{
    return error_set_no_memory(error, "no memory for the model");
}

static bool is_weight(enum foreign_type type)
{
    return type != FOREIGN_OTHER && type != FOREIGN_INT32 && type != FOREIGN_INT64;
}

/* Adds to the list what is wrong with a tensor; true where nothing is. */
static bool check_tensor(struct listing *wrong, const struct foreign_tensor *tensor, int num_dims, const int dims[2])
{
    char shape[FOREIGN_SHAPE_SIZE], wanted[FOREIGN_SHAPE_SIZE];
    struct foreign_tensor wish = {
        .num_dims = num_dims, .dims = {dims[0], dims[1]}
    };
    assert(num_dims <= 2);
    bool same = tensor->num_dims == num_dims;
    for (int i = 0; same && i < num_dims; i++)
        same = tensor->dims[i] == dims[i];
    if (!same)
        listing_add(wrong, "%s is %s, not %s", tensor->name, foreign_tensor_shape(shape, tensor),
                    foreign_tensor_shape(wanted, &wish));
    else if (!is_weight(tensor->type))
        listing_add(wrong, "%s does not hold floating-point numbers", tensor->name);
    return same && is_weight(tensor->type);
}

/* That all tensors of the model are there, before memory is taken for them. Marks them as used. */
static bool check_all(struct foreign_tensors *tensors, const struct naming *naming, const char *config,
                      struct error *error)
{
    struct listing missing = {0}, wrong = {0};
    for (int i = 0; i < naming->table.num_rows; i++) {
        int num_dims, dims[2];
        struct foreign_tensor *tensor = foreign_tensors_find(tensors, naming_name(naming, i));
        naming_shape(&num_dims, dims, naming, i);
        if (!tensor)
            listing_add(&missing, "%s", naming_name(naming, i));
        else
            tensor->is_used = check_tensor(&wrong, tensor, num_dims, dims);
    }
    if (missing.count > 0)
        return error_set(error, "lacks tensors of a %s: %s", config, listing_end(&missing));
    return wrong.count == 0 || error_set(error, "does not fit a %s of its size: %s", config, listing_end(&wrong));
}

static bool is_ending(const char *name, const char *ending)
{
    size_t length = strlen(name), ending_length = strlen(ending);
    return length >= ending_length && strcmp(name + length - ending_length, ending) == 0;
}

/* What TensorFlow stores of a training beside the weights; "the first of a kind" says what the kind is called. */
static const char *kind_of_training(const char *name)
{
    static const struct {
        const char *ending, *kind;
    } endings[] = {
        {"/Adam",                        "Adam's moments"                },
        {"/Adam_1",                      "Adam's moments"                },
        {"beta1_power",                  "Adam's moments"                },
        {"beta2_power",                  "Adam's moments"                },
        {"global_step",                  "global_step"                   },
        {"local_step",                   "counters"                      },
        {"save_counter",                 "counters"                      },
        {"/ExponentialMovingAverage",    "moving averages of the weights"},
        {"/Momentum",                    "moments of the optimizer"      },
        {"/RMSProp",                     "moments of the optimizer"      },
        {"/RMSProp_1",                   "moments of the optimizer"      },
        {"/Adagrad",                     "moments of the optimizer"      },
        {"_CHECKPOINTABLE_OBJECT_GRAPH", "TensorFlow's object graph"     },
    };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (is_ending(name, endings[i].ending))
            return endings[i].kind;
    return NULL;
}

static void add_kind(struct model_import *import, const char *kind)
{
    size_t used = strlen(import->left);
    if (!strstr(import->left, kind))
        snprintf(import->left + used, sizeof import->left - used, "%s%s", used > 0 ? ", " : "", kind);
}

/* Tensors that the model does not have: those of a training are left, others are none of such a model. Tensors without
 * numbers don't count: Magenta.js's hierarchical models may name some. */
static bool check_left(struct model_import *import, const struct foreign_tensors *tensors, struct error *error)
{
    struct listing unknown = {0};
    for (size_t i = 0; i < tensors->count; i++) {
        const struct foreign_tensor *tensor = &tensors->rows[i];
        const char *kind = kind_of_training(tensor->name);
        if (tensor->is_used)
            continue;
        if (kind)
            add_kind(import, kind);
        else if (tensor->count > 0)
            listing_add(&unknown, "%s", tensor->name);
    }
    return unknown.count == 0 || error_set(error, "holds tensors that a %s does not have: %s",
                                           import->checkpoint.config, listing_end(&unknown));
}

static bool read_magentas(struct model_import *import, const struct foreign_tensors *tensors,
                          const struct naming *naming, int row, struct error *error)
{
    const struct magenta_variable *variable = &naming->names.variables[row];
    float *values = malloc(magenta_variable_count(variable) * sizeof *values);
    bool ok = values ? foreign_tensor_read(values, foreign_tensors_find(tensors, variable->name), error) &&
                           magenta_variable_read(import->values, variable, &naming->table, values, error)
                     : no_memory(error);
    free(values);
    return ok;
}

static bool read_all(struct model_import *import, const struct foreign_tensors *tensors, const struct naming *naming,
                     struct error *error)
{
    bool ok = true;
    import->values = calloc(naming->table.num_floats, sizeof *import->values);
    if (!import->values)
        return no_memory(error);
    for (int i = 0; ok && i < naming->table.num_rows; i++) {
        const struct tensor *tensor = &naming->table.rows[i];
        ok = naming->is_magentas ? read_magentas(import, tensors, naming, i, error)
                                 : foreign_tensor_read(import->values + tensor->offset,
                                                       foreign_tensors_find(tensors, tensor->name), error);
    }
    return ok;
}

enum { MAX_LATENT_SIZE = 4096 };

/* The latent density, the one Gaussian, which is all there or not at all. */
static bool read_latents(struct model_import *import, const struct foreign_tensors *tensors, struct error *error)
{
    struct tensor_table table;
    struct foreign_tensor *found[TENSORS_MAX_ROWS];
    const struct latent_counts gaussian = {.size = (int)import->checkpoint.hparams.z_size};
    int num_found = 0;
    if (gaussian.size > MAX_LATENT_SIZE)
        return true;
    latents_table(&table, &gaussian);
    for (int i = 0; i < table.num_rows; i++) {
        char name[MAGENTA_NAME_SIZE];
        snprintf(name, sizeof name, EXCHANGE_LATENTS "%s", table.rows[i].name);
        found[i] = foreign_tensors_find(tensors, name);
        num_found += found[i] != NULL;
    }
    if (num_found == 0)
        return true;
    if (num_found < table.num_rows)
        return error_set(error, "has only a part of a latent density");
    struct listing wrong = {0};
    for (int i = 0; i < table.num_rows; i++) {
        const struct tensor *tensor = &table.rows[i];
        const int dims[] = {tensor->num_dims == 2 ? tensor->rows : tensor->columns, tensor->columns};
        assert(found[i]); /* all of them are */
        found[i]->is_used = check_tensor(&wrong, found[i], tensor->num_dims, dims);
    }
    if (wrong.count > 0)
        return error_set(error, "its latent density does not fit: %s", listing_end(&wrong));
    bool ok = latents_make(&import->latents, &gaussian, error);
    for (int i = 0; ok && i < table.num_rows; i++)
        ok = foreign_tensor_read(import->latents.values + table.rows[i].offset, found[i], error);
    return ok;
}

/* Where no notes say it, TensorFlow's counter does. */
static void read_step(struct checkpoint *checkpoint, const struct foreign_tensors *tensors)
{
    const struct foreign_tensor *tensor = foreign_tensors_find(tensors, "global_step");
    int64_t step;
    if (!tensors->notes && tensor && foreign_tensor_integer(&step, tensor) && step >= 0)
        checkpoint->step = (uint64_t)step;
    checkpoint->updates = checkpoint->step;
}

bool model_import_make(struct model_import *import, struct foreign_tensors *tensors, const struct config *config,
                       const char *changes, struct error *error)
{
    struct naming naming;
    bool is_magentas;
    memset(import, 0, sizeof *import);
    bool ok = import_config_find(&import->checkpoint, &is_magentas, tensors, config, changes, error) &&
              naming_make(&naming, &import->checkpoint.hparams, is_magentas, error) &&
              check_all(tensors, &naming, import->checkpoint.config, error) && read_latents(import, tensors, error) &&
              check_left(import, tensors, error) && read_all(import, tensors, &naming, error);
    if (ok) {
        import->is_guessed = !config && !tensors->notes;
        import->table = naming.table;
        read_step(&import->checkpoint, tensors);
    } else {
        model_import_free(import);
    }
    return ok;
}

void model_import_free(struct model_import *import)
{
    free(import->values);
    import->values = NULL;
    latents_free(&import->latents);
}
