/* Prints a sweep: as a table for a terminal, and as CSV. */
#include "base/text.h"
#include "programs/info/info.h"
#include "programs/info/kinds.h"
#include "run/json_members.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, STEP_COLUMNS = 9, LOSS_COLUMNS = 10, SHORT_NAME = 12 };

/* How wide the columns are. */
struct layout {
    int name, step, state;
    bool has_hparams; /* in the table; else below it */
};

const char *info_sweep_step(char text[INFO_STEP_TEXT_SIZE], const json_t *run)
{
    int64_t step = member_int(run, "step"), num_steps = member_int(run, "num_steps");
    if (step == 0 && num_steps == 0)
        snprintf(text, INFO_STEP_TEXT_SIZE, "-");
    else if (step < num_steps)
        snprintf(text, INFO_STEP_TEXT_SIZE, "%" PRId64 "/%" PRId64, step, num_steps);
    else
        snprintf(text, INFO_STEP_TEXT_SIZE, "%" PRId64, step);
    return text;
}

static void widen(int *columns, const char *text)
{
    int needed = info_columns_of(text);
    *columns = needed > *columns ? needed : *columns;
}

/* The columns that an hparam needs: the longest of its name and its values, and the gap. */
static int width_of(const json_t *runs, const char *name)
{
    enum { MOST = 40 };
    size_t i;
    json_t *run;
    int columns = info_columns_of(name);
    json_array_foreach(runs, i, run) widen(&columns, info_sweep_value(run, name));
    return (columns < MOST ? columns : MOST) + GAP;
}

static int width_of_all(const json_t *runs, const json_t *differing)
{
    size_t i;
    json_t *name;
    int columns = 0;
    json_array_foreach(differing, i, name) columns += width_of(runs, json_string_value(name));
    return columns;
}

/* Names get what the page leaves them; runs are told apart by the ends of their names as often as by their beginnings, so longer
 * ones have a line of their own. */
static struct layout lay_out(const json_t *runs, const json_t *differing, int page)
{
    struct layout layout = {.name = 3, .step = 4, .state = 5};
    size_t i;
    json_t *run;
    json_array_foreach(runs, i, run)
    {
        char text[INFO_STEP_TEXT_SIZE];
        widen(&layout.step, info_sweep_step(text, run));
        widen(&layout.state, member_string(run, "state"));
    }
    int others = LOSS_COLUMNS + STEP_COLUMNS + LOSS_COLUMNS + GAP + layout.step + GAP + layout.state;
    int room = page - others > SHORT_NAME ? page - others : SHORT_NAME;
    json_array_foreach(runs, i, run) if (info_columns_of(member_string(run, "run")) <= room)
        widen(&layout.name, member_string(run, "run"));
    layout.has_hparams = layout.name + others + width_of_all(runs, differing) <= page;
    return layout;
}

/* "sweep of 4 runs (2 done, 1 running, 1 pruned)". */
static void print_counts(FILE *out, const json_t *runs)
{
    json_t *counts = json_object(), *run, *number;
    const char *word, *before = " (";
    size_t i;
    json_array_foreach(runs, i, run)
    {
        const char *state = member_string(run, "state");
        char first[32];
        snprintf(first, sizeof first, "%.*s", *state && strncmp(state, "halted", 6) == 0 ? 6 : 20,
                 *state ? state : "unknown");
        json_object_set_new(counts, first, json_integer(json_integer_value(json_object_get(counts, first)) + 1));
    }
    fprintf(out, "sweep of %zu run%s", json_array_size(runs), PLURAL(json_array_size(runs)));
    json_object_foreach(counts, word, number)
    {
        fprintf(out, "%s%" JSON_INTEGER_FORMAT " %s", before, json_integer_value(number), word);
        before = ", ";
    }
    fprintf(out, ")");
    json_decref(counts);
}

static void print_loss(FILE *out, const json_t *run, const char *key)
{
    double value = member_number(run, key);
    if (!json_object_get(run, key))
        fprintf(out, "%*s", LOSS_COLUMNS, "-");
    else
        fprintf(out, fabs(value) < 1e6 ? "%*.2f" : "%*.2e", LOSS_COLUMNS, value);
}

