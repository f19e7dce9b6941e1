/* Magenta's variables: names, sizes and order of rows, and there and back for every config. */
#include "exchange/magenta_names.h"
#include "model/vae/model_shape.h"
#include "model/vae/parameters.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>

#define SIZES "enc_rnn_size=[5],dec_rnn_size=[4,4],z_size=3"

struct fixture {
    struct hparams hparams;
    struct tensor_table table;
    struct magenta_names names;
    float *values; /* number i of tensor t is 1000 t + i + 1 */
};

static void make(struct fixture *fixture, const char *config, const char *changes)
{
    struct error error;
    assert_ok(hparams_make(&fixture->hparams, config_find(config, NULL), changes, &error), error);
    assert_ok(parameters_describe(&fixture->table, &fixture->hparams, &error), error);
    magenta_names_make(&fixture->names, &fixture->hparams, &fixture->table);
    fixture->values = calloc(fixture->table.num_floats, sizeof(float));
    assert_non_null(fixture->values);
    for (int t = 0; t < fixture->table.num_rows; t++)
        for (size_t i = 0; i < fixture->table.rows[t].count; i++)
            fixture->values[fixture->table.rows[t].offset + i] = (float)(1000 * t + (int)i + 1);
}

static const struct magenta_variable *find(const struct fixture *fixture, const char *name, int rows, int columns)
{
    const struct magenta_variable *variable = magenta_names_find(&fixture->names, name);
    if (!variable)
        fail_msg("%s is missing", name);
    assert_int_equal(variable->rows, rows);
    assert_int_equal(variable->columns, columns);
    return variable;
}

/* Row `row` of the variable is row `ours` of our tensor. */
static void assert_row(const struct fixture *fixture, const struct magenta_variable *variable, int row, int ours)
{
    float *out = malloc(magenta_variable_count(variable) * sizeof *out);
    assert_non_null(out);
    magenta_variable_write(out, variable, &fixture->table, fixture->values);
    const float *tensor = fixture->values + fixture->table.rows[variable->tensor].offset;
    for (int column = 0; column < variable->columns; column++) {
        float expected = ours < 0 ? 0.0f : tensor[ours * variable->columns + column];
        assert_true(out[row * variable->columns + column] == expected);
    }
    free(out);
}

static void flat_models_have_magentas_names(void **state)
{
    (void)state;
    struct fixture fixture;
    make(&fixture, "groovae_2bar_humanize", SIZES);
    find(&fixture, "encoder/cell_0/bidirectional_rnn/fw/multi_rnn_cell/cell_0/lstm_cell/kernel", 27 + 5, 20);
    find(&fixture, "encoder/cell_0/bidirectional_rnn/bw/multi_rnn_cell/cell_0/lstm_cell/bias", 1, 20);
    find(&fixture, "encoder/mu/kernel", 10, 3);
    find(&fixture, "encoder/sigma/bias", 1, 3);
    find(&fixture, "decoder/z_to_initial_state/kernel", 3, 16);
    find(&fixture, "decoder/multi_rnn_cell/cell_0/lstm_cell/kernel", 27 + 3 + 4, 16);
    find(&fixture, "decoder/multi_rnn_cell/cell_1/lstm_cell/kernel", 4 + 4, 16);
    find(&fixture, "decoder/output_projection/kernel", 4, 27);
    assert_null(magenta_names_find(&fixture.names, "decoder/layer_0/kernel"));
    free(fixture.values);
}

static void hierarchical_models_have_a_conductor(void **state)
{
    (void)state;
    struct fixture fixture;
    make(&fixture, "groovae_4bar", SIZES);
    const struct magenta_variable *conductor =
        find(&fixture, "decoder/hierarchical_level_0/cell_0/lstm_cell/kernel", 1 + 4, 16);
    assert_row(&fixture, conductor, 0, -1);
    assert_row(&fixture, conductor, 1, 0);
    assert_row(&fixture, conductor, 4, 3);
    find(&fixture, "decoder/hierarchical_level_0/cell_1/lstm_cell/kernel", 4 + 4, 16);
    find(&fixture, "decoder/hierarchical_level_0/initial_state/kernel", 3, 16);
    find(&fixture, "core_decoder/decoder/z_to_initial_state/bias", 1, 16);
    find(&fixture, "core_decoder/decoder/multi_rnn_cell/cell_1/lstm_cell/bias", 1, 16);
    find(&fixture, "core_decoder/decoder/output_projection/kernel", 4, 27);
    free(fixture.values);
}

