#include "programs/common/rank_options.h"

#include "base/log.h"

#include <string.h>

static enum options_result parse(const struct program *program, int argc, char **argv, void *values,
                                 bool (*check)(const void *values, struct error *error), struct error *error)
{
    enum options_result result = options_parse(program, argc, argv, values, NULL, NULL, error);
    if (result == OPTIONS_RUN && check && !check(values, error))
        result = OPTIONS_WRONG;
    return result;
}

static bool may_differ(const char *name, const char *const *own)
{
    for (; own && *own; own++)
        if (strcmp(*own, name) == 0)
            return true;
    return false;
}

/* Ranks with different options would wait for each other forever. Collective. */
static bool same_on_all_ranks(struct comm *comm, const struct settings_table *table, const void *values,
                              const char *const *own, struct error *error)
{
    for (size_t i = 0; i < table->count; i++) {
        char text[SETTING_TEXT_MAX];
        const struct setting *row = &table->rows[i];
        setting_format(row, values, text);
        if (!may_differ(row->name, own) && !comm_all_equal(comm, text, strlen(text)))
            return error_set(error, "--%s is not the same on all ranks; start them all with the same command line",
                             row->name);
    }
    return true;
}

enum options_result rank_options_parse(struct comm *comm, const struct program *program, int argc, char **argv,
                                       void *values, bool (*check)(const void *values, struct error *error),
                                       const char *const *own)
{
    struct error error = {.message = ""};
    enum options_result result = OPTIONS_RUN;
    if (comm_rank(comm) == 0)
        result = parse(program, argc, argv, values, check, &error);
    comm_broadcast(comm, &result, sizeof result, 0);
    if (result == OPTIONS_RUN) {
        bool ok = comm_rank(comm) == 0 || parse(program, argc, argv, values, check, &error) == OPTIONS_RUN;
        if (!comm_all_ok(comm, ok, &error) || !same_on_all_ranks(comm, &program->table, values, own, &error))
            result = OPTIONS_WRONG;
    }
    if (result == OPTIONS_WRONG && comm_rank(comm) == 0)
        log_job_error("%s (see %s --help)", error.message, program->name);
    if (result == OPTIONS_FAILED)
        log_job_error("%s", error.message);
    return result;
}
