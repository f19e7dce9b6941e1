#include "programs/train/deadline.h"

#include "base/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double margin = 1.5; /* on all that was measured */
static const double spare = 10;   /* seconds for what follows the program */

/* Digits alone, few enough for any date. */
static bool parse_unix_seconds(double *seconds, const char *text)
{
    enum { MOST_DIGITS = 12 };
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > MOST_DIGITS || text[length] != '\0')
        return false;
    *seconds = strtod(text, NULL);
    return true;
}

static bool is_word(const char *flag)
{
    return strcmp(flag, "auto") == 0 || strcmp(flag, "none") == 0;
}

bool deadline_check_flag(const char *flag, struct error *error)
{
    double seconds;
    return is_word(flag) || parse_unix_seconds(&seconds, flag) ||
           error_set(error,
                     "--deadline=%.60s: auto, none, or seconds since 1970 are allowed (date -d 'tomorrow 8:00' +%%s)",
                     flag);
}

static void take_earlier(struct deadline *deadline, enum deadline_source source, double end)
{
    if (end < deadline->end)
        *deadline = (struct deadline){.source = source, .end = end};
}

static double clock_before(double unix_seconds, const struct deadline_wishes *wishes)
{
    return wishes->clock_now + (unix_seconds - wishes->unix_now) - spare;
}

static void take_slurm_end(struct deadline *deadline, const struct deadline_wishes *wishes)
{
    double end;
    if (!parse_unix_seconds(&end, wishes->slurm_end))
        log_warning("SLURM_JOB_END_TIME=%.60s is no number of seconds since 1970, so it is ignored", wishes->slurm_end);
    else if (end <= wishes->unix_now)
        log_warning("SLURM_JOB_END_TIME=%.0f is over already, so it is ignored", end);
    else
        take_earlier(deadline, DEADLINE_SLURM, clock_before(end, wishes));
}

bool deadline_make(struct deadline *deadline, const struct deadline_wishes *wishes, struct error *error)
{
    double end;
    *deadline = (struct deadline){.source = DEADLINE_NONE, .end = INFINITY};
    if (!deadline_check_flag(wishes->flag, error))
        return false;
    if (wishes->max_seconds > 0)
        take_earlier(deadline, DEADLINE_MAX_SECONDS, wishes->started + wishes->max_seconds);
    if (strcmp(wishes->flag, "auto") == 0 && wishes->slurm_end && wishes->slurm_end[0])
        take_slurm_end(deadline, wishes);
    if (!parse_unix_seconds(&end, wishes->flag))
        return true;
    if (end <= wishes->unix_now)
        return error_set(error, "--deadline=%.0f is over already (now is %.0f); give a later one, or none", end,
                         wishes->unix_now);
    take_earlier(deadline, DEADLINE_FLAG, clock_before(end, wishes));
    return true;
}

bool deadline_is_near(const struct deadline *deadline, const struct deadline_costs *costs, double clock_now)
{
    double needed = margin * (costs->step + costs->evaluations + 2 * costs->write);
    return !(needed < deadline_seconds_left(deadline, clock_now));
}

double deadline_seconds_left(const struct deadline *deadline, double clock_now)
{
    return deadline->end - clock_now;
}

const char *deadline_reason(const struct deadline *deadline)
{
    static const char *const reasons[] = {"", "--max_seconds", "--deadline", "SLURM_JOB_END_TIME"};
    return reasons[deadline->source];
}
