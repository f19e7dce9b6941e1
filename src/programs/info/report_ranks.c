/* Where the time went, by rank: a bar for each, made of the phases that it spent it in. */
#include "base/text.h"
#include "programs/info/report_pages.h"
#include "programs/info/report_text.h"
#include "run/rank_times.h"
#include "run/run_folder.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUM_GROUPS = 8, MOST_SHOWN = 32, MOST_LEAST_BUSY = 8 };

/* Phases that have one colour. Those that wait are faint and come last, so that what is worked is seen from the left. */
enum group { DATA, FORWARD, BACKWARD, OPTIMIZER, CHECKPOINT, EVALUATION, OTHER, WAITING };
static const char *const group_names[NUM_GROUPS] = {"data",       "forward",    "backward", "optimizer",
                                                    "checkpoint", "evaluation", "other",    "waiting for other ranks"};
static const char *const colours[NUM_GROUPS] = {"--s5", "--s0", "--s3", "--s2", "--s1", "--s6", "--s4", "--line"};

static enum group group_of(const struct rank_times *times, int phase)
{
    static const struct {
        const char *name;
        enum group group;
    } groups[] = {
        {"data",             DATA      },
        {"noise",            DATA      },
        {"encoder forward",  FORWARD   },
        {"decoder forward",  FORWARD   },
        {"loss",             FORWARD   },
        {"decoder backward", BACKWARD  },
        {"encoder backward", BACKWARD  },
        {"optimizer",        OPTIMIZER },
        {"checkpoint",       CHECKPOINT},
        {"evaluation",       EVALUATION},
    };
    if (phase == times->waiting)
        return WAITING;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(groups[i].name, times->phases[phase]) == 0)
            return groups[i].group;
    return OTHER;
}

static void sum_groups(double sums[NUM_GROUPS], const struct rank_times *times, size_t rank)
{
    memset(sums, 0, NUM_GROUPS * sizeof *sums);
    for (int phase = 0; phase < times->num_phases; phase++)
        sums[group_of(times, phase)] += times->ranks[rank].seconds[phase];
}

static double total(const struct rank_times *times, size_t rank)
{
    return rank_times_worked(times, rank) + times->ranks[rank].seconds[times->waiting];
}

static void put_legend(FILE *out, const struct rank_times *times)
{
    double all[NUM_GROUPS] = {0}, sums[NUM_GROUPS];
    for (size_t rank = 0; rank < times->num_ranks; rank++) {
        sum_groups(sums, times, rank);
        for (int group = 0; group < NUM_GROUPS; group++)
            all[group] += sums[group];
    }
    fprintf(out, "<span class=\"legend\">");
    for (int group = 0; group < NUM_GROUPS; group++)
        if (all[group] > 0)
            fprintf(out, "<span style=\"--colour: var(%s)\">%s</span> ", colours[group], group_names[group]);
    fprintf(out, "</span>");
}

static void put_rank(FILE *out, const struct rank_times *times, size_t rank, double longest)
{
    double sums[NUM_GROUPS];
    sum_groups(sums, times, rank);
    fprintf(out, "<tr><th>%zu ", rank);
    report_put_text(out, times->ranks[rank].host);
    fprintf(out, "<td><div class=\"stack\">");
    for (int group = 0; group < NUM_GROUPS; group++)
        if (sums[group] > 0)
            fprintf(out, "<i style=\"width: %.2f%%; --colour: var(%s)\" title=\"%s: %.3g s, %.1f %%\"></i>",
                    100 * sums[group] / longest, colours[group], group_names[group], sums[group],
                    100 * sums[group] / total(times, rank));
    fprintf(out, "</div><td class=\"number\">%.3g s<td class=\"number\">%.1f %%</tr>\n", rank_times_worked(times, rank),
            total(times, rank) > 0 ? 100 * rank_times_worked(times, rank) / total(times, rank) : 0);
}

struct place {
    size_t rank;
    double worked;
};

/* The busiest first. */
static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->worked > b->worked || a->worked < b->worked)
        return a->worked > b->worked ? -1 : 1;
    return (a->rank > b->rank) - (a->rank < b->rank);
}

/* All, in their order; of more than can be seen, the busiest and the least busy. */
static void put_ranks(FILE *out, const struct rank_times *times, struct place *places)
{
    double longest = 0;
    bool all = times->num_ranks <= MOST_SHOWN;
    for (size_t i = 0; i < times->num_ranks; i++) {
        places[i] = (struct place){i, rank_times_worked(times, i)};
        longest = fmax(longest, total(times, i));
    }
    if (!all)
        qsort(places, times->num_ranks, sizeof *places, compare_places);
    for (size_t i = 0; longest > 0 && i < times->num_ranks; i++) {
        if (!all && i == MOST_SHOWN - MOST_LEAST_BUSY) {
            i = times->num_ranks - MOST_LEAST_BUSY;
            fprintf(out, "<tr><th>...<td><td><td></tr>\n");
        }
        put_rank(out, times, places[i].rank, longest);
    }
}

static void put_slowest(FILE *out, const struct rank_times *times, double *scratch)
{
    struct slowest_rank slowest;
    rank_times_find_slowest(&slowest, times, scratch);
    fprintf(out, "<p>%s: rank %zu (",
            slowest.share < RANK_TIMES_SLOW_SHARE ? "No rank is slow; the busiest" : "Slowest", slowest.rank);
    report_put_text(out, times->ranks[slowest.rank].host);
    fprintf(out, "), which worked %.3g s longer than the median rank, %.1f %% of the time, mostly in ", slowest.longer,
            100 * slowest.share);
    report_put_text(out, times->phases[slowest.phase]);
    fprintf(out, ".</p>\n");
}

void report_put_ranks(FILE *out, const char *run_dir)
{
    struct rank_times times;
    struct error damage;
    char *folder = run_train_folder(run_dir);
    bool found = rank_times_read(&times, folder, &damage);
    double *scratch = found && times.num_ranks > 0 ? calloc(times.num_ranks, sizeof *scratch) : NULL;
    struct place *places = scratch ? calloc(times.num_ranks, sizeof *places) : NULL;
    free(folder);
    if (places) {
        fprintf(out, "<h2>Time by rank</h2>\n");
        if (times.num_ranks > 1)
            put_slowest(out, &times, scratch);
        fprintf(out,
                "<p class=\"faint\">From step %" PRIu64 " to %" PRIu64
                ", in the newest session. At the right: seconds worked, and their share of all.</p>\n"
                "<figure aria-label=\"Time by rank\"><figcaption>%zu rank%s%s",
                times.from_step, times.step, times.num_ranks, PLURAL(times.num_ranks),
                times.num_ranks > MOST_SHOWN ? ": the busiest and the least busy" : "");
        put_legend(out, &times);
        fprintf(out, "</figcaption>\n<table class=\"bars\">\n");
        put_ranks(out, &times, places);
        fprintf(out, "</table></figure>\n");
    }
    free(places);
    free(scratch);
    rank_times_free(&times);
}