static void print_hparams(FILE *out, const json_t *run, const json_t *runs, const json_t *differing)
{
    size_t i;
    json_t *name;
    json_array_foreach(differing, i, name)
        info_print_column(out, run ? info_sweep_value(run, json_string_value(name)) : json_string_value(name),
                          width_of(runs, json_string_value(name)));
}

/* A name that is too long for its column has a line of its own. */
static void print_name(FILE *out, const char *name, int columns)
{
    bool fits = info_columns_of(name) <= columns;
    if (!fits)
        fprintf(out, "%s\n", name);
    info_print_column(out, fits ? name : "", columns);
}

static void print_row(FILE *out, const json_t *run, const struct layout *layout)
{
    char text[INFO_STEP_TEXT_SIZE];
    print_name(out, member_string(run, "run"), layout->name);
    print_loss(out, run, "val_loss");
    if (json_object_get(run, "best_step"))
        fprintf(out, "%*" PRId64, STEP_COLUMNS, member_int(run, "best_step"));
    else
        fprintf(out, "%*s", STEP_COLUMNS, "-");
    print_loss(out, run, "loss");
    fprintf(out, "%*s%*s", layout->step + GAP, info_sweep_step(text, run), GAP, "");
}

static void print_table(FILE *out, const json_t *runs, const json_t *differing, const struct layout *layout)
{
    size_t i;
    json_t *run;
    info_print_column(out, "run", layout->name);
    fprintf(out, "%*s%*s%*s%*s%*s", LOSS_COLUMNS, "val_loss", STEP_COLUMNS, "at step", LOSS_COLUMNS, "loss",
            layout->step + GAP, "step", GAP, "");
    if (layout->has_hparams)
        print_hparams(out, NULL, runs, differing);
    fprintf(out, "state\n");
    json_array_foreach(runs, i, run)
    {
        print_row(out, run, layout);
        if (layout->has_hparams)
            print_hparams(out, run, runs, differing);
        fprintf(out, "%s\n", member_string(run, "state"));
    }
}

/* The value that at least two thirds of the runs have, NULL where there is none such. */
static const char *usual_value(const json_t *runs, const char *name)
{
    size_t i;
    json_t *run, *counts = json_object();
    const char *usual = NULL;
    json_array_foreach(runs, i, run)
    {
        const char *text = info_sweep_value(run, name);
        json_int_t count = json_integer_value(json_object_get(counts, text)) + 1;
        json_object_set_new(counts, text, json_integer(count));
        if (*text && 3 * (size_t)count >= 2 * json_array_size(runs))
            usual = text;
    }
    json_decref(counts);
    return usual;
}

static json_t *usual_values(const json_t *runs, const json_t *differing)
{
    size_t i;
    json_t *name, *usual = json_object();
    json_array_foreach(differing, i, name)
    {
        const char *text = usual_value(runs, json_string_value(name));
        if (text)
            json_object_set_new(usual, json_string_value(name), json_string(text));
    }
    return usual;
}

/* Closes a stream of open_memstream, of which `text` is the caller's; NULL where there was no memory for all of it. */
static char *text_of_stream(FILE *memory, char **text)
{
    if (fclose(memory) == 0)
        return *text;
    free(*text);
    return NULL;
}

/* "learning_rate=0.01 z_size=128 ", the caller's: what a run has that is not usual, or, where it is NULL, what is. */
static char *text_of(const json_t *run, const json_t *usual, const json_t *differing)
{
    char *text = NULL;
    size_t size = 0, i;
    json_t *item;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return NULL;
    json_array_foreach(differing, i, item)
    {
        const char *name = json_string_value(item), *most = member_string(usual, name);
        const char *own = run ? info_sweep_value(run, name) : most;
        if (*own && (!run || strcmp(own, most) != 0))
            fprintf(memory, "%s=%s ", name, own);
    }
    if (run && json_object_size(json_object_get(run, "hparams")) == 0)
        fprintf(memory, "not known yet");
    return text_of_stream(memory, &text);
}

