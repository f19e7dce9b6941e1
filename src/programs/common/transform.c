#include "programs/common/transform.h"

bool transform_of(struct transform *transform, const struct hparams *hparams, struct error *error)
{
    const struct representation *representation = hparams_representation(hparams);
    *transform = (struct transform){
        .representation = representation,
        .converter = converter_find(representation),
        .input_as_controls = hparams->input_as_controls,
        .tempo_control = hparams->tempo_control,
        .humanize = hparams->humanize,
        .tapify = hparams->tapify,
        .fixed_velocities = hparams->fixed_velocities,
        .max_note_dropout = hparams->max_note_dropout,
        .drop_class = hparams->augment_drop_class,
    };
    for (int i = 0; i < hparams->add_instruments.count; i++)
        transform->removed_classes |= 1u << hparams->add_instruments.values[i];
    if (!transform->converter)
        return error_set(error, "representation=%s has no converter", representation->name);
    if (transform_is_needed(transform) && !transform->converter->transform)
        return error_set(error,
                         "representation=%s has none of humanize, tapify, fixed_velocities, add_instruments and "
                         "max_note_dropout",
                         representation->name);
    if (transform->drop_class > 0 && !transform->converter->augment)
        return error_set(error, "representation=%s has no augment_drop_class", representation->name);
    if (transform->input_as_controls && !transform_is_needed(transform))
        return error_set(error, "input_as_controls needs an input that differs from the target: humanize, tapify, "
                                "fixed_velocities, add_instruments or max_note_dropout");
    if (hparams->hits_as_controls && representation->num_controls == 0)
        return error_set(error, "representation=%s has no hits for hits_as_controls", representation->name);
    return true;
}
