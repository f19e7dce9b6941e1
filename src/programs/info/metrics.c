/* The last lines of a metrics.jsonl as a table, whose columns follow from the table of metrics. */
#include "base/metric.h"
#include "programs/info/kinds.h"
#include "run/json_members.h"
#include "run/metrics_reader.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_WIDTH = 7 }; /* and a blank before it */

/* The representation whose heads' losses a line has; the first of the table where there is none. */
static const struct representation *representation_of(const json_t *line)
{
    for (size_t i = 0; i < representation_count; i++) {
        const struct representation *representation = &representation_table[i];
        int found = 0;
        for (int head = 0; head < representation->num_heads; head++) {
            char name[METRIC_NAME_SIZE];
            snprintf(name, sizeof name, "%s_loss", representation->heads[head].name);
            found += metrics_reader_value(line, name) != NULL;
        }
        if (found == representation->num_heads)
            return representation;
    }
    return &representation_table[0];
}

static bool has_column(const struct metric *metric)
{
    return metric->row->heading != NULL;
}

/* "loss", "hits", "velocit." */
static void print_heading(FILE *out, const struct metric_set *set, const struct metric *metric)
{
    const char *heading = metric->row->heading;
    if (strcmp(heading, "*") == 0)
        heading = set->representation->heads[metric->head].name;
    bool cut = strlen(heading) > NUMBER_WIDTH;
    fprintf(out, " %*.*s%s", cut ? 0 : NUMBER_WIDTH, cut ? NUMBER_WIDTH - 1 : NUMBER_WIDTH, heading, cut ? "." : "");
}

static void print_number(FILE *out, const json_t *number, const struct metric_row *row)
{
    double value = json_number_value(number);
    if (!number)
        fprintf(out, " %*s", NUMBER_WIDTH, "-");
    else if (fabs(value) < 1e3 || (row->digits < 2 && fabs(value) < 1e4))
        fprintf(out, " %*.*f", NUMBER_WIDTH, row->digits, value);
    else
        fprintf(out, " %*.*g", NUMBER_WIDTH, fabs(value) < 1e7 ? 6 : 1, value);
}

void info_print_metrics(FILE *out, const json_t *metrics, const char *title)
{
    const json_t *lines = json_object_get(metrics, "lines");
    size_t i, count = json_array_size(lines);
    struct metric_set set;
    json_t *line;
    if (!metrics)
        return;
    if (count == 0) {
        info_print_field(out, title, "no numbers yet");
        return;
    }
    metric_set_make(&set, representation_of(json_array_get(lines, count - 1)));
    fprintf(out, "\n%-12s", title);
    for (int m = 0; m < set.count; m++)
        if (has_column(&set.metrics[m]))
            print_heading(out, &set, &set.metrics[m]);
    fprintf(out, "\n");
    json_array_foreach(lines, i, line)
    {
        fprintf(out, "  %-10" PRId64, member_int(line, "step"));
        for (int m = 0; m < set.count; m++)
            if (has_column(&set.metrics[m]))
                print_number(out, metrics_reader_value(line, set.metrics[m].name), set.metrics[m].row);
        fprintf(out, "\n");
    }
}
