/* A program of someone else's, built with nothing but what drumline.pc says: uses base, data and model, and what each of
 * them is linked with. */
#include "base/cli/options.h"
#include "base/hdf5/seal.h"
#include "base/log.h"
#include "base/version.h"
#include "data/dataset/dataset.h"
#include "data/midi/reader.h"
#include "model/checkpoint.h"
#include "model/vae/model.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    struct error error;
    struct hparams hparams;
    struct midi midi;
    log_set_level(LOG_LEVEL_ERROR);
    if (midi_load(&midi, "/nowhere.mid", false, NULL, &error) || dataset_open("/nowhere", &error)) {
        fprintf(stderr, "what does not exist was opened\n");
        return EXIT_FAILURE;
    }
    if (!hparams_make(&hparams, config_find("groovae_4bar", &error), "enc_rnn_size=[8],dec_rnn_size=[8]", &error)) {
        fprintf(stderr, "%s\n", error.message);
        return EXIT_FAILURE;
    }
    struct model *model = model_make(&hparams, 2, &error);
    if (!model) {
        fprintf(stderr, "%s\n", error.message);
        return EXIT_FAILURE;
    }
    printf("%s: %zu bytes\n", drumline_version(), model_memory(&hparams, 2));
    model_free(model);
    return EXIT_SUCCESS;
}
