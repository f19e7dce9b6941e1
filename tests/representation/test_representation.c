/* What ties the tables of representations, heads and converters: each row has all that it names, and music survives the way
 * to rows and back. Built twice: with the tables of the programs, and with those of tables.c. */
#include "data/dataset/batch.h"
#include "model/vae/model.h"
#include "programs/common/transform.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>

enum { BARS = 2 };

static void every_row_has_heads_and_a_converter(void **state)
{
    struct error error;
    (void)state;
    for (size_t i = 0; i < representation_count; i++) {
        const struct representation *representation = &representation_table[i];
        assert_ok(representation_check(representation, &error), error);
        assert_non_null(converter_find(representation));
        for (int head = 0; head < representation->num_heads; head++)
            assert_non_null(output_head_find(representation->heads[head].kind));
    }
    assert_null(output_head_find("opera"));
    assert_null(converter_find(&(struct representation){.name = "opera"}));
}

static void groove_is_as_the_grid_is(void **state)
{
    const struct representation *groove = representation_find("groove", NULL);
    (void)state;
    assert_int_equal(groove->steps_per_bar, GRID_BAR_STEPS);
    assert_int_equal(groove->depth, 3 * NUM_DRUMS);
    assert_int_equal(groove->num_controls, NUM_DRUMS);
}

static struct hparams make_hparams(size_t number)
{
    struct hparams hparams;
    struct error error;
    char changes[128];
    snprintf(changes, sizeof changes, "representation=%s,bars=%d,enc_rnn_size=6,dec_rnn_size=5,z_size=3,free_bits=0",
             representation_table[number].name, BARS);
    assert_ok(hparams_make(&hparams, config_find("groovae_4bar", NULL), changes, &error), error);
    return hparams;
}

/* A grid with a hit on every beat, at odd velocities. */
static void make_grid(struct grid *grid)
{
    struct error error;
    assert_ok(grid_make(grid, BARS * GRID_BAR_STEPS, &error), error);
    grid->time_signature = (struct time_signature){4, 4};
    for (size_t beat = 0; beat < (size_t)BARS * 4; beat++) {
        grid->hits[beat * 4 * NUM_DRUMS] = 1;
        grid->velocity[beat * 4 * NUM_DRUMS] = beat % 2 ? 40 : 100;
    }
}

static void music_survives_the_way_to_rows_and_back(void **state)
{
    struct error error;
    struct grid grid, back;
    (void)state;
    make_grid(&grid);
    for (size_t i = 0; i < representation_count; i++) {
        struct hparams hparams = make_hparams(i);
        struct transform transform;
        assert_ok(transform_of(&transform, &hparams, &error), error);
        size_t size =
            (size_t)BARS * (size_t)transform.representation->steps_per_bar * (size_t)transform.representation->depth;
        float *rows = malloc(size * sizeof *rows);
        window_from_grid(rows, &grid, 0, BARS, &transform);
        assert_ok(grid_from_window(&back, rows, BARS, 120, &transform, &error), error);
        assert_int_equal(back.num_steps, grid.num_steps);
        assert_memory_equal(back.hits, grid.hits, (size_t)grid.num_steps * NUM_DRUMS);
        assert_memory_equal(back.velocity, grid.velocity, (size_t)grid.num_steps * NUM_DRUMS);
        grid_free(&back);
        rows[size - 1] = NAN;
        assert_fails(grid_from_window(&back, rows, BARS, 120, &transform, &error), error, "is not finite");
        free(rows);
    }
    grid_free(&grid);
}

static double loss_of(struct model *model, const struct model_step *step)
{
    struct metric_values values;
    double sums[METRIC_MAX_SUMS] = {0};
    model_evaluate(model, step, sums);
    metric_compute(&values, &model->metrics, sums, 0);
    return metric_get(&values, &model->metrics, METRIC_LOSS);
}

/* Each head's gradient against differences of the whole model's loss. */
static void gradients_are_those_of_the_loss(void **state)
{
    struct error error;
    struct grid grid;
    (void)state;
    make_grid(&grid);
    for (size_t i = 0; i < representation_count; i++) {
        struct hparams hparams = make_hparams(i);
        struct transform transform;
        struct model *model = model_make(&hparams, 1, &error);
        struct model_step step = {.batch = 1, .seed = 3};
        struct model_gradient gradient = {.scale = 1, .write = OP_REPLACE};
        double sums[METRIC_MAX_SUMS] = {0};
        assert_non_null(model);
        assert_ok(transform_of(&transform, &hparams, &error), error);
        model_initialize(model, 7);
        window_from_grid(model->input, &grid, 0, BARS, &transform);
        window_from_grid(model->target, &grid, 0, BARS, &transform);
        model_draw_noise(model, &step);
        model_train(model, &step, &gradient, sums);
        const struct tensor *bias = &model->table.rows[0];
        for (size_t n = 0; n < model->table.num_floats && n < bias->offset + bias->count; n += 1 + n / 7) {
            const float h = 1e-2f, kept = model->values[n];
            model->values[n] = kept + h;
            double above = loss_of(model, &step);
            model->values[n] = kept - h;
            double below = loss_of(model, &step);
            model->values[n] = kept;
            double difference = (above - below) / (2 * (double)h), found = (double)model->gradients[n];
            if (!(fabs(difference - found) <= 2e-3 * (1 + fabs(found))))
                fail_msg("%s: gradient %zu is %g, not %g", representation_table[i].name, n, found, difference);
        }
        model_free(model);
    }
    grid_free(&grid);
}

static void what_a_representation_lacks_is_refused(void **state)
{
    struct error error;
    struct transform transform;
    (void)state;
    struct hparams hparams = make_hparams(representation_count - 1);
    hparams.input_as_controls = true;
    assert_fails(transform_of(&transform, &hparams, &error), error, "input_as_controls needs an input that differs");
    hparams.input_as_controls = false;
    if (representation_count == 1)
        return;
    hparams.humanize = true;
    assert_fails(transform_of(&transform, &hparams, &error), error, "representation=pulse has none of humanize");
    hparams.humanize = false;
    hparams.hits_as_controls = true;
    assert_fails(transform_of(&transform, &hparams, &error), error, "representation=pulse has no hits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_heads_and_a_converter),     cmocka_unit_test(groove_is_as_the_grid_is),
        cmocka_unit_test(music_survives_the_way_to_rows_and_back), cmocka_unit_test(gradients_are_those_of_the_loss),
        cmocka_unit_test(what_a_representation_lacks_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
