/* Metrics: one table says what is measured of a model and of its training, what it is called, and how it is computed from sums
 * over windows and ranks. The log, metrics.jsonl, checkpoints, evaluation, drumline-info and the vector that ranks sum all
 * follow from it.
 *
 * Ranks return sums and never means. The layout of the vector of sums follows from a representation: first enum metric_sum,
 * then each head's own, of which the first is its loss. */
#ifndef DRUMLINE_BASE_METRIC_H
#define DRUMLINE_BASE_METRIC_H

#include "base/representation.h"

enum {
    METRIC_NAME_SIZE = 48,
    METRIC_MAX = 40,      /* metrics of one representation */
    METRIC_MAX_SUMS = 40, /* sums of one representation */
};

/* Sums that every model has. */
enum metric_sum {
    SUM_WINDOWS,       /* how many */
    SUM_KL_ABOVE_FREE, /* max(0, KL - free nats) */
    SUM_KL,            /* nats */
    NUM_COMMON_SUMS    /* here the heads' begin */
};

/* Where a Bernoulli head's sums lie, counted from its first. */
enum bernoulli_sum {
    BERNOULLI_LOSS,           /* cross entropy, nats */
    BERNOULLI_TRUE_POSITIVES, /* predicted (probability above 1/2, teacher forcing) and in the target */
    BERNOULLI_FALSE_POSITIVES,
    BERNOULLI_FALSE_NEGATIVES,
};

enum metric_rule {
    METRIC_TOTAL, /* the heads' losses a window + beta * (KL above the free bits a window) */
    METRIC_MEAN,  /* the sum / windows / divisor */
    METRIC_F1,    /* of three sums: 2 TP / (2 TP + FP + FN), 0 where TP is 0 */
    METRIC_GAUGE, /* a number of the job or of one step, not summed */
    METRIC_COUNT, /* the same, an integer */
};

/* Metrics that do not belong to a head. */
enum metric_id {
    METRIC_LOSS,
    METRIC_KL_BITS,
    METRIC_BETA,
    METRIC_LEARNING_RATE,
    METRIC_GRAD_NORM,
    METRIC_WINDOWS_PER_SECOND,
    METRIC_STEP_TIME,
    METRIC_WAIT_SHARE,
    METRIC_SECONDS_LEFT,
    METRIC_EPOCH,
    METRIC_SKIPPED_STEPS,
    NUM_METRIC_IDS,
    METRIC_OF_HEAD = -1
};

/* Where a metric is found. */
enum metric_place {
    METRIC_IN_TRAINING = 1,   /* lines of training */
    METRIC_IN_EVALUATION = 2, /* lines of evaluation */
    METRIC_IN_LOG = 4,        /* besides, in both kinds' lines of the log */
    METRIC_IN_CHECKPOINT = 8, /* the last validation's, in checkpoints */
};

struct metric_row {
    const char *name;     /* of a head's metric: what follows the head's name and '_' */
    const char *old_name; /* what the first version called it in metrics.jsonl, where that differs; else NULL */
    const char *unit;     /* "nats", "" */
    const char *head;     /* NULL: of no head; "*": of each head; else of heads of this kind */
    enum metric_rule rule;
    int id;  /* enum metric_id */
    int sum; /* METRIC_TOTAL, METRIC_MEAN, METRIC_F1: the first sum; of a head's metric, counted from the head's first */
    double divisor; /* METRIC_MEAN */
    unsigned places;
    char style; /* in the log: 'f', decimals; 'g', significant digits */
    int digits;
    const char *heading; /* of drumline-info's column; NULL: no column; "*": the head's name */
};

extern const struct metric_row metric_table[];
extern const size_t metric_count;

/* The metrics of one representation, in the order of the table. */
struct metric {
    char name[METRIC_NAME_SIZE]; /* "hits_loss" */
    const struct metric_row *row;
    int head;      /* -1: none */
    int first_sum; /* in the vector of sums */
};

struct metric_set {
    const struct representation *representation;
    struct metric metrics[METRIC_MAX];
    int count;
    int place[NUM_METRIC_IDS];               /* numbers of the metrics that belong to no head */
    int head_sums[REPRESENTATION_MAX_HEADS]; /* where each head's sums begin */
    int num_sums;                            /* length of the vector that ranks sum */
};

void metric_set_make(struct metric_set *set, const struct representation *representation);

/* Of one time: a number for each metric of a set, NaN where it does not apply. */
struct metric_values {
    double values[METRIC_MAX];
};

void metric_values_clear(struct metric_values *values);
void metric_put(struct metric_values *values, const struct metric_set *set, enum metric_id id, double value);
double metric_get(const struct metric_values *values, const struct metric_set *set, enum metric_id id);

/* By name, say "hits_f1"; NaN where there is no such metric. */
double metric_get_named(const struct metric_values *values, const struct metric_set *set, const char *name);

/* Puts all metrics that follow from sums [num_sums], and beta. */
void metric_compute(struct metric_values *values, const struct metric_set *set, const double *sums, double beta);

/* What stands before the names in an evaluation of that split: "val_" of validation, "test_", "train_"; "" of no split (NULL),
 * which is training itself. Gauges have no prefix. */
const char *metric_prefix(const char *split);
void metric_key(char key[METRIC_NAME_SIZE], const struct metric *metric, const char *split);

/* The number in a line of the log: "7.31". Returns text. */
enum { METRIC_TEXT_SIZE = 64 };
const char *metric_format(char text[METRIC_TEXT_SIZE], const struct metric_row *row, double value);

#endif
