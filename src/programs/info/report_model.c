/* The page of a checkpoint or a model file: what it is, what it plays, and what is known of its latent space. */
#include "base/text.h"
#include "data/midi/drum_map.h"
#include "model/checkpoint.h"
#include "programs/info/info.h"
#include "programs/info/report_music.h"
#include "programs/info/report_page.h"
#include "programs/info/report_pages.h"
#include "programs/info/report_plots.h"
#include "programs/info/report_text.h"
#include "run/json_members.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put_facts(FILE *out, const json_t *object)
{
    const char *map = member_string(object, "drum_map");
    fprintf(out, "<div class=\"facts\">\n");
    report_put_fact(out, "Config", "%s", member_string(object, "config"));
    report_put_fact(out, "Step", "%" PRId64, member_int(object, "step"));
    report_put_fact(out, "Parameters", "%" PRId64, member_int(object, "num_parameters"));
    report_put_fact(out, "Size", "%.1f MiB%s", member_number(object, "bytes") / (1 << 20),
                    json_is_true(json_object_get(object, "has_optimizer")) ? ", with optimizer state" : "");
    report_put_fact(out, "Checksums", "%s",
                    json_is_true(json_object_get(object, "valid")) ? "valid for all tensors" : "FAILED");
    report_put_fact(out, "Written", "%s by drumline %s", member_string(object, "date"),
                    member_string(object, "program_version"));
    if (*map)
        report_put_fact(out, "Drum map", "%s", map);
    report_put_fact(out, "Data set (content_sha256)", "%s", member_string(object, "content_sha256"));
    fprintf(out, "</div>\n");
}

static void put_notes(FILE *out, const json_t *object)
{
    static const char *const notes[][2] = {
        {"licence",     "Licence"    },
        {"attribution", "Attribution"},
        {"recipe",      "Recipe"     }
    };
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        const char *text = member_string(object, notes[i][0]);
        if (!*text)
            continue;
        fprintf(out, "<p class=\"note\"><b>%s:</b> ", notes[i][1]);
        report_put_text(out, text);
        fprintf(out, "</p>\n");
    }
}

static void put_validation(FILE *out, const json_t *validation)
{
    const char *name;
    json_t *value;
    if (!validation)
        return;
    fprintf(out, "<h2>Validation at step %" PRId64 "</h2>\n<div class=\"facts\">\n", member_int(validation, "step"));
    json_object_foreach((json_t *)(uintptr_t)validation, name, value)
    {
        if (json_is_real(value))
            report_put_fact(out, name, "%.5g", json_real_value(value));
    }
    fprintf(out, "</div>\n");
}

static int compare_styles(const void *left, const void *right)
{
    const struct report_bar *a = left, *b = right;
    return a->parts[0] != b->parts[0] ? (a->parts[0] > b->parts[0] ? -1 : 1) : strcmp(a->label, b->label);
}

static void put_styles(FILE *out, const struct latents *latents)
{
    size_t count = (size_t)latents->counts.styles;
    struct report_bar *bars = calloc(count + 1, sizeof *bars);
    if (!bars || count == 0) {
        free(bars);
        return;
    }
    for (size_t i = 0; i < count; i++)
        bars[i] = (struct report_bar){latents->style_names[i], {(double)latents->style_windows[i]}};
    qsort(bars, count, sizeof *bars, compare_styles);
    report_put_bars(out, "Styles (--style=NAME), by windows", bars, count, NULL, 1);
    free(bars);
}

static void put_attributes(FILE *out, const struct latents *latents)
{
    if (latents->counts.attributes == 0)
        return;
    fprintf(
        out,
        "<figure><figcaption>Attributes, over the training data's windows</figcaption>\n<div class=\"scroll\"><table>"
        "<tr><th>name<th class=\"number\">mean<th class=\"number\">standard deviation</tr>\n");
    for (int i = 0; i < latents->counts.attributes; i++) {
        fprintf(out, "<tr><td>");
        report_put_text(out, latents->attribute_names[i]);
        fprintf(out, "<td class=\"number\">%.4g<td class=\"number\">%.4g</tr>\n", (double)latents->attribute_means[i],
                (double)latents->attribute_sd[i]);
    }
    fprintf(out, "</table></div></figure>\n");
}

