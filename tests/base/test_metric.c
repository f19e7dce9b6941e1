/* The tables of representations and metrics: rows that are whole, sums that do not overlap, numbers that follow from them. */
#include "base/metric.h"
#include "tests/support/unit.h"

#include <math.h>
#include <string.h>

static void every_representation_is_whole(void **state)
{
    struct error error;
    (void)state;
    assert_true(representation_count > 0);
    assert_string_equal(representation_table[0].name, "groove");
    char choices[256] = "";
    for (size_t i = 0; i < representation_count; i++) {
        assert_ok(representation_check(&representation_table[i], &error), error);
        assert_ptr_equal(representation_find(representation_table[i].name, NULL), &representation_table[i]);
        snprintf(choices + strlen(choices), sizeof choices - strlen(choices), "%s%s", i > 0 ? "|" : "",
                 representation_table[i].name);
    }
    assert_string_equal(choices, representation_choices);
    assert_null(representation_find("opera", NULL));
    assert_fails(representation_find("opera", &error), error, "representation=opera: one of groove");
}

static void a_row_that_contradicts_itself(void **state)
{
    struct error error;
    (void)state;
    struct representation row = representation_table[0];
    row.depth++;
    assert_fails(representation_check(&row, &error), error, "27 columns for a depth of 28");
    row = representation_table[0];
    row.heads[2].gate = "velocities";
    assert_fails(representation_check(&row, &error), error, "the gate velocities of offsets");
    row = representation_table[0];
    row.heads[0].gate = "hits";
    assert_fails(representation_check(&row, &error), error, "the gate hits of hits");
    row = representation_table[0];
    row.heads[1].name = "hits";
    assert_fails(representation_check(&row, &error), error, "two heads are called hits");
    row = representation_table[0];
    row.heads[1].width = 0;
    assert_fails(representation_check(&row, &error), error, "head 1 lacks");
    row = representation_table[0];
    row.num_controls = 28;
    assert_fails(representation_check(&row, &error), error, "28 controls of 27");
    row = representation_table[0];
    row.steps_per_bar = 0;
    assert_fails(representation_check(&row, &error), error, "needs steps");
}

/* Sums that a metric reads. */
static int num_sums(const struct metric *metric)
{
    switch (metric->row->rule) {
    case METRIC_F1:
        return 3;
    case METRIC_TOTAL:
    case METRIC_MEAN:
        return 1;
    default:
        return 0;
    }
}

static void every_sum_belongs_to_one_metric(void **state)
{
    (void)state;
    for (size_t r = 0; r < representation_count; r++) {
        struct metric_set set;
        int readers[METRIC_MAX_SUMS] = {0};
        metric_set_make(&set, &representation_table[r]);
        readers[SUM_WINDOWS]++;
        for (int i = 0; i < set.count; i++) {
            for (int k = 0; k < num_sums(&set.metrics[i]); k++)
                readers[set.metrics[i].first_sum + k]++;
            for (int j = 0; j < i; j++)
                assert_string_not_equal(set.metrics[i].name, set.metrics[j].name);
            for (size_t old = 0; old < metric_count; old++)
                assert_true(!metric_table[old].old_name ||
                            strcmp(set.metrics[i].name, metric_table[old].old_name) != 0);
        }
        for (int i = 0; i < METRIC_MAX_SUMS; i++)
            assert_int_equal(readers[i], i < set.num_sums);
        for (int id = 0; id < NUM_METRIC_IDS; id++)
            assert_int_equal(set.metrics[set.place[id]].row->id, id);
    }
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12 * fabs(expected)))
        fail_msg("%.15g, not %.15g", value, expected);
}

