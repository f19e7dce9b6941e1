/* What a checkpoint has of its latent space. */
#include "base/text.h"
#include "model/checkpoint.h"
#include "programs/info/kinds.h"
#include "run/json_members.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

bool info_read_latents(json_t *object, struct checkpoint_reader *reader, struct error *error)
{
    struct latents latents;
    if (!checkpoint_read_latents(reader, &latents, error))
        return false;
    if (latents.counts.size > 0) {
        json_t *all = json_object(), *styles = json_array(), *attributes = json_array();
        json_object_set_new(all, "size", json_integer(latents.counts.size));
        json_object_set_new(all, "components", json_integer(latents.counts.components));
        json_object_set_new(all, "residuals", json_boolean(latents.counts.classes > 0));
        for (int i = 0; i < latents.counts.styles; i++) {
            json_t *style = json_object();
            json_object_set_new(style, "name", json_clean_text(latents.style_names[i]));
            json_object_set_new(style, "windows", json_integer((json_int_t)latents.style_windows[i]));
            json_array_append_new(styles, style);
        }
        for (int i = 0; i < latents.counts.attributes; i++) {
            json_t *attribute = json_object();
            json_object_set_new(attribute, "name", json_clean_text(latents.attribute_names[i]));
            json_object_set_new(attribute, "mean", json_real((double)latents.attribute_means[i]));
            json_object_set_new(attribute, "sd", json_real((double)latents.attribute_sd[i]));
            json_array_append_new(attributes, attribute);
        }
        json_object_set_new(all, "styles", styles);
        json_object_set_new(all, "attributes", attributes);
        json_object_set_new(object, "latents", all);
    }
    latents_free(&latents);
    return true;
}

/* A line for each style or attribute. */
static void print_list(FILE *out, const char *title, const json_t *list)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row)
    {
        const char *name = i == 0 ? title : "";
        if (json_object_get(row, "windows"))
            info_print_field(out, name, "%s, %" PRId64 " window%s", member_string(row, "name"),
                             member_int(row, "windows"), PLURAL(member_int(row, "windows")));
        else
            info_print_field(out, name, "%s, mean %.4g, standard deviation %.4g", member_string(row, "name"),
                             member_number(row, "mean"), member_number(row, "sd"));
    }
}

void info_print_latents(FILE *out, const json_t *latents)
{
    if (!latents)
        return;
    long long components = (long long)member_int(latents, "components");
    char mixture[48] = "no mixture";
    if (components > 0)
        snprintf(mixture, sizeof mixture, "a mixture of %lld components", components);
    info_print_field(
        out, "latents", "a density of %lld numbers, %s, %s", (long long)member_int(latents, "size"), mixture,
        json_is_true(json_object_get(latents, "residuals")) ? "residuals of velocities and offsets" : "no residuals");
    print_list(out, "styles", json_object_get(latents, "styles"));
    print_list(out, "attributes", json_object_get(latents, "attributes"));
}
