/* What random latent vectors are drawn from, and which way latent vectors are moved: --latent, --style and --attribute. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_LATENT_CHOICE_H
#define DRUMLINE_PROGRAMS_GENERATE_LATENT_CHOICE_H

#include "model/latents/latents.h"
#include "programs/generate/options.h"
#include "run/run_model.h"

struct latent_choice {
    enum latent_density density;
    int style;    /* with LATENT_STYLE */
    float *moved; /* [Z], owned: what is added to every latent vector; NULL: nothing */
};

/* What can be seen of these options without a model: --attribute is a list of NAME:AMOUNT, AMOUNT from -10 to 10, and for modes that
 * take it. */
bool latent_choice_check(const struct generate_options *options, struct error *error);

/* Of the options and a model. A style or an attribute that the model does not have is refused with the list of those that it has,
 * and *wrong_usage is set. Free with latent_choice_free. */
bool latent_choice_make(struct latent_choice *choice, const struct generate_options *options,
                        const struct run_model *model, bool *wrong_usage, struct error *error);
void latent_choice_free(struct latent_choice *choice);

/* z [Z] += what --attribute asks for. */
void latent_choice_move(float *z, const struct latent_choice *choice, int size);

/* "the density of style rock": what samples are drawn from. The caller's. */
char *latent_choice_words(const struct latent_choice *choice, const struct run_model *model);

#endif
