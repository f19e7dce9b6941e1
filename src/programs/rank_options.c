#include "programs/rank_options.h"

#include "base/log.h"

enum options_result rank_options_parse(struct comm *comm, const struct program *program, int argc, char **argv,
                                       void *values, bool (*check)(const void *values, struct error *error))
{
    struct error error;
    enum options_result result = OPTIONS_RUN;
    for (int turn = 0; turn < 2 && result == OPTIONS_RUN; turn++) {
        if ((comm_rank(comm) == 0) == (turn == 0)) {
            result = options_parse(program, argc, argv, values, NULL, NULL, &error);
            if (result == OPTIONS_RUN && check && !check(values, &error))
                result = OPTIONS_WRONG;
            if (result == OPTIONS_WRONG)
                log_error("%s", error.message);
        }
        comm_broadcast(comm, &result, sizeof result, 0);
    }
    return result;
}
