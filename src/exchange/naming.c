#include "exchange/naming.h"

#include "model/vae/parameters.h"

bool naming_make(struct naming *naming, const struct hparams *hparams, bool is_magentas, struct error *error)
{
    naming->is_magentas = is_magentas;
    if (!parameters_describe(&naming->table, hparams, error))
        return false;
    if (is_magentas)
        magenta_names_make(&naming->names, hparams, &naming->table);
    return true;
}

const char *naming_name(const struct naming *naming, int row)
{
    return naming->is_magentas ? naming->names.variables[row].name : naming->table.rows[row].name;
}

void naming_shape(int *num_dims, int dims[2], const struct naming *naming, int row)
{
    const struct tensor *tensor = &naming->table.rows[row];
    int rows = naming->is_magentas ? naming->names.variables[row].rows : tensor->rows;
    *num_dims = tensor->num_dims;
    dims[0] = tensor->num_dims == 2 ? rows : tensor->columns;
    dims[1] = tensor->columns;
}

const char *naming_of(const struct naming *naming, const char *ours)
{
    return naming_name(naming, (int)(tensors_find(&naming->table, "%s", ours) - naming->table.rows));
}
