#include "programs/train/halting.h"

#include "dist/halt.h"

#include <signal.h>
#include <stddef.h>

void halting_vote(double votes[NUM_HALTING_VOTES], bool time_is_up)
{
    int number = halt_requested();
    votes[HALTING_TERM] = number == SIGTERM;
    votes[HALTING_INT] = number == SIGINT;
    votes[HALTING_USR1] = number == SIGUSR1;
    votes[HALTING_TIME_UP] = time_is_up;
}

const char *halting_reason(const double votes[NUM_HALTING_VOTES], const struct deadline *deadline)
{
    return votes[HALTING_TERM] > 0      ? "SIGTERM"
           : votes[HALTING_INT] > 0     ? "SIGINT"
           : votes[HALTING_USR1] > 0    ? "SIGUSR1"
           : votes[HALTING_TIME_UP] > 0 ? deadline_reason(deadline)
                                        : NULL;
}
