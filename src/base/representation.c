#include "base/representation.h"

#include <string.h>

const struct representation *representation_find(const char *name, struct error *error)
{
    for (size_t i = 0; i < representation_count; i++)
        if (strcmp(representation_table[i].name, name) == 0)
            return &representation_table[i];
    if (error)
        error_set(error, "representation=%s: one of %s is allowed", name, representation_choices);
    return NULL;
}

int representation_head_find(const struct representation *representation, const char *name)
{
    for (int i = 0; i < representation->num_heads; i++)
        if (strcmp(representation->heads[i].name, name) == 0)
            return i;
    return -1;
}

static bool check_head(const struct representation *representation, int number, struct error *error)
{
    const struct representation_head *head = &representation->heads[number];
    if (!head->name || !*head->name || !head->kind || head->width < 1)
        return error_set(error, "%s: head %d lacks a name, a kind or a width", representation->name, number);
    if (representation_head_find(representation, head->name) != number)
        return error_set(error, "%s: two heads are called %s", representation->name, head->name);
    if (!head->gate)
        return true;
    int gate = representation_head_find(representation, head->gate);
    if (gate < 0 || gate >= number || strcmp(representation->heads[gate].kind, HEAD_BERNOULLI) != 0 ||
        representation->heads[gate].width != head->width)
        return error_set(error, "%s: the gate %s of %s is no Bernoulli head of the same width before it",
                         representation->name, head->gate, head->name);
    return true;
}

bool representation_check(const struct representation *representation, struct error *error)
{
    int depth = 0;
    if (representation->steps_per_bar < 1 || representation->num_heads < 1 ||
        representation->num_heads > REPRESENTATION_MAX_HEADS)
        return error_set(error, "%s: needs steps and 1 to %d heads", representation->name, REPRESENTATION_MAX_HEADS);
    for (int i = 0; i < representation->num_heads; i++) {
        if (!check_head(representation, i, error))
            return false;
        depth += representation->heads[i].width;
    }
    if (depth != representation->depth)
        return error_set(error, "%s: heads of %d columns for a depth of %d", representation->name, depth,
                         representation->depth);
    if (representation->num_controls < 0 || representation->num_controls > depth)
        return error_set(error, "%s: %d controls of %d columns", representation->name, representation->num_controls,
                         depth);
    return true;
}
