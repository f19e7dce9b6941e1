/* The table of tensors, initial values, and what changes with the step. */
#include "tests/support/unit.h"

#include "model/optimizer/schedule.h"
#include "model/vae/parameters.h"

#include <math.h>
#include <stdlib.h>

static struct hparams make_hparams(const char *config, const char *changes)
{
    struct hparams hparams;
    struct error error;
    assert_ok(hparams_make(&hparams, config_find(config, NULL), changes, &error), error);
    return hparams;
}

static struct tensor_table make_table(const char *config, const char *changes)
{
    struct hparams hparams = make_hparams(config, changes);
    struct tensor_table table;
    struct error error;
    assert_ok(parameters_describe(&table, &hparams, &error), error);
    return table;
}

static void tensors_follow_one_another(void **state)
{
    (void)state;
    for (size_t config = 0; config < config_count; config++) {
        struct tensor_table table = make_table(config_table[config].name, "z_size=5,enc_rnn_size=[3,7]");
        size_t end = 0, values = 0;
        for (int i = 0; i < table.num_rows; i++) {
            const struct tensor *tensor = &table.rows[i];
            assert_int_equal(tensor->offset % TENSORS_ALIGNMENT, 0);
            assert_true(tensor->offset >= end && tensor->offset < end + TENSORS_ALIGNMENT);
            assert_int_equal(tensor->count, (size_t)tensor->rows * (size_t)tensor->columns);
            assert_ptr_equal(tensors_find(&table, "%s", tensor->name), tensor);
            end = tensor->offset + tensor->count;
            values += tensor->count;
        }
        assert_true(table.num_floats >= end && table.num_floats < end + TENSORS_ALIGNMENT);
        assert_int_equal(table.num_values, values);
        assert_string_equal(table.rows[0].name, "decoder/output/kernel");
        assert_string_equal(table.rows[table.num_rows - 1].name, "encoder/forward/layer_0/bias");
    }
}

/* Counted by hand from the shapes: encoder 2 (27 + 512) 2048 + 2 2048, mu and sigma 2 (1024 256 + 256), initial state
 * 256 1024 + 1024, decoder (27 + 256 + 256) 1024 + 1024 and (256 + 256) 1024 + 1024, output 256 27 + 27. The hierarchical
 * decoder adds the conductor: 256 1024 + 1024 and 512 1024 + 1024, and its initial state 256 1024 + 1024. */
static void published_sizes(void **state)
{
    (void)state;
    size_t encoder = 2 * (27 + 512) * 2048 + 2 * 2048, latent = 2 * (1024 * 256 + 256), start = 256 * 1024 + 1024;
    size_t decoder = 539 * 1024 + 1024 + 512 * 1024 + 1024, output = 256 * 27 + 27;
    size_t flat = encoder + latent + start + decoder + output;
    assert_int_equal(make_table("groovae_4bar_flat", NULL).num_values, flat);
    assert_int_equal(make_table("groovae_4bar", NULL).num_values, flat + start + start + 512 * 1024 + 1024);
}

static void tensors_that_are_too_large_are_refused(void **state)
{
    (void)state;
    struct hparams hparams =
        make_hparams("groovae_4bar", "enc_rnn_size=[16384],z_size=16384,dec_rnn_size=[16384,16384]");
    struct tensor_table table;
    struct error error;
    assert_fails(parameters_describe(&table, &hparams, &error), error, "more than one tensor can hold");
}

static double mean_square(const float *values, const struct tensor *tensor)
{
    double sum = 0;
    for (size_t k = 0; k < tensor->count; k++)
        sum += (double)values[tensor->offset + k] * (double)values[tensor->offset + k];
    return sum / (double)tensor->count;
}

