#include "data/dataset/converter.h"

#include <string.h>

const struct converter *converter_find(const struct representation *representation)
{
    for (size_t i = 0; i < converter_count; i++)
        if (strcmp(converter_table[i]->representation, representation->name) == 0)
            return converter_table[i];
    return NULL;
}

bool transform_is_needed(const struct transform *transform)
{
    return transform->humanize || transform->tapify || transform->fixed_velocities || transform->removed_classes ||
           transform->max_note_dropout > 0;
}