static void print_difference(FILE *out, const char *label, char *text)
{
    enum { LABEL_COLUMNS = 11 };
    bool is_short = info_columns_of(label) <= LABEL_COLUMNS;
    if (text && *text && !is_short)
        fprintf(out, "  %s\n", label);
    if (text && *text)
        info_print_field(out, is_short ? label : "", "%s", text);
    free(text);
}

/* A line for each run, for which the table has no room. */
static void print_differences(FILE *out, const json_t *runs, const json_t *differing)
{
    size_t i;
    json_t *run, *usual = usual_values(runs, differing);
    fprintf(out, "\nwhat they differ in\n");
    print_difference(out, "(most)", text_of(NULL, usual, differing));
    json_array_foreach(runs, i, run) print_difference(out, member_string(run, "run"), text_of(run, usual, differing));
    json_decref(usual);
}

/* Why runs failed, and the note if there is one. */
static void print_remarks(FILE *out, const json_t *runs, const char *note)
{
    size_t i;
    json_t *run;
    const char *before = "\n";
    if (note) {
        fprintf(out, "%s", before);
        info_print_field(out, "note", "%s", note);
        before = "";
    }
    json_array_foreach(runs, i, run)
    {
        if (!json_object_get(run, "message"))
            continue;
        fprintf(out, "%s", before);
        info_print_field(out, "failed", "%s, at step %" PRId64 ": %s", member_string(run, "run"),
                         member_int(run, "step"), member_string(run, "message"));
        before = "";
    }
}

char *info_sweep_note(const json_t *object)
{
    const json_t *names = json_object_get(object, "incomparable");
    char *text = NULL;
    size_t size = 0, i;
    json_t *name;
    FILE *memory = json_array_size(names) > 0 ? open_memstream(&text, &size) : NULL;
    if (!memory)
        return NULL;
    fprintf(memory, "val_loss is not the same measure in all of these runs, which differ in ");
    json_array_foreach(names, i, name) fprintf(memory, "%s%s", i > 0 ? ", " : "", json_string_value(name));
    return text_of_stream(memory, &text);
}

void info_print_sweep(FILE *out, const json_t *object)
{
    const json_t *runs = json_object_get(object, "runs"), *differing = json_object_get(object, "differing");
    const struct layout layout = lay_out(runs, differing, info_page_columns(out));
    char *note = info_sweep_note(object);
    fprintf(out, "%s: ", member_string(object, "path"));
    print_counts(out, runs);
    fprintf(out, ", lowest val_loss first\n\n");
    print_table(out, runs, differing, &layout);
    if (!layout.has_hparams && json_array_size(differing) > 0)
        print_differences(out, runs, differing);
    print_remarks(out, runs, note);
    free(note);
}

/* RFC 4180: in quotes where it has to be. */
static void put_csv_text(FILE *out, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++)
        fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    putc('"', out);
}

bool info_print_sweep_csv(FILE *out, const char *folder, struct error *error)
{
    static const char *const numbers[] = {"val_loss", "best_step", "loss", "step", "num_steps"};
    json_t *object = json_object(), *run, *name;
    size_t i, h;
    if (!info_read_sweep(object, folder, error)) {
        json_decref(object);
        return false;
    }
    const json_t *differing = json_object_get(object, "differing");
    fprintf(out, "run,val_loss,best_step,loss,step,num_steps,state");
    json_array_foreach(differing, h, name) fprintf(out, ",%s", json_string_value(name));
    fprintf(out, "\r\n");
    json_array_foreach(json_object_get(object, "runs"), i, run)
    {
        put_csv_text(out, member_string(run, "run"));
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
            putc(',', out);
            if (json_object_get(run, numbers[n]))
                fprintf(out, "%.9g", member_number(run, numbers[n]));
        }
        putc(',', out);
        put_csv_text(out, member_string(run, "state"));
        json_array_foreach(differing, h, name)
        {
            putc(',', out);
            put_csv_text(out, info_sweep_value(run, json_string_value(name)));
        }
        fprintf(out, "\r\n");
    }
    json_decref(object);
    return true;
}