static void check_initial(const float *values, const struct tensor *tensor)
{
    double square = mean_square(values, tensor), limit = sqrt(6.0 / (tensor->rows + tensor->columns));
    double spread = 6 / sqrt((double)tensor->count);
    switch (tensor->initial) {
    case INITIAL_ZERO:
        assert_true(square <= 0);
        break;
    case INITIAL_GLOROT_UNIFORM:
        for (size_t k = 0; k < tensor->count; k++)
            assert_true(fabs((double)values[tensor->offset + k]) <= limit * 1.000001);
        assert_true(fabs(square / (limit * limit / 3) - 1) < spread);
        break;
    case INITIAL_SMALL_NORMAL:
        assert_true(fabs(square / 1e-6 - 1) < spread);
        break;
    }
}

static void initial_values(void **state)
{
    (void)state;
    struct tensor_table table = make_table("groovae_4bar", "z_size=50,enc_rnn_size=[30,20],dec_rnn_size=[40,33]");
    size_t bytes = table.num_floats * sizeof(float), in_tensors = 0;
    float *values = malloc(bytes), *again = malloc(bytes);
    assert_true(values != NULL && again != NULL);
    memset(values, 0xff, bytes);
    tensors_initialize(values, &table, 3);
    for (int i = 0; i < table.num_rows; i++) {
        check_initial(values, &table.rows[i]);
        for (size_t k = 0; k < table.rows[i].count; k++)
            in_tensors += values[table.rows[i].offset + k] != 0.0f;
    }
    for (size_t k = 0; k < table.num_floats; k++)
        in_tensors -= values[k] != 0.0f;
    assert_int_equal(in_tensors, 0);
    tensors_initialize(again, &table, 3);
    assert_memory_equal(values, again, bytes);
    tensors_initialize(again, &table, 4);
    assert_memory_not_equal(values, again, bytes);
    free(values);
    free(again);
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12 * fmax(1, fabs(expected))))
        fail_msg("%.15g, not %.15g", value, expected);
}

static void schedules(void **state)
{
    (void)state;
    struct hparams hparams =
        make_hparams("groovae_4bar_flat", "learning_rate=0.1,min_learning_rate=0.02,decay_rate=0.5,"
                                          "max_beta=0.4,beta_rate=0.5");
    assert_near(schedule_learning_rate(&hparams, 1), 0.06);
    assert_near(schedule_learning_rate(&hparams, 2), 0.04);
    assert_near(schedule_learning_rate(&hparams, 4000000000u), 0.02);
    assert_near(schedule_beta(&hparams, 1), 0.2);
    assert_near(schedule_beta(&hparams, 2), 0.3);
    hparams = make_hparams("groovae_4bar_flat", NULL);
    assert_near(schedule_beta(&hparams, 1), 0.2);
    assert_near(schedule_learning_rate(&hparams, 1), 0.00099 * 0.9999 + 0.00001);
    assert_near(schedule_sampling_probability(&hparams, 9), 0);
    hparams =
        make_hparams("groovae_4bar_flat", "learning_rate=0.1,min_learning_rate=0.02,decay_rate=0.5,warmup_steps=4,"
                                          "learning_rate_scaling=sqrt,reference_batch_size=32");
    assert_near(schedule_learning_rate(&hparams, 1), 0.06 / 4 * 4);
    assert_near(schedule_learning_rate(&hparams, 3), 0.03 * 3 / 4 * 4);
    assert_near(schedule_learning_rate(&hparams, 4), 0.025 * 4);
    assert_near(schedule_learning_rate(&hparams, 5), 0.0225 * 4);
    hparams = make_hparams("groovae_4bar_flat", "decay_rate=1,learning_rate_scaling=linear,batch_size=128");
    assert_near(schedule_learning_rate(&hparams, 7), 0.001 / 4);
    hparams = make_hparams("groovae_4bar_flat", "decay_rate=1,reference_batch_size=7,warmup_steps=1");
    assert_near(schedule_learning_rate(&hparams, 1), 0.001);
    hparams = make_hparams("groovae_4bar_flat", "sampling_rate=0.25");
    assert_near(schedule_sampling_probability(&hparams, 9), 0.25);
    hparams = make_hparams("groovae_4bar_flat", "sampling_schedule=exponential,sampling_rate=0.5");
    assert_near(schedule_sampling_probability(&hparams, 3), 0.875);
    hparams = make_hparams("groovae_4bar_flat", "sampling_schedule=inverse_sigmoid,sampling_rate=10");
    assert_near(schedule_sampling_probability(&hparams, 20), 1 - 10 / (10 + exp(2)));
    assert_near(schedule_sampling_probability(&hparams, 4000000000u), 1);
}

