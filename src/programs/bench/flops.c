#include "programs/bench/flops.h"

#include "model/vae/model_shape.h"

/* Of one part of the model. */
struct count {
    double forward, weights, inputs;
};

static void add_dense(struct count *count, double rows, double inputs, double outputs)
{
    double product = 2 * rows * inputs * outputs;
    count->forward += product;
    count->weights += product;
    count->inputs += product;
}

/* `wanted`: inputs whose gradient is made. `steps_with_state`: T' of the formula. */
static void add_lstm(struct count *count, double steps, double steps_with_state, double rows, double inputs,
                     double wanted, double units)
{
    double columns = 4 * units, recurrent = 2 * rows * steps_with_state * units * columns;
    count->forward += 2 * rows * steps * inputs * columns + recurrent;
    count->weights += 2 * rows * steps * (inputs + units) * columns;
    count->inputs += 2 * rows * steps * wanted * columns + recurrent;
}

static void add_stack(struct count *count, double steps, double rows, double inputs, double wanted, double source,
                      const struct int_list *sizes)
{
    double state = 0;
    for (int i = 0; i < sizes->count; i++) {
        double units = (double)sizes->values[i];
        add_lstm(count, steps, steps, rows, inputs, wanted, units);
        state += 2 * units;
        inputs = wanted = units;
    }
    add_dense(count, rows, source, state);
}

static struct count count_encoder(const struct hparams *hparams, double steps, double controls)
{
    struct count count = {0};
    double inputs = hparams_representation(hparams)->depth + controls, wanted = 0;
    for (int i = 0; i < hparams->enc_rnn_size.count; i++) {
        double units = (double)hparams->enc_rnn_size.values[i];
        for (int direction = 0; direction < 2; direction++)
            add_lstm(&count, steps, steps - 1, 1, inputs, wanted, units);
        inputs = wanted = 2 * units;
    }
    for (int head = 0; head < 2; head++)
        add_dense(&count, 1, inputs, (double)hparams->z_size);
    return count;
}

static struct count count_decoder(const struct hparams *hparams, double steps, double controls)
{
    struct count count = {0};
    const struct int_list *sizes = &hparams->dec_rnn_size;
    double top = (double)sizes->values[sizes->count - 1], z_size = (double)hparams->z_size;
    double segments = 1, embedding = z_size, depth = hparams_representation(hparams)->depth;
    if (hparams->decoder == DECODER_HIERARCHICAL) {
        segments = (double)hparams->bars;
        embedding = top;
        add_stack(&count, segments, 1, 0, 0, z_size, sizes);
    }
    add_stack(&count, steps / segments, segments, depth + controls + embedding, embedding, embedding, sizes);
    add_dense(&count, steps, top, depth);
    return count;
}

struct bench_flops bench_flops_of(const struct hparams *hparams)
{
    struct model_shape shape = model_shape_of(hparams);
    double steps = shape.steps;
    struct count encoder = count_encoder(hparams, steps, shape.encoder_controls),
                 decoder = count_decoder(hparams, steps, shape.num_controls);
    struct bench_flops flops = {
        .forward = encoder.forward + decoder.forward,
        .weight_gradients = encoder.weights + decoder.weights,
        .input_gradients = encoder.inputs + decoder.inputs,
    };
    flops.phases[PASS_ENCODER_FORWARD] = encoder.forward;
    flops.phases[PASS_DECODER_FORWARD] = decoder.forward;
    flops.phases[PASS_DECODER_BACKWARD] = decoder.weights + decoder.inputs;
    flops.phases[PASS_ENCODER_BACKWARD] = encoder.weights + encoder.inputs;
    flops.total = flops.forward + flops.weight_gradients + flops.input_gradients;
    return flops;
}
