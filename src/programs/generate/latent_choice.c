#include "programs/generate/latent_choice.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double most = 10; /* standard deviations */

/* One NAME:AMOUNT. `rest` is moved behind it and its comma. Spaces around it are skipped. False where there is none that can be read. */
static bool parse_one(char name[LATENTS_NAME_SIZE], double *amount, const char **rest)
{
    *rest += strspn(*rest, " ");
    size_t length = strcspn(*rest, ":,");
    char *end;
    if ((*rest)[length] != ':' || length == 0 || length >= LATENTS_NAME_SIZE)
        return false;
    memcpy(name, *rest, length);
    name[length] = '\0';
    const char *number = *rest + length + 1;
    *amount = strtod(number, &end);
    bool has_number = end != number;
    end += strspn(end, " ");
    if (!has_number || (*end != '\0' && *end != ',') || !(fabs(*amount) <= most) || (*end == ',' && end[1] == '\0'))
        return false;
    *rest = end + (*end == ',');
    return true;
}

bool latent_choice_check(const struct generate_options *options, struct error *error)
{
    const char *rest = options->attribute;
    if (options->mode == GENERATE_ATTRIBUTE && !rest)
        return error_set(error, "--mode=attribute needs --attribute, such as density:+1.5,swing:-1");
    if (rest && options->mode != GENERATE_ATTRIBUTE && options->mode != GENERATE_SAMPLE)
        return error_set(error, "--attribute is for --mode=attribute and --mode=sample");
    if (options->style && options->mode != GENERATE_SAMPLE)
        return error_set(error, "--style is for --mode=sample");
    if (options->style && options->latent != GENERATE_LATENT_AUTO)
        return error_set(error, "give one of --style and --latent: a style has a density of its own");
    if (rest && *rest == '\0')
        return error_set(error, "--attribute is empty: give NAME:AMOUNT, such as density:+1.5,swing:-1");
    while (rest && *rest) {
        char name[LATENTS_NAME_SIZE];
        double amount;
        if (!parse_one(name, &amount, &rest))
            return error_set(error,
                             "--attribute: '%s' is not NAME:AMOUNT, with an amount from -%g to %g, such as "
                             "density:+1.5,swing:-1",
                             rest, most, most);
    }
    return true;
}

static char *list_names(char (*names)[LATENTS_NAME_SIZE], int count)
{
    char *text = format_text("%s", "");
    for (int i = 0; i < count; i++) {
        char *longer = format_text("%s%s%s", text, i > 0 ? ", " : "", names[i]);
        free(text);
        text = longer;
    }
    return text;
}

/* What is "style" or "attribute". */
static bool refuse(const char *what, const char *name, const struct run_model *model, char (*names)[LATENTS_NAME_SIZE],
                   int count, struct error *error)
{
    if (count == 0)
        return error_set(error, "--%s: %s has no %ss: drumline-train --mode=latents measures and stores them", what,
                         model->path, what);
    char *list = list_names(names, count);
    error_set(error, "--%s: %s has no %s '%s'; it has: %s", what, model->path, what, name, list);
    free(list);
    return false;
}

static bool choose_density(struct latent_choice *choice, const struct generate_options *options,
                           const struct run_model *model, struct error *error)
{
    const struct latents *latents = &model->latents;
    const bool has_density = latents->counts.size > 0, has_mixture = latents->counts.components > 0;
    if ((options->latent == GENERATE_LATENT_FITTED && !has_density) ||
        (options->latent == GENERATE_LATENT_MIXTURE && !has_mixture))
        return error_set(error,
                         "%s: has no fitted latent %s: --mode=latents of drumline-train stores one, and "
                         "--latent=%s does without",
                         model->path, options->latent == GENERATE_LATENT_FITTED ? "density" : "mixture",
                         has_density ? "fitted" : "prior");
    bool wants_mixture = options->latent == GENERATE_LATENT_AUTO || options->latent == GENERATE_LATENT_MIXTURE;
    if (options->latent == GENERATE_LATENT_PRIOR || !has_density)
        choice->density = LATENT_PRIOR;
    else
        choice->density = wants_mixture && has_mixture ? LATENT_MIXTURE : LATENT_GAUSSIAN;
    return true;
}

static bool choose_direction(struct latent_choice *choice, const struct generate_options *options,
                             const struct run_model *model, struct error *error)
{
    const struct latents *latents = &model->latents;
    const char *rest = options->attribute;
    if (!rest)
        return true;
    choice->moved = calloc((size_t)latents->counts.size + 1, sizeof *choice->moved);
    if (!choice->moved)
        return error_set_no_memory(error, "out of memory");
    while (*rest) {
        char name[LATENTS_NAME_SIZE];
        double amount;
        if (!parse_one(name, &amount, &rest))
            return error_set(error, "--attribute: '%s' is not NAME:AMOUNT", rest);
        int attribute = latents_find_attribute(latents, name);
        if (attribute < 0)
            return refuse("attribute", name, model, latents->attribute_names, latents->counts.attributes, error);
        latents_move(choice->moved, latents, attribute, amount);
    }
    return true;
}

bool latent_choice_make(struct latent_choice *choice, const struct generate_options *options,
                        const struct run_model *model, bool *wrong_usage, struct error *error)
{
    const struct latents *latents = &model->latents;
    *choice = (struct latent_choice){.style = -1};
    if (!choose_density(choice, options, model, error))
        return false;
    *wrong_usage = true;
    if (options->style) {
        choice->density = LATENT_STYLE;
        choice->style = latents_find_style(latents, options->style);
        if (choice->style < 0)
            return refuse("style", options->style, model, latents->style_names, latents->counts.styles, error);
    }
    if (!choose_direction(choice, options, model, error))
        return false;
    *wrong_usage = false;
    return true;
}

void latent_choice_free(struct latent_choice *choice)
{
    free(choice->moved);
    choice->moved = NULL;
}

void latent_choice_move(float *z, const struct latent_choice *choice, int size)
{
    for (int i = 0; choice->moved && i < size; i++)
        z[i] += choice->moved[i];
}

char *latent_choice_words(const struct latent_choice *choice, const struct run_model *model)
{
    switch (choice->density) {
    case LATENT_PRIOR:
        break;
    case LATENT_GAUSSIAN:
        return format_text("fitted latent density");
    case LATENT_MIXTURE:
        return format_text("fitted mixture of %d Gaussians", model->latents.counts.components);
    case LATENT_STYLE:
        return format_text("latent density of style %s", model->latents.style_names[choice->style]);
    }
    return format_text("latent prior N(0, 1)");
}
