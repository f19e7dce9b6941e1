#include "programs/info/report_page.h"

#include "base/clock.h"
#include "base/version.h"
#include "programs/info/report_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

extern const char report_css[], report_js[];

void report_put_head(FILE *out, const char *title, double refresh)
{
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
            "script-src 'unsafe-inline'; media-src data:; img-src data:\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    if (refresh > 0)
        fprintf(out, "<meta http-equiv=\"refresh\" content=\"%.0f\">\n", fmax(1, refresh));
    fprintf(out, "<title>");
    report_put_text(out, title);
    fprintf(out, " - Drumline</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", report_css);
    report_put_text(out, title);
    fprintf(out, "</h1>\n");
}

void report_put_foot(FILE *out)
{
    char date[32];
    date_now(date);
    fprintf(out, "<p class=\"faint\">Written %s by drumline-info %s.</p>\n<script>\n%s</script>\n</body>\n</html>\n",
            date, drumline_version(), report_js);
}

void report_put_fact(FILE *out, const char *label, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(out, "<div><b>");
    report_put_text(out, label);
    fprintf(out, "</b>");
    report_put_text(out, text);
    fprintf(out, "</div>\n");
}

/* "name=value" texts of the hparams that are not the config's own. */
static bool is_changed(const json_t *changed, const char *name)
{
    size_t i, length = strlen(name);
    json_t *text;
    json_array_foreach(changed, i, text)
    {
        const char *given = json_string_value(text);
        if (given && strncmp(given, name, length) == 0 && given[length] == '=')
            return true;
    }
    return false;
}

void report_put_hparams(FILE *out, const json_t *checkpoint)
{
    const json_t *changed = json_object_get(checkpoint, "hparams_changed");
    const char *name;
    json_t *value;
    if (!checkpoint)
        return;
    fprintf(out, "<h2>Hparams</h2>\n<p class=\"faint\">Bold: differs from the config.</p>\n<div class=\"facts\">\n");
    json_object_foreach(json_object_get(checkpoint, "hparams"), name, value)
    {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
        fprintf(out, "<div%s><b>", is_changed(changed, name) ? " class=\"changed\"" : "");
        report_put_text(out, name);
        fprintf(out, "</b>");
        report_put_text(out, text ? text : "");
        fprintf(out, "</div>\n");
        free(text);
    }
    fprintf(out, "</div>\n");
}

void report_put_damage(FILE *out, const json_t *object)
{
    size_t i;
    json_t *message;
    json_array_foreach(json_object_get(object, "damage"), i, message)
    {
        fprintf(out, "<p><b>Damage:</b> ");
        report_put_text(out, json_string_value(message) ? json_string_value(message) : "");
        fprintf(out, "</p>\n");
    }
}
