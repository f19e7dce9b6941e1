#include "programs/info/hparams_page.h"

#include "model/vae/hparams.h"

#include <stdio.h>

enum { NAME_COLUMNS = 24, VALUE_COLUMNS = 12 };

static const char *default_of(const struct setting *row)
{
    if (row->default_text)
        return row->default_text;
    return row->type == SETTING_INT_LIST ? "[]" : "";
}

static void print_hparams(bool markdown)
{
    if (markdown)
        printf("| hparam | default | meaning | allowed |\n|---|---|---|---|\n");
    else
        printf("Hparams (--hparams=name=value,name=[value,value],...):\n");
    for (size_t i = 0; i < hparams_table.count; i++) {
        const struct setting *row = &hparams_table.rows[i];
        char allowed[SETTING_TEXT_MAX];
        setting_allowed(row, allowed);
        if (markdown)
            printf("| `%s` | `%s` | %s | %s |\n", row->name, default_of(row), row->help, allowed);
        else
            printf("  %-*s%-*s%s\n%*s(%s)\n", NAME_COLUMNS, row->name, VALUE_COLUMNS, default_of(row), row->help,
                   2 + NAME_COLUMNS + VALUE_COLUMNS, "", allowed);
    }
}

static void print_configs(bool markdown)
{
    if (markdown)
        printf("\n| config | is | hparams of its own |\n|---|---|---|\n");
    else
        printf("\nConfigs (--config=NAME):\n");
    for (size_t i = 0; i < config_count; i++) {
        const struct config *config = &config_table[i];
        bool any = config->hparams[0] != '\0';
        if (markdown)
            printf("| `%s` | %s | %s%s%s |\n", config->name, config->help, any ? "`" : "", config->hparams,
                   any ? "`" : "");
        else
            printf("  %s\n      %s%s%s\n", config->name, config->help, any ? "; " : "", config->hparams);
    }
}

void hparams_page_print(bool markdown)
{
    print_hparams(markdown);
    print_configs(markdown);
}
