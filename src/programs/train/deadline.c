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

static double clock_before(double unix_seconds, const struct deadline_limits *limits)
{
    return limits->clock_now + (unix_seconds - limits->unix_now) - spare;
}

static void take_slurm_end(struct deadline *deadline, const struct deadline_limits *limits)
{
    double end;
    if (!parse_unix_seconds(&end, limits->slurm_end))
        log_warning("SLURM_JOB_END_TIME=%.60s is not a number of seconds since 1970; ignored", limits->slurm_end);
    else if (end <= limits->unix_now)
        log_warning("SLURM_JOB_END_TIME=%.0f is in the past; ignored", end);
    else
        take_earlier(deadline, DEADLINE_SLURM, clock_before(end, limits));
}

bool deadline_make(struct deadline *deadline, const struct deadline_limits *limits, struct error *error)
{
    double end;
    *deadline = (struct deadline){.source = DEADLINE_NONE, .end = INFINITY};
    if (!deadline_check_flag(limits->flag, error))
        return false;
    if (limits->max_seconds > 0)
        take_earlier(deadline, DEADLINE_MAX_SECONDS, limits->started + limits->max_seconds);
    if (strcmp(limits->flag, "auto") == 0 && limits->slurm_end && limits->slurm_end[0])
        take_slurm_end(deadline, limits);
    if (!parse_unix_seconds(&end, limits->flag))
        return true;
    if (end <= limits->unix_now)
        return error_set(error, "--deadline=%.0f is in the past (now is %.0f); give a later one, or none", end,
                         limits->unix_now);
    take_earlier(deadline, DEADLINE_FLAG, clock_before(end, limits));
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