/* [x, z, controls, h] there, [x, controls, z, h] here. */
static void controls_come_after_z(void **state)
{
    (void)state;
    struct fixture fixture;
    make(&fixture, "groovae_2bar_hits_control", SIZES);
    const struct magenta_variable *decoder =
        find(&fixture, "decoder/multi_rnn_cell/cell_0/lstm_cell/kernel", 27 + 3 + 9 + 4, 16);
    const int expected[][2] = {
        {0,              0         },
        {26,             26        },
        {27,             27 + 9    },
        {27 + 2,         27 + 9 + 2},
        {27 + 3,         27        },
        {27 + 3 + 8,     27 + 8    },
        {27 + 3 + 9,     27 + 12   },
        {27 + 3 + 9 + 3, 27 + 15   },
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_row(&fixture, decoder, expected[i][0], expected[i][1]);
    const struct magenta_variable *encoder =
        find(&fixture, "encoder/cell_0/bidirectional_rnn/fw/multi_rnn_cell/cell_0/lstm_cell/kernel", 27 + 9 + 5, 20);
    assert_row(&fixture, encoder, 27, 27);
    free(fixture.values);
}

static void an_encoder_without_controls_gets_rows_of_zeros(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error;
    make(&fixture, "groovae_2bar_tap_fixed_velocity", "input_as_controls=true," SIZES);
    const struct magenta_variable *encoder =
        find(&fixture, "encoder/cell_0/bidirectional_rnn/bw/multi_rnn_cell/cell_0/lstm_cell/kernel", 27 + 27 + 5, 20);
    assert_row(&fixture, encoder, 26, 26);
    assert_row(&fixture, encoder, 27, -1);
    assert_row(&fixture, encoder, 53, -1);
    assert_row(&fixture, encoder, 54, 27);
    float *there = calloc(magenta_variable_count(encoder), sizeof *there);
    assert_non_null(there);
    there[30 * 20] = 1;
    assert_fails(magenta_variable_read(fixture.values, encoder, &fixture.table, there, &error), error,
                 "input_as_controls");
    there[30 * 20] = (float)NAN;
    assert_fails(magenta_variable_read(fixture.values, encoder, &fixture.table, there, &error), error,
                 "input_as_controls");
    free(there);
    free(fixture.values);
}

static void assert_round_trip(const char *config, const char *changes)
{
    struct fixture fixture;
    struct error error;
    make(&fixture, config, changes);
    float *back = calloc(fixture.table.num_floats, sizeof *back);
    assert_non_null(back);
    for (int i = 0; i < fixture.names.count; i++) {
        const struct magenta_variable *variable = &fixture.names.variables[i];
        float *there = malloc(magenta_variable_count(variable) * sizeof *there);
        assert_non_null(there);
        magenta_variable_write(there, variable, &fixture.table, fixture.values);
        for (int b = 0, row = 0; b < variable->num_blocks; row += variable->blocks[b++].count)
            if (variable->blocks[b].kind == MAGENTA_ROWS_UNUSED)
                there[row * variable->columns] = 7; /* what was never used is not read */
        assert_ok(magenta_variable_read(back, variable, &fixture.table, there, &error), error);
        assert_ptr_equal(magenta_names_find(&fixture.names, variable->name), variable);
        free(there);
    }
    assert_memory_equal(back, fixture.values, fixture.table.num_floats * sizeof *back);
    free(back);
    free(fixture.values);
}

static void every_config_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_count; i++) {
        assert_round_trip(config_table[i].name, SIZES);
        assert_round_trip(config_table[i].name, "enc_rnn_size=[3,2],dec_rnn_size=[2,3,1],z_size=2");
        assert_round_trip(config_table[i].name, "hits_as_controls=true," SIZES);
        assert_round_trip(config_table[i].name, "hits_as_controls=false,input_as_controls=true," SIZES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_models_have_magentas_names),
        cmocka_unit_test(hierarchical_models_have_a_conductor),
        cmocka_unit_test(controls_come_after_z),
        cmocka_unit_test(an_encoder_without_controls_gets_rows_of_zeros),
        cmocka_unit_test(every_config_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