static void hparams_are_refused_with_the_reason(void **state)
{
    (void)state;
    const struct {
        const char *changes, *reason;
    } wrong[] = {
        {"batch_sise=3",                                 "batch_size"                     },
        {"batch_size=0",                                 "batch_size"                     },
        {"z_size=1.5",                                   "z_size"                         },
        {"learning_rate=nan",                            "learning_rate"                  },
        {"enc_rnn_size=[]",                              "enc_rnn_size"                   },
        {"dec_rnn_size=[4,0]",                           "dec_rnn_size"                   },
        {"decoder=round",                                "hierarchical"                   },
        {"min_learning_rate=1",                          "min_learning_rate"              },
        {"sampling_rate=2",                              "sampling_rate"                  },
        {"sampling_schedule=inverse_sigmoid",            "sampling_rate"                  },
        {"dropout_keep_prob=0",                          "dropout_keep_prob"              },
        {"hits_as_controls=true,input_as_controls=true", "one of hits_as_controls"        },
        {"tempo_control=true",                           "needs hits_as_controls or input"},
        {"velocity_l1=-1",                               "velocity_l1"                    },
        {"prev_keep_prob=0.0001",                        "prev_keep_prob=0.0001"          },
        {"context_keep_prob=1.5",                        "context_keep_prob"              },
        {"augment_drop_class=2",                         "augment_drop_class"             },
        {"optimizer=lambda",                             "adam, lamb"                     },
        {"weight_decay=0.01",                            "optimizer=lamb"                 },
        {"hop_bars=5",                                   "hop_bars=5 is above bars=4"     },
        {"representation=opera",                         "representation"                 },
        {"batch_size=8,micro_batches=9",                 "micro_batches=9"                },
        {"warmup_steps=-1",                              "warmup_steps"                   },
        {"learning_rate_scaling=square",                 "sqrt, linear"                   },
        {"reference_batch_size=0",                       "reference_batch"                },
        {"batch_size",                                   "batch_size"                     },
    };
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++) {
        struct hparams hparams;
        struct error error;
        assert_fails(hparams_make(&hparams, config_find("groovae_4bar", NULL), wrong[n].changes, &error), error,
                     wrong[n].reason);
    }
    struct error error;
    assert_fails(config_find("groovae_4bars", &error), error, "did you mean groovae_4bar? (");
    assert_fails(config_find("x", &error), error, "--config=x: no such config (");
    assert_null(config_find("x", NULL));
}

static void the_same_model_is_known_by_its_shape(void **state)
{
    (void)state;
    struct hparams flat = make_hparams("groovae_4bar_flat", NULL),
                   other = make_hparams("groovae_4bar_flat", "batch_size=7,free_bits=1");
    struct error error;
    assert_ok(hparams_same_model(&flat, &other, &error), error);
    const char *changes[] = {"bars=2",   "decoder=hierarchical",  "enc_rnn_size=[512,512]", "dec_rnn_size=256",
                             "z_size=9", "hits_as_controls=true", "input_as_controls=true"};
    for (size_t n = 0; n < sizeof changes / sizeof *changes; n++) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(changes[n], "="), changes[n]);
        other = make_hparams("groovae_4bar_flat", changes[n]);
        assert_fails(hparams_same_model(&flat, &other, &error), error, name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_follow_one_another),
        cmocka_unit_test(published_sizes),
        cmocka_unit_test(tensors_that_are_too_large_are_refused),
        cmocka_unit_test(initial_values),
        cmocka_unit_test(schedules),
        cmocka_unit_test(hparams_are_refused_with_the_reason),
        cmocka_unit_test(the_same_model_is_known_by_its_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
