/* The last lines of a metrics.jsonl as a table. */
#include "programs/info/kinds.h"
#include "run/json_members.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void print_number(FILE *out, const json_t *line, const char *key, int width, int decimals, double scale)
{
    const json_t *number = json_object_get(line, key);
    double value = json_number_value(number) * scale;
    if (json_is_number(number))
        fprintf(out, fabs(value) < 1e5 ? "%*.*f" : "%*.*e", width, decimals, value);
    else
        fprintf(out, "%*s", width, "-");
}

void info_print_metrics(FILE *out, const json_t *metrics, const char *title)
{
    const json_t *lines = json_object_get(metrics, "lines");
    size_t i, count = json_array_size(lines);
    json_t *line;
    if (!metrics)
        return;
    if (count == 0) {
        info_print_field(out, title, "no numbers yet");
        return;
    }
    fprintf(out, "\n%-12s%9s%9s%9s%9s%9s%8s%9s%6s\n", title, "loss", "hits", "veloc.", "offsets", "KL bits", "F1",
            "wind./s", "wait");
    json_array_foreach(lines, i, line)
    {
        fprintf(out, "  %-10" PRId64, member_int(line, "step"));
        print_number(out, line, "total_loss", 9, 2, 1);
        print_number(out, line, "hits_loss", 9, 2, 1);
        print_number(out, line, "velocities_loss", 9, 2, 1);
        print_number(out, line, "offsets_loss", 9, 2, 1);
        print_number(out, line, "kl_bits", 9, 1, 1);
        print_number(out, line, "hits_f1", 8, 3, 1);
        print_number(out, line, "windows_per_second", 9, 1, 1);
        print_number(out, line, "wait_share", 5, 0, 100);
        fprintf(out, "%s\n", json_object_get(line, "wait_share") ? "%" : " ");
    }
}
