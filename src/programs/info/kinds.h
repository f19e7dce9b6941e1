/* The kinds of things that info_describe knows, each with its reader and its printer. Readers add members to an object that
 * has "path" already. */
#ifndef DRUMLINE_PROGRAMS_INFO_KINDS_H
#define DRUMLINE_PROGRAMS_INFO_KINDS_H

#include "base/error.h"
#include "data/dataset/dataset.h"
#include "data/midi/drum_map.h"

#include <jansson.h>

#include <stdio.h>

bool info_read_shard(json_t *object, const char *path, struct error *error);
bool info_read_dataset(json_t *object, const char *folder, struct error *error);
/* The same of a data set that is open. */
void info_describe_dataset(json_t *object, const struct dataset *dataset);
/* The windows that "windows" of a split counts, in words: "windows of 2 bars, no overlap"; NULL after the last. */
const char *info_window_kind(size_t number, const char **key);
void info_print_performances(FILE *out, const json_t *object);

bool info_read_checkpoint(json_t *object, const char *path, struct error *error);
void info_print_checkpoint(FILE *out, const json_t *object);
/* Its members "validation" (nothing where it is NULL) and "hparams_changed". */
void info_print_validation(FILE *out, const json_t *validation);
void info_print_hparams(FILE *out, const json_t *changed);

/* "latents": what the checkpoint has of its latent space; not there where that is nothing. Prints nothing where it is NULL. */
struct checkpoint_reader;
bool info_read_latents(json_t *object, struct checkpoint_reader *reader, struct error *error);
void info_print_latents(FILE *out, const json_t *latents);

/* Pitches that a drum map does not know, as a list of objects, and that list as text. */
json_t *info_json_of_lost(const struct lost_pitch *lost, size_t count);
void info_print_lost(FILE *out, const json_t *lost);

bool info_read_midi(json_t *object, const char *path, struct error *error);
void info_print_midi(FILE *out, const json_t *object);

/* Whether runs lie right below the folder. */
bool info_is_sweep(const char *folder);
bool info_read_sweep(json_t *object, const char *folder, struct error *error);
void info_print_sweep(FILE *out, const json_t *object);
/* A run's value of what runs differ in: an hparam, "config" or "data_set"; "" where it is not known. The run's. */
const char *info_sweep_value(const json_t *run, const char *name);
/* "556/50000" of a run that has steps left, else "50000"; "-" of one that has not begun. Returns text. */
enum { INFO_STEP_TEXT_SIZE = 48 };
const char *info_sweep_step(char text[INFO_STEP_TEXT_SIZE], const json_t *run);
/* What is to be said of runs whose val_loss does not compare, owned by the caller; NULL where it does. */
char *info_sweep_note(const json_t *object);
bool info_print_sweep_csv(FILE *out, const char *folder, struct error *error);

bool info_read_run(json_t *object, const char *run_dir, struct error *error);
void info_print_run(FILE *out, const json_t *object);

/* The "checkpoints" of a run: their steps, newest first. */
bool info_read_steps(json_t *object, const char *run_dir, struct error *error);

/* The "lines" of numbers of training or evaluations as a table; nothing where `metrics` is NULL. */
void info_print_metrics(FILE *out, const json_t *metrics, const char *title);

/* Adds a message to the object's list "damage", and prints that list. */
void info_add_damage(json_t *object, const char *message);
void info_print_damage(FILE *out, const json_t *object);

/* "  LABEL        text", wrapped at 80 columns. */
void info_print_field(FILE *out, const char *label, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The characters of `text`; and the columns of the terminal that `out` is, 80 where it is none. */
int info_columns_of(const char *text);
int info_page_columns(FILE *out);

/* `text` in a column of that many characters, cut where it is longer. */
void info_print_column(FILE *out, const char *text, int width);

#endif
