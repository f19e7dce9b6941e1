#include "base/metric.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NATS_PER_BIT 0.69314718055994530942

enum {
    TRAINING = METRIC_IN_TRAINING,
    LOGGED_TRAINING = METRIC_IN_TRAINING | METRIC_IN_LOG,
    BOTH = METRIC_IN_TRAINING | METRIC_IN_EVALUATION,
    EVERYWHERE = BOTH | METRIC_IN_LOG | METRIC_IN_CHECKPOINT,
};

/* In the order in which they are logged. */
const struct metric_row metric_table[] = {
    {"loss",               "total_loss",       "nats", NULL,           METRIC_TOTAL, METRIC_LOSS,               SUM_KL_ABOVE_FREE,        0,            EVERYWHERE,           'f', 2, "loss"   },
    {"loss",               NULL,               "nats", "*",            METRIC_MEAN,  METRIC_OF_HEAD,            BERNOULLI_LOSS,           1,            EVERYWHERE,           'f', 2, "*"      },
    {"kl_bits",            NULL,               "bits", NULL,           METRIC_MEAN,  METRIC_KL_BITS,            SUM_KL,                   NATS_PER_BIT, EVERYWHERE,           'f', 1, "KL bits"},
    {"f1",                 NULL,               "",     HEAD_BERNOULLI, METRIC_F1,    METRIC_OF_HEAD,            BERNOULLI_TRUE_POSITIVES, 0,            EVERYWHERE,           'f', 3, "F1"     },
    {"beta",               NULL,               "",     NULL,           METRIC_GAUGE, METRIC_BETA,               0,                        0,            BOTH | METRIC_IN_LOG, 'g', 3, NULL     },
    {"learning_rate",      NULL,               "",     NULL,           METRIC_GAUGE, METRIC_LEARNING_RATE,      0,                        0,            LOGGED_TRAINING,      'g', 3, NULL     },
    {"grad_norm",          "global_norm",      "",     NULL,           METRIC_GAUGE, METRIC_GRAD_NORM,          0,                        0,            LOGGED_TRAINING,      'g', 3, NULL     },
    {"windows_per_second", NULL,               "1/s",  NULL,           METRIC_GAUGE, METRIC_WINDOWS_PER_SECOND, 0,                        0,            LOGGED_TRAINING,      'f', 1,
     "win/s"                                                                                                                                                                                   },
    {"step_time",          "seconds_per_step", "s",    NULL,           METRIC_GAUGE, METRIC_STEP_TIME,          0,                        0,            TRAINING,             'g', 3, NULL     },
    {"wait_share",         NULL,               "",     NULL,           METRIC_GAUGE, METRIC_WAIT_SHARE,         0,                        0,            LOGGED_TRAINING,      'f', 2, "wait"   },
    {"seconds_left",       NULL,               "s",    NULL,           METRIC_GAUGE, METRIC_SECONDS_LEFT,       0,                        0,            TRAINING,             'f', 0, NULL     },
    {"epoch",              NULL,               "",     NULL,           METRIC_COUNT, METRIC_EPOCH,              0,                        0,            TRAINING,             'f', 0, NULL     },
    {"skipped_steps",      "skipped",          "",     NULL,           METRIC_COUNT, METRIC_SKIPPED_STEPS,      0,                        0,            TRAINING,             'f', 0, NULL     },
};
const size_t metric_count = sizeof metric_table / sizeof *metric_table;

/* Sums that a metric needs from row->sum on. */
static int sums_of_rule(enum metric_rule rule)
{
    return rule == METRIC_F1 ? 3 : rule == METRIC_TOTAL || rule == METRIC_MEAN ? 1 : 0;
}

static bool belongs(const struct metric_row *row, const struct representation_head *head)
{
    return row->head && (strcmp(row->head, "*") == 0 || strcmp(row->head, head->kind) == 0);
}

/* Each head's sums, one head after the other. */
static void lay_out_sums(struct metric_set *set)
{
    set->num_sums = NUM_COMMON_SUMS;
    for (int head = 0; head < set->representation->num_heads; head++) {
        int count = 0;
        for (size_t i = 0; i < metric_count; i++) {
            const struct metric_row *row = &metric_table[i];
            if (belongs(row, &set->representation->heads[head]) && row->sum + sums_of_rule(row->rule) > count)
                count = row->sum + sums_of_rule(row->rule);
        }
        set->head_sums[head] = set->num_sums;
        set->num_sums += count;
    }
    assert(set->num_sums <= METRIC_MAX_SUMS);
}

