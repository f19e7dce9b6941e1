#!/bin/bash
# tools/make_reference_page.sh BIN_DIR >docs/reference.md: the reference of all flags and hparams, from what the programs in
# BIN_DIR say of themselves. A test (check_reference) holds the committed page to it.
set -euo pipefail
if [ $# -ne 1 ] || [ ! -d "$1" ]; then
    printf 'usage: tools/make_reference_page.sh BIN_DIR >docs/reference.md\n' >&2
    exit 2
fi
bin=$1

cat <<'TEXT'
# Reference

<!-- Made by tools/make_reference_page.sh: change the tables of settings in src/, or that script, and run it again. -->

Every flag of every program, every hparam and every config. [architecture](architecture.md) explains how the parts fit together,
[models](models.md) what the numbers mean for the music, [formats](formats.md) the files.

**In all programs**, `-` and `_` are equivalent in option names, and so are `--x=y` and `--x y`. A flag without a value is given as
`--x`, `--x=True` or `--nox`. If an option is repeated, the last one counts; `--` ends the options. Messages go to standard error,
requested output to standard output.

- [drumline-preprocess](#drumline-preprocess): MIDI to a data set (MPI)
- [drumline-train](#drumline-train): a data set to a run with checkpoints (MPI)
- [drumline-generate](#drumline-generate): a checkpoint to new MIDI
- [drumline-info](#drumline-info): describes all of these
- [drumline-bench](#drumline-bench): measures the speed of all of these (MPI)
- [hparams and configs](#hparams-and-configs)
- [exit statuses](#exit-statuses), [signals](#signals), [environment](#environment), [files](#files)
TEXT
for program in preprocess train generate info bench; do
    printf '\n'
    "$bin/drumline-$program" --help=markdown
done
cat <<'TEXT'

## hparams and configs

A config is a name for a set of hparams. `drumline-train --config NAME --hparams=a=1,b=[2,3]` starts from the defaults and
applies the config, then the command line. A checkpoint stores all of them. `drumline-info --hparams` prints what
follows.

TEXT
"$bin/drumline-info" --hparams --markdown
cat <<'TEXT'

`representation` to `tempo_control` define the model: a checkpoint fits only a model with the same values. `humanize` to
`max_note_dropout` define the encoder's input, the rest the training; all of these may be changed on resume.

## Exit statuses

| status | means |
|---|---|
| 0 | done |
| 1 | failed; the last lines on standard error name the file and the reason |
| 2 | wrong usage: an option, or options that do not go together |
| 3 | `drumline-train` was asked to stop, by a signal or a deadline (`--max_seconds`, `--deadline`, the end of its Slurm job), and did, with a checkpoint: rerun the same command to resume |

`drumline-generate --mode=interpolate` exits with 1 if an input has several windows: it writes each to `--output_dir` for you to
choose from, and generates nothing. `drumline-info` exits with 1 if any of its paths is damaged or not one of Drumline's; it still
describes the others. `drumline-info --watch` exits with the run's outcome: 0 if it is done or was pruned, 1 if it failed or was killed,
3 if it was stopped and can be resumed.

## Signals

`drumline-train --mode=train` stops on SIGTERM, SIGINT and SIGUSR1, sent to any of its ranks: all ranks finish the step, write a
checkpoint and end with status 3. A signal during the fit of latent densities after the last step ends the fit, also with status 3; the
same command repeats it. A second SIGTERM or SIGINT more than a second after the first ends the training at once. The other programs end
at any of these signals, and so does a training at SIGHUP; none leaves a partial file under its final name.

Open MPI's `mpirun` kills its ranks one second after it receives SIGINT (Ctrl-C) or SIGTERM: if a step takes longer, the work since the
last checkpoint is lost. It forwards SIGUSR1: `kill -USR1` with the process id of `mpirun` stops such a training with a
checkpoint.

## Environment

| variable | read by | means |
|---|---|---|
| `OPENBLAS_NUM_THREADS`, `OMP_NUM_THREADS` | `drumline-train`, `drumline-bench` where `--threads=0` | threads of a rank's GEMMs; of a list (`4,2`) the first number; an invalid value causes a warning |
| `SLURM_CPUS_PER_TASK` | the same, where none of the above is set | the same |
| `SLURM_JOB_ID`, `SLURM_RESTART_COUNT` | `drumline-train` | a requeued job takes over its run's lock at once |
| `SLURM_JOB_END_TIME` | `drumline-train` where `--deadline=auto` | when the job ends, in seconds since 1970 |
| `DRUMLINE_MODELS` | `drumline-generate` for `--config`, `drumline-train` for `--init_checkpoint=NAME` | folders to search for the model file `NAME.h5`, separated by colons |
| `DRUMLINE_SOUNDFONT` | `drumline-generate`, `drumline-info` where `--soundfont` is not given | sound font for `--wav`, `--ogg` and `--play` |
| `DRUMLINE_HDF5_READER` | all | path of `drumline-hdf5-reader`, the program that reads HDF5 files; by default it is looked for in `../libexec` from the program's folder |
| `HDF5_USE_FILE_LOCKING` | HDF5 | `FALSE` where not set: HDF5 locks no files |
| `TMPDIR` | `drumline-bench` where `--temporary_dir` is not given | folder for what it writes |
| `TERM` | `drumline-info --watch` | if it is `dumb` or missing, lines are printed instead of a refreshed page |
| `TZ` | `drumline-generate` | the time zone of the time in files' names |
| `OMPI_ALLOW_RUN_AS_ROOT`, `OMPI_ALLOW_RUN_AS_ROOT_CONFIRM` | Open MPI's `mpirun` | 1 and 1 let root use it |

## Files

| file | written by | contents |
|---|---|---|
| `DATA/shard-00002-of-00008.h5` | `drumline-preprocess` | the grids of one rank's performances |
| `DATA/index.h5` | `drumline-preprocess` | the table of all performances, and all shards as one |
| `RUN/train/checkpoint-00001000.h5` | `drumline-train` | weights, optimizer state and position of the training |
| `RUN/train/checkpoint-00001000.h5.damaged` | `drumline-train` | a damaged checkpoint, which no program reads |
| `RUN/train/best.h5` | `drumline-train --mode=train` | the weights with the lowest `val_loss`, with latent densities after the last step |
| `RUN/hparams.json` | `drumline-train --mode=train` | config, seed, data set and hparams, from the run's start |
| `RUN/train/metrics.jsonl` | `drumline-train --mode=train` | one JSON object a line |
| `RUN/eval/metrics.jsonl` | `drumline-train` when it evaluates | the same |
| `RUN/train/rank_times.json` | `drumline-train --mode=train` | the time of each rank by phase, in the newest session |
| `RUN/train/tensors.jsonl` | `drumline-train --log_tensors` | norms of each tensor, its gradient and its update |
| `RUN/train/events.out.tfevents.*`, `RUN/eval/events.out.tfevents.*` | `drumline-train --tensorboard` | the metrics for TensorBoard |
| `RUN/train/lock` | `drumline-train` | which job has the run |
| `RUN/requeues.tsv` | `jobs/train.sh` | a line for each start of the job: job, restart, step, nodes, ranks, date |
| `RUN/sweep_line` | `jobs/sweep.sh` | the hparams that the run was begun with |
| `RUN/samples/task-00012` | `jobs/generate.sh` | the MIDI files of one task of the array |
| `LOGS/rank-0003-HOST.log` | with `--log_dir=LOGS` the programs that run on MPI ranks | all that a rank says, with times |
| `OUTPUT/CONFIG_MODE_YYYY-MM-DD_HHMMSS-000-of-005.mid` | `drumline-generate` | a window of new music |
| `OUTPUT/CONFIG_input-1_YYYY-MM-DD_HHMMSS-000-of-012.mid` | `drumline-generate` | a window of an input that holds several |
| `.NAME.HOST.TAG.PID.tmp` | all | a file that is being written; it may be deleted once that process has ended |
TEXT
