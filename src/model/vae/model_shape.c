#include "model/vae/model_shape.h"

#include "base/tempo.h"

struct model_shape model_shape_of(const struct hparams *hparams)
{
    const struct representation *representation = hparams_representation(hparams);
    const struct int_list *sizes = &hparams->dec_rnn_size;
    const int tempo = hparams->tempo_control ? NUM_TEMPO_CONTROLS : 0;
    struct model_shape shape = {
        .steps = (int)hparams->bars * representation->steps_per_bar,
        .depth = representation->depth,
        .num_controls = hparams->input_as_controls  ? representation->depth + tempo
                        : hparams->hits_as_controls ? representation->num_controls + tempo
                                                    : 0,
        .encoder_controls = hparams->hits_as_controls ? representation->num_controls + tempo : 0,
        .z_size = (int)hparams->z_size,
        .hierarchical = hparams->decoder == DECODER_HIERARCHICAL,
    };
    shape.segments = shape.hierarchical ? (int)hparams->bars : 1;
    shape.segment_steps = shape.steps / shape.segments;
    shape.embedding_size = shape.hierarchical ? (int)sizes->values[sizes->count - 1] : shape.z_size;
    return shape;
}

int model_shape_encoder_inputs(const struct model_shape *shape)
{
    return shape->depth + shape->encoder_controls;
}

int model_shape_decoder_inputs(const struct model_shape *shape)
{
    return shape->depth + shape->num_controls + shape->embedding_size;
}
