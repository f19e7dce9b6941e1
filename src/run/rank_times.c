#include "run/rank_times.h"

#include "base/array.h"
#include "base/io/atomic_file.h"
#include "base/io/files.h"
#include "base/text.h"
#include "run/json_members.h"
#include "run/run_folder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 28 };

double rank_times_worked(const struct rank_times *times, size_t rank)
{
    double seconds = 0;
    for (int i = 0; i < times->num_phases; i++)
        seconds += i == times->waiting ? 0 : times->ranks[rank].seconds[i];
    return seconds;
}

/* The lower median of values [count], which are sorted. */
static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return values[(count - 1) / 2];
}

void rank_times_find_slowest(struct slowest_rank *slowest, const struct rank_times *times, double *scratch)
{
    double all = 0, most = -1;
    *slowest = (struct slowest_rank){0};
    for (size_t i = 0; i < times->num_ranks; i++) {
        scratch[i] = rank_times_worked(times, i);
        if (scratch[i] > rank_times_worked(times, slowest->rank))
            slowest->rank = i;
    }
    slowest->longer = rank_times_worked(times, slowest->rank) - median(scratch, times->num_ranks);
    for (int phase = 0; phase < times->num_phases; phase++) {
        double own = times->ranks[slowest->rank].seconds[phase];
        for (size_t i = 0; i < times->num_ranks; i++)
            scratch[i] = times->ranks[i].seconds[phase];
        double more = own - median(scratch, times->num_ranks);
        all += own;
        if (phase != times->waiting && more > most) {
            most = more;
            slowest->phase = phase;
        }
    }
    slowest->share = all > 0 ? slowest->longer / all : 0;
}

static json_t *json_of_rank(const struct rank_time *rank, int num_phases)
{
    json_t *object = json_object(), *seconds = json_array();
    for (int i = 0; i < num_phases; i++)
        json_array_append_new(seconds, json_real(round(1e6 * rank->seconds[i]) / 1e6));
    json_object_set_new(object, "host", json_clean_text(rank->host));
    json_object_set_new(object, "seconds", seconds);
    return object;
}

bool rank_times_write(const char *folder, const struct rank_times *times, struct error *error)
{
    json_t *object = json_object(), *phases = json_array(), *ranks = json_array();
    for (int i = 0; i < times->num_phases; i++)
        json_array_append_new(phases, json_string(times->phases[i]));
    for (size_t i = 0; i < times->num_ranks; i++)
        json_array_append_new(ranks, json_of_rank(&times->ranks[i], times->num_phases));
    json_object_set_new(object, "from_step", json_integer((json_int_t)times->from_step));
    json_object_set_new(object, "step", json_integer((json_int_t)times->step));
    json_object_set_new(object, "phases", phases);
    json_object_set_new(object, "waiting", json_string(times->phases[times->waiting]));
    json_object_set_new(object, "ranks", ranks);
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(12)), *path = path_join(folder, RUN_RANKS_NAME);
    bool ok = text ? atomic_file_write(path, text, strlen(text), error)
                   : error_set_no_memory(error, "%s: out of memory", path);
    json_decref(object);
    free(text);
    free(path);
    return ok;
}

static bool take_phases(struct rank_times *times, const json_t *object)
{
    size_t i;
    json_t *name;
    const json_t *phases = json_object_get(object, "phases");
    if (json_array_size(phases) == 0 || json_array_size(phases) > RANK_TIMES_MAX_PHASES)
        return false;
    times->num_phases = (int)json_array_size(phases);
    times->waiting = -1;
    json_array_foreach(phases, i, name)
    {
        json_t *clean = json_clean_text(json_is_string(name) ? json_string_value(name) : "");
        snprintf(times->phases[i], RANK_TIMES_NAME_SIZE, "%s", json_string_value(clean));
        text_make_printable(times->phases[i]); /* where it was cut */
        json_decref(clean);
        if (strcmp(times->phases[i], member_string(object, "waiting")) == 0)
            times->waiting = (int)i;
    }
    return times->waiting >= 0;
}

static bool take_rank(struct rank_time *rank, const json_t *object, int num_phases)
{
    size_t i;
    json_t *value;
    const json_t *seconds = json_object_get(object, "seconds");
    if (json_array_size(seconds) != (size_t)num_phases)
        return false;
    snprintf(rank->host, sizeof rank->host, "%s", member_string(object, "host"));
    text_make_printable(rank->host);
    json_array_foreach(seconds, i, value)
    {
        rank->seconds[i] = json_number_value(value);
        if (!json_is_number(value) || !(rank->seconds[i] >= 0 && rank->seconds[i] < 1e12))
            return false;
    }
    return true;
}

static bool take(struct rank_times *times, const json_t *object, struct error *error)
{
    size_t i;
    json_t *rank;
    const json_t *ranks = json_object_get(object, "ranks");
    if (!take_phases(times, object) || json_array_size(ranks) == 0 || json_array_size(ranks) > RANK_TIMES_MAX_RANKS)
        return error_set(error, "does not hold times of ranks");
    times->from_step = (uint64_t)member_step(object, "from_step");
    times->step = (uint64_t)member_step(object, "step");
    times->num_ranks = json_array_size(ranks);
    times->ranks = calloc(times->num_ranks, sizeof *times->ranks);
    if (!times->ranks)
        return error_set_no_memory(error, "out of memory for %zu ranks", times->num_ranks);
    json_array_foreach(ranks, i, rank)
    {
        if (!take_rank(&times->ranks[i], rank, times->num_phases))
            return error_set(error, "rank %zu has no times by phase", i);
    }
    return true;
}

bool rank_times_read(struct rank_times *times, const char *folder, struct error *error)
{
    *times = (struct rank_times){0};
    char *path = path_join(folder, RUN_RANKS_NAME);
    uint8_t *bytes = NULL;
    size_t size;
    bool ok = true;
    if (file_exists(path) && (ok = file_read(&bytes, &size, path, MOST_BYTES, error))) {
        json_t *object = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
        ok = object ? take(times, object, error) : error_set(error, "is no JSON");
        json_decref(object);
        if (!ok) {
            rank_times_free(times);
            error_prefix(error, "%s", path);
        }
    }
    free(bytes);
    free(path);
    return ok;
}

void rank_times_free(struct rank_times *times)
{
    free(times->ranks);
    *times = (struct rank_times){0};
}
