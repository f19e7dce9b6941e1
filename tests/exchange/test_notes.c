/* A model's notes as JSON: there and back, and untrusted notes. */
#include "exchange/notes.h"
#include "tests/support/unit.h"

static void fill(struct checkpoint *checkpoint)
{
    struct error error;
    *checkpoint = (struct checkpoint){.config = "groovae_2bar_humanize",
                                      .content_sha256 = "abc",
                                      .licence = "CC BY 4.0",
                                      .attribution = "J\xc3\xa9r\xc3\xb4me \"J\"",
                                      .drum_map = "roland",
                                      .drum_map_table = "36, kick\n38, snare\n",
                                      .seed = UINT64_C(9007199254740993),
                                      .step = 2000};
    assert_ok(hparams_make(&checkpoint->hparams, config_find(checkpoint->config, NULL),
                           "enc_rnn_size=[7],dec_rnn_size=[3,3],z_size=5,learning_rate=0.1,decay_rate=0.1234567890123",
                           &error),
              error);
}

static void notes_come_back(void **state)
{
    (void)state;
    struct checkpoint checkpoint, back;
    struct error error;
    fill(&checkpoint);
    json_t *notes = notes_make(&checkpoint);
    assert_null(json_object_get(notes, "recipe"));
    const char *key;
    json_t *value;
    json_object_foreach(notes, key, value) assert_true(json_is_string(value));
    char *text = json_dumps(notes, 0);
    json_t *read = json_loads(text, 0, NULL);
    assert_ok(notes_read(&back, read, &error), error);
    assert_memory_equal(&back, &checkpoint, sizeof back);
    free(text);
    json_decref(read);
    json_decref(notes);
}

static void text_that_is_not_utf8_is_cleaned(void **state)
{
    (void)state;
    struct checkpoint checkpoint;
    fill(&checkpoint);
    strcpy(checkpoint.attribution, "J\xe9r\xf4me\x01");
    json_t *notes = notes_make(&checkpoint);
    assert_string_equal(json_string_value(json_object_get(notes, "attribution")), "J?r?me?");
    json_decref(notes);
}

static void assert_refused(const char *name, json_t *value, const char *message)
{
    struct checkpoint checkpoint, back;
    struct error error;
    fill(&checkpoint);
    json_t *notes = notes_make(&checkpoint);
    if (value)
        json_object_set_new(notes, name, value);
    else
        json_object_del(notes, name);
    assert_fails(notes_read(&back, notes, &error), error, message);
    json_decref(notes);
}

static void untrusted_notes_are_checked(void **state)
{
    (void)state;
    char longer[CHECKPOINT_TEXT_SIZE + 1];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_refused("config", NULL, "config is missing");
    assert_refused("hparams", NULL, "hparams is missing");
    assert_refused("config", json_string(longer), "config is longer than");
    assert_refused("licence", json_integer(1), "licence is no string");
    assert_refused("step", json_string("-1"), "step is no number");
    assert_refused("seed", json_string("99999999999999999999999"), "seed is no number");
    assert_refused("seed", json_string(""), "seed is no number");
    assert_refused("hparams", json_string("bars=1000000"), "bars");
    assert_refused("hparams", json_string("no_such=1"), "no_such");
    struct checkpoint back;
    struct error error;
    json_t *list = json_array();
    assert_fails(notes_read(&back, list, &error), error, "missing");
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_come_back),
        cmocka_unit_test(text_that_is_not_utf8_is_cleaned),
        cmocka_unit_test(untrusted_notes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
