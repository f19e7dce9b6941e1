/* The command line of drumline-train: defaults, what must be given, and what does not go together. */
#include "programs/train/options.h"
#include "tests/support/unit.h"

#include <stdlib.h>

enum { MOST_WORDS = 8 };

/* Parses and checks the words. On success the caller frees *options. */
static bool parse(struct train_options *options, const struct config **config, const char *const *words,
                  struct error *error)
{
    char *argv[MOST_WORDS + 2] = {(char *)"drumline-train"};
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    *options = (struct train_options){0};
    if (options_parse(&train_program, argc, argv, options, NULL, NULL, error) == OPTIONS_RUN &&
        train_options_check(options, config, error))
        return true;
    settings_free(&train_program.table, options);
    return false;
}

static void defaults(void **state)
{
    (void)state;
    struct error error;
    struct train_options options;
    const struct config *config;
    const char *words[] = {"--config", "groovae_4bar_flat", "--examples-path=d", "--run_dir", "r", NULL};
    assert_ok(parse(&options, &config, words, &error), error);
    assert_string_equal(config->name, "groovae_4bar_flat");
    assert_string_equal(options.examples_path, "d");
    assert_string_equal(options.run_dir, "r");
    assert_int_equal(options.mode, MODE_TRAIN);
    assert_int_equal(options.seed, -1);
    assert_int_equal(options.checkpoints_to_keep, 10);
    assert_true(options.save_checkpoint_secs >= 600 && options.save_checkpoint_secs <= 600);
    assert_int_equal(options.log_steps, 10);
    assert_string_equal(options.eval_split, "validation");
    assert_null(options.hparams);
    settings_free(&train_program.table, &options);
}

static void evaluation_needs_less(void **state)
{
    (void)state;
    struct error error;
    struct train_options options;
    const struct config *config;
    const char *of_run[] = {"--mode=eval", "--examples_path=d", "--run_dir=r", NULL};
    assert_ok(parse(&options, &config, of_run, &error), error);
    assert_int_equal(options.mode, MODE_EVAL);
    assert_null(config);
    settings_free(&train_program.table, &options);
    const char *of_file[] = {"--mode=eval", "--examples_path=d", "--checkpoint_file=c.h5", "--eval_split=test", NULL};
    assert_ok(parse(&options, &config, of_file, &error), error);
    settings_free(&train_program.table, &options);
    const char *of_nothing[] = {"--mode=eval", "--examples_path=d", NULL};
    assert_fails(parse(&options, &config, of_nothing, &error), error, "--run_dir is missing");
}

static void wrong_ones_are_refused(void **state)
{
    (void)state;
    const struct {
        const char *word, *reason;
    } wrong[] = {
        {"--config=groovae_4bra",              "did you mean groovae_4bar"},
        {"--config=",                          "--config is missing"      },
        {"--num_steps=0",                      "--num_steps=0"            },
        {"--num_steps=4294967296",             "--num_steps=4294967296"   },
        {"--seed=-2",                          "--seed=-2"                },
        {"--seed=9007199254740994",            "--seed="                  },
        {"--log_steps=0",                      "--log_steps=0"            },
        {"--checkpoints_to_keep=0",            "--checkpoints_to_keep=0"  },
        {"--keep_checkpoint_every_n_hours=-1", "every_n_hours=-1"         },
        {"--save_checkpoint_secs=inf",         "--save_checkpoint_secs="  },
        {"--eval_split=all",                   "train, validation, test"  },
        {"--mode=training",                    "train, eval"              },
        {"--checkpoint_file=c.h5",             "--init_checkpoint"        },
        {"--micro_batch_size=65537",           "--micro_batch_size"       },
        {"--sample",                           "--sample"                 },
        {"stray",                              "'stray'"                  },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error;
        struct train_options options;
        const struct config *config;
        const char *words[] = {"--config=groovae_4bar", "--examples_path=d", "--run_dir=r", wrong[i].word, NULL};
        assert_fails(parse(&options, &config, words, &error), error, wrong[i].reason);
    }
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    const char *given[] = {"--config=groovae_4bar", "--examples_path=d", "--run_dir=r"};
    const char *missing[] = {"--config is missing", "--examples_path is missing", "--run_dir is missing"};
    for (int left_out = 0; left_out < 3; left_out++) {
        struct error error;
        struct train_options options;
        const struct config *config;
        const char *words[] = {given[(left_out + 1) % 3], given[(left_out + 2) % 3], NULL};
        assert_fails(parse(&options, &config, words, &error), error, missing[left_out]);
    }
}

/* A name that says another format than what would be written. */
static void export_to_a_misleading_name(void **state)
{
    (void)state;
    struct error error;
    struct train_options options;
    const struct config *config;
    const char *words[] = {"--mode=export", "--run_dir=r", "--output_file=m.safetensors", NULL, NULL};
    assert_fails(parse(&options, &config, words, &error), error, "give --format=safetensors");
    words[3] = "--format=safetensors";
    assert_ok(parse(&options, &config, words, &error), error);
    settings_free(&train_program.table, &options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(evaluation_needs_less),
        cmocka_unit_test(wrong_ones_are_refused),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(export_to_a_misleading_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
