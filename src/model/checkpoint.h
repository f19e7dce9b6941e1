/* Checkpoints: all that a training needs to go on, and all that a generator needs to play. docs/formats.md tells the layout.
 *
 * Every tensor carries a checksum that reading verifies. */
#ifndef DRUMLINE_MODEL_CHECKPOINT_H
#define DRUMLINE_MODEL_CHECKPOINT_H

#include "base/metric.h"
#include "model/optimizer/optimizer.h"

#define CHECKPOINT_FORMAT "drumline-checkpoint"

enum { CHECKPOINT_TEXT_SIZE = 128 };

/* Where a training stands. */
struct checkpoint {
    char config[CHECKPOINT_TEXT_SIZE];
    char content_sha256[CHECKPOINT_TEXT_SIZE]; /* of the data set */
    char program_version[CHECKPOINT_TEXT_SIZE];
    char date[CHECKPOINT_TEXT_SIZE];
    struct hparams hparams;
    uint64_t seed;
    uint64_t step;             /* updates tried so far */
    uint64_t epoch;            /* from 0 */
    uint64_t position;         /* windows of the epoch that were used */
    uint64_t updates, skipped; /* of the optimizer */
    int num_ranks;
    bool has_validation; /* the last evaluation that the training made */
    uint64_t validation_step;
    struct metric_values validation; /* of the hparams' representation; NaN: not known */
};

/* Writes to `path`, replacing what is there, atomically (base/io/atomic_file.h). values, m, v [table->num_floats]. */
bool checkpoint_save(const char *path, const struct checkpoint *checkpoint, const struct tensor_table *table,
                     const float *values, const float *m, const float *v, struct error *error);

/* The same without that care, for a caller that has a temporary file of its own at `path`; messages name `shown_path`. */
bool checkpoint_write(const char *path, const char *shown_path, const struct checkpoint *checkpoint,
                      const struct tensor_table *table, const float *values, const float *m, const float *v,
                      struct error *error);

/* Everything but the tensors. */
bool checkpoint_read(struct checkpoint *checkpoint, const char *path, struct error *error);

/* The tensors into values and, where they are not NULL, m and v. Fails where one is missing, has another shape, fails its
 * checksum or holds a number that is not finite. */
bool checkpoint_read_tensors(const char *path, const struct tensor_table *table, float *values, float *m, float *v,
                             struct error *error);

/* A checkpoint that stays open, so that its file is checked once though only a part of its tensors is wanted. */
struct checkpoint_reader;

/* Opens it and reads everything but the tensors. NULL and the error set on failure. */
struct checkpoint_reader *checkpoint_open(struct checkpoint *checkpoint, const char *path, struct error *error);

/* The first `num_tensors` tensors of the table (the checkpoint's own hparams') into values, which reaches as far as they do.
 * Fails as checkpoint_read_tensors does. */
bool checkpoint_read_values(struct checkpoint_reader *reader, const struct tensor_table *table, int num_tensors,
                            float *values, struct error *error);

/* Closes and frees; NULL does nothing. */
void checkpoint_close(struct checkpoint_reader *reader);

/* "checkpoint-00001000.h5"; owned by the caller. */
char *checkpoint_name(uint64_t step);

/* The checkpoints of a folder, newest first; the array and its strings (whole paths) are the caller's. Files of other names
 * are passed over. A folder that is not there holds none. */
struct checkpoint_list {
    char **paths;
    uint64_t *steps;
    size_t count;
};
bool checkpoint_list_make(struct checkpoint_list *list, const char *folder, struct error *error);
void checkpoint_list_free(struct checkpoint_list *list);

#endif
