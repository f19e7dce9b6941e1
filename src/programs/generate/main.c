/* drumline-generate: new MIDI from a checkpoint. One process; no MPI. */
#include "base/cli/options.h"
#include "base/hdf5/hdf5.h"
#include "base/log.h"
#include "base/process.h"
#include "programs/generate/generate.h"

#include <stdlib.h>

static const struct options_group groups[] = {
    {"Model",  "run_dir"   },
    {"Music",  "mode"      },
    {"Output", "output_dir"},
    {NULL,     NULL        },
};

static const struct program everything_but_table = {
    .name = "drumline-generate",
    .summary = "generates MIDI files with a model, by sampling or from existing performances",
    .usage = "(--run_dir DIR | --checkpoint_file FILE | --config NAME) --output_dir DIR [OPTION]...",
    .examples =
        "drumline-generate --config=groovae_4bar_flat --num_outputs=4 --output_dir=new\n"
        "drumline-generate --config=groovae_4bar_flat --bars=32 --num_outputs=1 --output_dir=new\n"
        "drumline-generate --run_dir=runs/first --mode=interpolate --input_midi_1=a.mid --input_bar_1=9 "
        "--input_midi_2=b.mid --output_dir=new\n"
        "drumline-generate --config=groovae_4bar_flat --mode=interpolate --input_midi_1=a.mid --input_midi_2=b.mid "
        "--input_midi_3=c.mid --input_midi_4=d.mid --num_outputs=3 --join --output_dir=new\n"
        "drumline-generate --config=groovae_4bar_flat --mode=similar --similarity=0.8 --input_midi_1=a.mid "
        "--output_dir=new\n"
        "drumline-generate --checkpoint_file=tap.h5 --mode=reconstruct --input_midi_1=taps.mid --num_outputs=1 "
        "--output_dir=new\n"
        "drumline-generate --config=groovae_2bar_humanize --mode=apply --amount=0.8 --input_midi_1=song.mid "
        "--output_dir=new "
        "--png\n"
        "drumline-generate --config=groovae_2bar_hits_control --mode=transfer --input_midi_1=song.mid "
        "--input_midi_2=feel.mid --output_dir=new\n",
    .groups = groups,
};

int main(int argc, char **argv)
{
    struct program program = everything_but_table;
    struct generate_options options = {.program = argc > 0 ? argv[0] : NULL};
    struct error error;
    program.table = generate_options_table;
    process_begin();
    hdf5_start();
    enum options_result result = options_parse(&program, argc, argv, &options, NULL, NULL, &error);
    int status = options_status(result);
    bool wrong_usage = result == OPTIONS_WRONG;
    if (result == OPTIONS_FAILED)
        log_error("%s", error.message);
    if (result == OPTIONS_RUN) {
        wrong_usage = !generate_check(&options, &error);
        if (!wrong_usage && !generate(&options, &wrong_usage, &error) && !wrong_usage) {
            log_error("%s", error.message);
            status = EXIT_FAILURE;
        }
    }
    if (wrong_usage) {
        log_error("%s (see --help)", error.message);
        status = EXIT_USAGE;
    }
    settings_free(&program.table, &options);
    return status;
}
