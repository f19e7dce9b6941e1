/* make_checkpoint CONFIG HPARAMS STEP FILE: a checkpoint of a model that was never trained, for tests of programs that play
 * from checkpoints or describe them. */
#include "tests/model/untrained_checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct error error;
    if (argc != 5) {
        fprintf(stderr, "usage: make_checkpoint CONFIG HPARAMS STEP FILE\n");
        return 2;
    }
    if (untrained_checkpoint(argv[4], argv[1], argv[2], strtoull(argv[3], NULL, 10), &error))
        return EXIT_SUCCESS;
    fprintf(stderr, "make_checkpoint: %s\n", error.message);
    return EXIT_FAILURE;
}