static struct metric *add(struct metric_set *set, const struct metric_row *row, int head, int first_sum)
{
    assert(set->count < METRIC_MAX);
    struct metric *metric = &set->metrics[set->count++];
    metric->row = row;
    metric->head = head;
    metric->first_sum = first_sum;
    return metric;
}

void metric_set_make(struct metric_set *set, const struct representation *representation)
{
    memset(set, 0, sizeof *set);
    set->representation = representation;
    lay_out_sums(set);
    for (size_t i = 0; i < metric_count; i++) {
        const struct metric_row *row = &metric_table[i];
        if (!row->head) {
            set->place[row->id] = set->count;
            snprintf(add(set, row, -1, row->sum)->name, METRIC_NAME_SIZE, "%s", row->name);
        }
        for (int head = 0; head < representation->num_heads; head++)
            if (belongs(row, &representation->heads[head]))
                snprintf(add(set, row, head, set->head_sums[head] + row->sum)->name, METRIC_NAME_SIZE, "%s_%s",
                         representation->heads[head].name, row->name);
    }
}

void metric_values_clear(struct metric_values *values)
{
    for (int i = 0; i < METRIC_MAX; i++)
        values->values[i] = (double)NAN;
}

void metric_put(struct metric_values *values, const struct metric_set *set, enum metric_id id, double value)
{
    values->values[set->place[id]] = value;
}

double metric_get(const struct metric_values *values, const struct metric_set *set, enum metric_id id)
{
    return values->values[set->place[id]];
}

double metric_get_named(const struct metric_values *values, const struct metric_set *set, const char *name)
{
    for (int i = 0; i < set->count; i++)
        if (strcmp(set->metrics[i].name, name) == 0)
            return values->values[i];
    return (double)NAN;
}

static double total_loss(const struct metric_set *set, const double *sums, double beta)
{
    double windows = sums[SUM_WINDOWS], loss = 0;
    for (int head = 0; head < set->representation->num_heads; head++)
        loss += sums[set->head_sums[head]] / windows;
    return loss + beta * sums[SUM_KL_ABOVE_FREE] / windows;
}

void metric_compute(struct metric_values *values, const struct metric_set *set, const double *sums, double beta)
{
    for (int i = 0; i < set->count; i++) {
        const struct metric *metric = &set->metrics[i];
        const double *sum = sums + metric->first_sum;
        switch (metric->row->rule) {
        case METRIC_TOTAL:
            values->values[i] = total_loss(set, sums, beta);
            break;
        case METRIC_MEAN:
            values->values[i] = *sum / sums[SUM_WINDOWS] / metric->row->divisor;
            break;
        case METRIC_F1:
            values->values[i] = sum[0] > 0 ? 2 * sum[0] / (2 * sum[0] + (sum[1] + sum[2])) : 0;
            break;
        case METRIC_GAUGE:
        case METRIC_COUNT:
            break;
        }
    }
    metric_put(values, set, METRIC_BETA, beta);
}

const char *metric_prefix(const char *split)
{
    if (!split)
        return "";
    return strcmp(split, "validation") == 0 ? "val_" : strcmp(split, "test") == 0 ? "test_" : "train_";
}

void metric_key(char key[METRIC_NAME_SIZE], const struct metric *metric, const char *split)
{
    bool summed = sums_of_rule(metric->row->rule) > 0;
    snprintf(key, METRIC_NAME_SIZE, "%s%.*s", summed ? metric_prefix(split) : "", METRIC_NAME_SIZE - 8, metric->name);
}

const char *metric_format(char text[METRIC_TEXT_SIZE], const struct metric_row *row, double value)
{
    bool fixed = row->style == 'f' && fabs(value) < 1e15;
    if (fixed)
        snprintf(text, METRIC_TEXT_SIZE, "%.*f", row->digits, value);
    else
        snprintf(text, METRIC_TEXT_SIZE, "%.*g", row->style == 'f' ? 6 : row->digits, value);
    return text;
}
