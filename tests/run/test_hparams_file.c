/* RUN/hparams.json: every hparam, by name and kind. */
#include "run/hparams_file.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

static const struct run_surroundings surroundings = {
    .version = "1.2",
    .mpi = "an MPI",
    .blas = "a BLAS",
    .processor = "one",
    .host = "node",
    .num_ranks = 3,
    .data_set = "data",
};

static void every_hparam_is_there(void **state)
{
    struct error error;
    struct checkpoint position = {.config = "groovae_4bar", .content_sha256 = "abc", .seed = 7};
    const struct config *config = config_find("groovae_4bar", &error);
    char *path = path_join(*state, RUN_HPARAMS_NAME);
    assert_non_null(config);
    assert_ok(hparams_make(&position.hparams, config, "batch_size=13,dec_rnn_size=[8,4]", &error), error);
    assert_ok(hparams_file_write(*state, &position, &surroundings, &error), error);
    position.seed = 8;
    assert_ok(hparams_file_write(*state, &position, &surroundings, &error), error); /* in the place of the first */
    json_t *object = json_load_file(path, 0, NULL), *hparams = json_object_get(object, "hparams");
    assert_string_equal(json_string_value(json_object_get(object, "config")), "groovae_4bar");
    assert_string_equal(json_string_value(json_object_get(object, "content_sha256")), "abc");
    assert_int_equal(json_integer_value(json_object_get(object, "seed")), 8);
    assert_int_equal(json_object_size(hparams), hparams_table.count);
    assert_int_equal(json_integer_value(json_object_get(hparams, "batch_size")), 13);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(hparams, "dec_rnn_size"), 1)), 4);
    json_t *session = json_object_get(object, "session");
    assert_string_equal(json_string_value(json_object_get(session, "version")), "1.2");
    assert_string_equal(json_string_value(json_object_get(session, "mpi")), "an MPI");
    assert_string_equal(json_string_value(json_object_get(session, "data_set")), "data");
    assert_int_equal(json_integer_value(json_object_get(session, "num_ranks")), 3);
    assert_true(json_is_real(json_object_get(hparams, "learning_rate")));
    assert_int_equal(scratch_count(*state), 1);
    json_decref(object);
    free(path);
}

static void a_folder_that_is_not_there(void **state)
{
    struct error error;
    struct checkpoint position = {.config = "groovae_4bar"};
    char *nowhere = path_join(*state, "nowhere");
    assert_fails(hparams_file_write(nowhere, &position, &surroundings, &error), error, "hparams.json: can't write");
    free(nowhere);
}

/* What is read again is what was written; of a file that somebody has spoilt, nothing. */
static void it_is_read_again(void **state)
{
    static const char *const spoilt[] = {
        "",
        "[]",
        "{\"hparams\":3}",
        "{\"hparams\":{\"bars\":1e300}}",
        "{\"hparams\":{\"bars\":0}}",
        "{\"hparams\":{\"bars\":{}}}",
        "{\"hparams\":{\"dec_rnn_size\":[1,2,3,4,5,6,7,8,9,10]}}",
        "{\"hparams\":{\"optimizer\":\"\\u001b[31m\"}}",
        "{\"hparams\":{\"learning_rate\":null}}",
        "{\"hparams\":{}} {",
    };
    struct error error;
    struct checkpoint written = {.config = "groovae_4bar", .content_sha256 = "abc"}, read;
    const char *changes = "learning_rate=0.1234567890123456,dec_rnn_size=[8,4],tapify=true,optimizer=lamb";
    char *path = path_join(*state, RUN_HPARAMS_NAME);
    assert_false(hparams_file_read(&read, *state));
    assert_ok(hparams_make(&written.hparams, config_find("groovae_4bar", NULL), changes, &error), error);
    assert_ok(hparams_file_write(*state, &written, &surroundings, &error), error);
    assert_true(hparams_file_read(&read, *state));
    assert_string_equal(read.config, "groovae_4bar");
    assert_string_equal(read.content_sha256, "abc");
    for (size_t i = 0; i < hparams_table.count; i++) {
        char text[SETTING_TEXT_MAX], expected[SETTING_TEXT_MAX];
        assert_string_equal(setting_format(&hparams_table.rows[i], &read.hparams, text),
                            setting_format(&hparams_table.rows[i], &written.hparams, expected));
    }
    assert_true(hparams_file_same_loss(*state, &written));
    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
        assert_ok(file_write(path, path, spoilt[i], strlen(spoilt[i]), &error), error);
        assert_false(hparams_file_read(&read, *state));
    }
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_hparam_is_there, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(it_is_read_again, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