static void put_residuals(FILE *out, const struct latents *latents)
{
    if (latents->counts.classes != NUM_DRUMS)
        return;
    fprintf(out, "<figure><figcaption>Differences from the data (velocity of 127, timing in "
                 "sixteenths)</figcaption>\n<div class=\"scroll\">"
                 "<table><tr><th>drum<th class=\"number\">velocity<th class=\"number\">timing</tr>\n");
    for (int drum = 0; drum < NUM_DRUMS; drum++) /* an offset of 1 is half a sixteenth */
        fprintf(out, "<tr><td>%s<td class=\"number\">%.1f<td class=\"number\">%.3f</tr>\n", drum_name(drum),
                127 * (double)latents->velocity_sd[drum], (double)latents->offset_sd[drum] / 2);
    fprintf(out, "</table></div></figure>\n");
}

static void put_latents(FILE *out, const struct latents *latents)
{
    const struct latent_counts *counts = &latents->counts;
    fprintf(out, "<h2>Latent space</h2>\n");
    if (counts->size == 0) {
        fprintf(out,
                "<p class=\"faint\">Not measured: samples come from the prior N(0, 1). drumline-train --mode=latents "
                "measures it.</p>\n");
        return;
    }
    fprintf(out, "<p>%d dimensions; a Gaussian of all windows", counts->size);
    if (counts->components > 0)
        fprintf(out, ", a mixture of %d components", counts->components);
    fprintf(out, "; %d style%s, %d attribute%s.</p>\n<div class=\"plots\">\n", counts->styles, PLURAL(counts->styles),
            counts->attributes, PLURAL(counts->attributes));
    put_styles(out, latents);
    put_attributes(out, latents);
    put_residuals(out, latents);
    fprintf(out, "</div>\n");
}

static void put_tensors(FILE *out, const json_t *tensors)
{
    size_t i, k;
    json_t *tensor, *extent;
    fprintf(out,
            "<h2>Tensors</h2>\n<details><summary>%zu tensors</summary><div class=\"scroll\"><table><tr><th>name<th "
            "class=\"number\">shape<th class=\"number\">norm</tr>\n",
            json_array_size(tensors));
    json_array_foreach(tensors, i, tensor)
    {
        fprintf(out, "<tr><td>");
        report_put_text(out, member_string(tensor, "name"));
        fprintf(out, "<td class=\"number\">");
        json_array_foreach(json_object_get(tensor, "shape"), k, extent)
            fprintf(out, "%s%lld", k > 0 ? " x " : "", (long long)json_integer_value(extent));
        if (json_object_get(tensor, "norm"))
            fprintf(out, "<td class=\"number\">%.6g</tr>\n", member_number(tensor, "norm"));
        else
            fprintf(out, "<td class=\"number\">-</tr>\n");
    }
    fprintf(out, "</table></div></details>\n");
}

bool report_put_model(FILE *out, const char *path, const struct report_options *options, struct error *error)
{
    const struct run_model_source source = {.checkpoint_file = path};
    struct latents latents = {0};
    json_t *object = info_describe(path, error);
    if (!object)
        return false;
    report_put_head(out, member_string(object, "path"), 0);
    put_facts(out, object);
    put_notes(out, object);
    report_put_damage(out, object);
    report_put_music(out, &source, options->soundfont, &latents);
    put_latents(out, &latents);
    put_validation(out, json_object_get(object, "validation"));
    report_put_hparams(out, object);
    put_tensors(out, json_object_get(object, "tensors"));
    report_put_foot(out);
    latents_free(&latents);
    json_decref(object);
    return true;
}