/* Groove's sums by hand: 4 windows. */
static void numbers_follow_from_sums(void **state)
{
    struct metric_set set;
    struct metric_values values;
    double sums[METRIC_MAX_SUMS] = {0};
    (void)state;
    metric_set_make(&set, representation_find("groove", NULL));
    assert_int_equal(set.num_sums, 9);
    sums[SUM_WINDOWS] = 4;
    sums[SUM_KL] = 40;
    sums[SUM_KL_ABOVE_FREE] = 8;
    double *hits = sums + set.head_sums[0];
    hits[BERNOULLI_LOSS] = 100;
    hits[BERNOULLI_TRUE_POSITIVES] = 6;
    hits[BERNOULLI_FALSE_POSITIVES] = 3;
    hits[BERNOULLI_FALSE_NEGATIVES] = 1;
    sums[set.head_sums[1]] = 12;
    sums[set.head_sums[2]] = 2;
    metric_values_clear(&values);
    metric_compute(&values, &set, sums, 0.25);
    assert_near(metric_get(&values, &set, METRIC_LOSS), 25 + 3 + 0.5 + 0.25 * 2);
    assert_near(metric_get(&values, &set, METRIC_KL_BITS), 10 / log(2));
    assert_near(metric_get(&values, &set, METRIC_BETA), 0.25);
    assert_near(metric_get_named(&values, &set, "hits_loss"), 25);
    assert_near(metric_get_named(&values, &set, "velocities_loss"), 3);
    assert_near(metric_get_named(&values, &set, "offsets_loss"), 0.5);
    assert_near(metric_get_named(&values, &set, "hits_f1"), 12.0 / 16);
    assert_true(isnan(metric_get_named(&values, &set, "offsets_f1")));
    assert_true(isnan(metric_get(&values, &set, METRIC_GRAD_NORM)));
    metric_put(&values, &set, METRIC_GRAD_NORM, 7);
    assert_near(metric_get_named(&values, &set, "grad_norm"), 7);
    hits[BERNOULLI_TRUE_POSITIVES] = 0;
    metric_compute(&values, &set, sums, 0.25);
    assert_true(fabs(metric_get_named(&values, &set, "hits_f1")) <= 0);
    hits[BERNOULLI_LOSS] = (double)NAN;
    metric_compute(&values, &set, sums, 0.25);
    assert_true(isnan(metric_get(&values, &set, METRIC_LOSS)));
}

/* Only what is measured of a split is named after it. */
static void names_of_evaluations(void **state)
{
    static const char *const splits[][2] = {
        {"validation", "val_loss"  },
        {"test",       "test_loss" },
        {"train",      "train_loss"}
    };
    struct metric_set set;
    char key[METRIC_NAME_SIZE];
    (void)state;
    metric_set_make(&set, representation_find("groove", NULL));
    for (int i = 0; i < 3; i++) {
        metric_key(key, &set.metrics[set.place[METRIC_LOSS]], splits[i][0]);
        assert_string_equal(key, splits[i][1]);
    }
    metric_key(key, &set.metrics[set.place[METRIC_LOSS]], NULL);
    assert_string_equal(key, "loss");
    metric_key(key, &set.metrics[set.place[METRIC_BETA]], "validation");
    assert_string_equal(key, "beta");
}

static void numbers_in_the_log(void **state)
{
    char text[METRIC_TEXT_SIZE];
    const struct metric_row loss = {.style = 'f', .digits = 2}, rate = {.style = 'g', .digits = 3};
    (void)state;
    assert_string_equal(metric_format(text, &loss, 7.314), "7.31");
    assert_string_equal(metric_format(text, &loss, 1e300), "1e+300");
    assert_string_equal(metric_format(text, &loss, (double)NAN), "nan");
    assert_string_equal(metric_format(text, &rate, 0.00099871), "0.000999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_representation_is_whole),
        cmocka_unit_test(a_row_that_contradicts_itself),
        cmocka_unit_test(every_sum_belongs_to_one_metric),
        cmocka_unit_test(numbers_follow_from_sums),
        cmocka_unit_test(names_of_evaluations),
        cmocka_unit_test(numbers_in_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
