/* The pages of --help. */
#include "base/cli/options.h"
#include "base/cli/options_common.h"
#include "base/version.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_COLUMNS = 100, TEXT_COLUMN = 30, ROW_TEXT_MAX = 2 * SETTING_TEXT_MAX };

static const char *argument_name(const struct setting *row)
{
    if (row->argument)
        return row->argument;
    switch (row->type) {
    case SETTING_INT:
        return "N";
    case SETTING_DOUBLE:
        return "X";
    case SETTING_STRING:
        return "TEXT";
    case SETTING_CHOICE:
        return "NAME";
    case SETTING_INT_LIST:
        return "[N,...]";
    case SETTING_BOOL:
        break;
    }
    return "";
}

/* "--name=ARG", "--name[=ARG]" or, for a flag, "--name". */
static const char *spelling(const struct setting *row, char text[SETTING_TEXT_MAX])
{
    const char *argument = argument_name(row);
    bool is_bare = *argument == '\0', may_be_bare = !is_bare && row->type != SETTING_CHOICE && row->choices;
    snprintf(text, SETTING_TEXT_MAX, "--%s%s%s%s%s", row->name, may_be_bare ? "[" : "", is_bare ? "" : "=", argument,
             may_be_bare ? "]" : "");
    return text;
}

/* The allowed values; nothing for strings and flags, which need no explanation. */
static const char *allowed(const struct setting *row, char text[SETTING_TEXT_MAX])
{
    text[0] = '\0';
    if (row->type != SETTING_STRING && row->type != SETTING_BOOL)
        setting_allowed(row, text);
    return text;
}

static const char *default_text(const struct setting *row)
{
    if (!row->default_text || (row->type == SETTING_BOOL && strcmp(row->default_text, "false") == 0))
        return "";
    return row->default_text;
}

/* Prints words up to PAGE_COLUMNS, continued at `indent`; `column` is where the cursor is. Ends the line. */
static void print_wrapped(const char *text, size_t indent, size_t column)
{
    bool is_first = true;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (!is_first && column + 1 + length > PAGE_COLUMNS) {
            printf("\n%*s", (int)indent, "");
            column = indent;
        } else if (!is_first) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)length, text);
        column += length;
        is_first = false;
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_row(const struct setting *row)
{
    char left[SETTING_TEXT_MAX], bounds[SETTING_TEXT_MAX], text[ROW_TEXT_MAX];
    spelling(row, left);
    allowed(row, bounds);
    const char *value = default_text(row);
    bool has_note = *bounds || *value;
    snprintf(text, sizeof text, "%s%s%s%s%s%s%s", row->help ? row->help : "", has_note ? " (" : "", bounds,
             *bounds && *value ? "; " : "", *value ? "default " : "", value, has_note ? ")" : "");
    if (strlen(left) + 2 < TEXT_COLUMN)
        printf("  %-*s", TEXT_COLUMN - 2, left);
    else
        printf("  %s\n%*s", left, TEXT_COLUMN, "");
    print_wrapped(text, TEXT_COLUMN, TEXT_COLUMN);
}

/* '|' ends a cell of a table. */
static void print_cell(const char *text)
{
    putchar(' ');
    for (; *text; text++) {
        if (*text == '|')
            putchar('\\');
        putchar(*text == '\n' ? ' ' : *text);
    }
    fputs(" |", stdout);
}

static void print_markdown_row(const struct setting *row)
{
    char left[SETTING_TEXT_MAX], quoted[SETTING_TEXT_MAX + 2], bounds[SETTING_TEXT_MAX];
    putchar('|');
    snprintf(quoted, sizeof quoted, "`%s`", spelling(row, left));
    print_cell(quoted);
    print_cell(row->help ? row->help : "");
    print_cell(allowed(row, bounds));
    const char *value = default_text(row);
    snprintf(quoted, sizeof quoted, "`%.*s`", SETTING_TEXT_MAX - 3, value);
    print_cell(*value ? quoted : "");
    putchar('\n');
}

static void print_title(const char *title, bool markdown)
{
    if (markdown)
        printf("\n**%s**\n\n| option | meaning | allowed | default |\n|---|---|---|---|\n", title);
    else
        printf("\n%s:\n", title);
}

static const char *title_before(const struct program *program, const char *name)
{
    for (const struct options_group *group = program->groups; group && group->title; group++)
        if (strcmp(group->first, name) == 0)
            return group->title;
    return NULL;
}

static void print_rows(const struct program *program, bool markdown)
{
    for (size_t i = 0; i < program->table.count; i++) {
        const struct setting *row = &program->table.rows[i];
        const char *title = title_before(program, row->name);
        if (!title && i == 0)
            title = "Options";
        if (title)
            print_title(title, markdown);
        if (markdown)
            print_markdown_row(row);
        else
            print_row(row);
    }
    print_title("Every program", markdown);
    for (size_t i = 0; i < options_common_table.count; i++) {
        if (markdown)
            print_markdown_row(&options_common_table.rows[i]);
        else
            print_row(&options_common_table.rows[i]);
    }
}

static void print_examples(const char *examples)
{
    for (const char *line = examples; *line;) {
        size_t length = strcspn(line, "\n");
        printf("  %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

void options_print_help(const struct program *program, bool markdown)
{
    const char *usage = program->usage ? program->usage : "";
    const char *space = *usage ? " " : "";
    if (markdown) {
        printf("## %s\n\n%s\n\n```\n%s%s%s\n```\n", program->name, program->summary, program->name, space, usage);
        print_rows(program, markdown);
        if (program->examples)
            printf("\n**Examples**\n\n```\n%s```\n", program->examples);
        return;
    }
    printf("%s %s: ", program->name, drumline_version());
    print_wrapped(program->summary, 4, strlen(program->name) + strlen(drumline_version()) + 3);
    size_t indent = strlen("usage: ") + strlen(program->name) + 1;
    printf("\nusage: %s%s", program->name, space);
    print_wrapped(usage, indent, indent);
    print_rows(program, markdown);
    if (program->examples) {
        printf("\nExamples:\n");
        print_examples(program->examples);
    }
    printf("\nExit status: 0 done, 1 failed, %d wrong usage%s.\n'-' and '_' are the same in an option's name.\n",
           EXIT_USAGE, program->other_statuses ? program->other_statuses : "");
}
