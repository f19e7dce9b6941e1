/* Dropout of the decoder's inputs: which numbers are kept. */
#include "tests/support/unit.h"

#include "model/vae/model.h"

#include <math.h>

/* Share of ones in columns [first, end) of a mask, and whether each also stands in `larger` (NULL: not asked). */
static double share_kept(const struct lstm_layer *layer, const uint8_t *larger, size_t rows, int first, int end)
{
    size_t kept = 0;
    for (size_t row = 0; row < rows; row++)
        for (int i = first; i < end; i++) {
            size_t at = row * (size_t)layer->input_size + (size_t)i;
            kept += layer->mask[at];
            assert_true(!larger || layer->mask[at] <= larger[at]);
        }
    return (double)kept / (double)rows / (end - first);
}

static struct model *model_with(const char *changes, int batch)
{
    struct hparams hparams;
    struct error error;
    assert_ok(hparams_make(&hparams, config_find("groovae_2bar_hits_control", NULL), changes, &error), error);
    struct model *model = model_make(&hparams, batch, &error);
    assert_non_null(model);
    return model;
}

/* Of the same random numbers; all other masks are as they were. */
static void the_decoders_inputs_have_keep_probabilities_of_their_own(void **state)
{
#define SMALL "enc_rnn_size=9,dec_rnn_size=[9,9],z_size=20,dropout_keep_prob=0.5"
    enum { BATCH = 40 };
    (void)state;
    struct model *usual = model_with(SMALL, BATCH);
    struct model *same = model_with(SMALL ",prev_keep_prob=0.5,context_keep_prob=0.5", BATCH);
    struct model *split = model_with(SMALL ",prev_keep_prob=0.1,context_keep_prob=1", BATCH);
    struct model_step step = {.batch = BATCH, .training = true, .seed = 3, .step = 7};
    struct model *const models[] = {usual, same, split};
    size_t rows = (size_t)usual->steps * BATCH, bytes[2];
    for (int i = 0; i < 3; i++)
        model_draw_noise(models[i], &step);
    const struct lstm_layer *layer = &split->decoder.core.layers[0];
    for (int i = 0; i < 2; i++)
        bytes[i] = rows * (size_t)usual->decoder.core.layers[i].input_size;
    assert_memory_equal(same->decoder.core.layers[0].mask, usual->decoder.core.layers[0].mask, bytes[0]);
    assert_memory_equal(split->decoder.core.layers[1].mask, usual->decoder.core.layers[1].mask, bytes[1]);
    assert_memory_equal(split->encoder.forward[0].mask, usual->encoder.forward[0].mask,
                        rows * (size_t)usual->encoder.forward[0].input_size);
    double prev = share_kept(layer, usual->decoder.core.layers[0].mask, rows, 0, split->depth);
    double context = share_kept(layer, NULL, rows, split->depth, layer->input_size);
    assert_true(fabs(prev - 0.1) < 0.01);
    assert_true(context >= 1);
    struct model *alone =
        model_with("enc_rnn_size=9,dec_rnn_size=9,z_size=4,dropout_keep_prob=1,prev_keep_prob=0.3", BATCH);
    model_draw_noise(alone, &step);
    prev = share_kept(&alone->decoder.core.layers[0], NULL, rows, 0, alone->depth);
    assert_true(fabs(prev - 0.3) < 0.01);
    assert_true(share_kept(&alone->encoder.forward[0], NULL, rows, 0, alone->depth) >= 1);
    model_free(alone);
    for (int i = 0; i < 3; i++)
        model_free(models[i]);
#undef SMALL
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_decoders_inputs_have_keep_probabilities_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
