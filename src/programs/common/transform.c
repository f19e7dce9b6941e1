#include "programs/common/transform.h"

struct transform transform_of(const struct hparams *hparams)
{
    struct transform transform = {
        .humanize = hparams->humanize,
        .tapify = hparams->tapify,
        .fixed_velocities = hparams->fixed_velocities,
        .hits_as_controls = hparams->hits_as_controls,
        .max_note_dropout = hparams->max_note_dropout,
    };
    for (int i = 0; i < hparams->add_instruments.count; i++)
        transform.removed_classes |= 1u << hparams->add_instruments.values[i];
    return transform;
}
