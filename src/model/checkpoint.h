/* Checkpoints: the state of a training, or a model alone. docs/formats.md has the layout.
 *
 * A checkpoint holds its attributes and groups of tensors, all of one table: the weights always, and whatever else who
 * writes it has, such as the optimizer's moments. A checkpoint of the weights alone is a model file. Every tensor that we
 * write carries a checksum that reading verifies. */
#ifndef DRUMLINE_MODEL_CHECKPOINT_H
#define DRUMLINE_MODEL_CHECKPOINT_H

#include "base/io/atomic_file.h"
#include "base/metric.h"
#include "model/checkpoint_latents.h"
#include "model/nn/tensors.h"
#include "model/vae/hparams.h"

#define CHECKPOINT_FORMAT "drumline-checkpoint"
#define CHECKPOINT_WEIGHTS "model"        /* the group that every checkpoint has */
#define CHECKPOINT_AVERAGED_WEIGHTS "ema" /* their moving average, with the hparam ema_decay */

enum { CHECKPOINT_TEXT_SIZE = 128, CHECKPOINT_NOTE_SIZE = 1024 };

/* The lowest val_loss of a training so far. */
struct checkpoint_best {
    bool is_known;
    uint64_t step; /* of that evaluation */
    double val_loss;
    uint64_t evaluations_since; /* without a lower one */
};

/* Where a training stands. */
struct checkpoint {
    char config[CHECKPOINT_TEXT_SIZE];
    char content_sha256[CHECKPOINT_TEXT_SIZE]; /* of the data set */
    char program_version[CHECKPOINT_TEXT_SIZE];
    char date[CHECKPOINT_TEXT_SIZE];
    char licence[CHECKPOINT_NOTE_SIZE], attribution[CHECKPOINT_NOTE_SIZE]; /* of a model file; "": none */
    char recipe[CHECKPOINT_NOTE_SIZE];                                     /* the command that trains it; "": none */
    /* The name and table of the drum map that the data were read with; "" in checkpoints of the first version. */
    char drum_map[CHECKPOINT_NOTE_SIZE], drum_map_table[CHECKPOINT_NOTE_SIZE];
    struct hparams hparams;
    uint64_t seed;
    uint64_t step;             /* updates tried so far */
    uint64_t epoch;            /* from 0 */
    uint64_t position;         /* windows of the epoch that were used */
    uint64_t updates, skipped; /* of the optimizer */
    int num_ranks;
    bool is_sealed;      /* set by reading: whether the file has a seal (base/hdf5/seal.h) */
    bool has_validation; /* the last evaluation that the training made */
    uint64_t validation_step;
    struct metric_values validation; /* of the hparams' representation; NaN: not known */
    struct checkpoint_best best;
    uint64_t eval_steps; /* --eval_steps of the run; 0: none */
};

enum checkpoint_precision { CHECKPOINT_FLOAT32, CHECKPOINT_FLOAT16 };

/* The tensors that are written. All of it is the caller's. */
struct checkpoint_content {
    const struct tensor_table *table;
    const struct tensor_group *groups;
    size_t num_groups;
    enum checkpoint_precision precision;
    const struct latents *latents; /* NULL: none; written as 32-bit floats */
};

/* Writes to `path`, replacing what is there, atomically (base/io/atomic_file.h). Fails also where a number is not finite or
 * too large for CHECKPOINT_FLOAT16. */
bool checkpoint_save(const char *path, const struct checkpoint *checkpoint, const struct checkpoint_content *content,
                     struct error *error);

/* The same in parts: writes to a file that has been started. Flushing, naming or abandoning it is left to the caller. */
bool checkpoint_write(struct atomic_file *to, const struct checkpoint *checkpoint,
                      const struct checkpoint_content *content, struct error *error);

/* Everything but the tensors' values; checks that the weights are there in their sizes. */
bool checkpoint_read(struct checkpoint *checkpoint, const char *path, struct error *error);

/* The tensors of some groups. `table` is that of the checkpoint's own hparams. Fails where a tensor is missing, has another
 * shape or type (32-bit and 16-bit floats are read), fails its checksum or holds a number that is not finite. */
bool checkpoint_read_groups(const char *path, const struct tensor_table *table, const struct tensor_group *groups,
                            size_t num_groups, struct error *error);

/* A checkpoint that stays open, so that its file is checked once though only a part of its tensors is wanted. */
struct checkpoint_reader;

/* As checkpoint_read, and keeps the file open. NULL and the error set on failure. */
struct checkpoint_reader *checkpoint_open(struct checkpoint *checkpoint, const char *path, struct error *error);

/* Whether there is a group of that name. */
bool checkpoint_has(const struct checkpoint_reader *reader, const char *group);

/* The group of the weights to evaluate and generate with: the averaged ones where there are some. */
const char *checkpoint_best_weights(const struct checkpoint_reader *reader);

/* How the weights are stored. */
enum checkpoint_precision checkpoint_precision(const struct checkpoint_reader *reader);

/* Reads all tensors of a group as checkpoint_read_group does, and keeps none. */
bool checkpoint_verify(struct checkpoint_reader *reader, const char *group, struct error *error);

/* The first `num_tensors` tensors of one group into group->values, which reaches as far as they do. Fails as
 * checkpoint_read_groups does. */
bool checkpoint_read_group(struct checkpoint_reader *reader, const struct tensor_table *table, int num_tensors,
                           const struct tensor_group *group, struct error *error);

/* What the file has of latent densities; empty, and that is no failure, where it has none. `latents` is the caller's. */
bool checkpoint_read_latents(struct checkpoint_reader *reader, struct latents *latents, struct error *error);

/* Standard deviations of what the model's velocities and offsets leave of the data's, class by class: sd [D], in the columns of
 * the heads of those kinds, 0 in all others; from latents/velocity_sd and latents/offset_sd. *found is false, and sd 0, where the file
 * has none. */
bool checkpoint_read_residuals(const struct checkpoint_reader *reader, float *sd, bool *found, struct error *error);

/* Closes and frees; NULL does nothing. */
void checkpoint_close(struct checkpoint_reader *reader);

/* "checkpoint-00001000.h5"; owned by the caller. */
char *checkpoint_name(uint64_t step);

/* The checkpoints of a folder, newest first; the array and its strings (whole paths) are the caller's. Files of other names
 * are skipped. A missing folder has none. */
struct checkpoint_list {
    char **paths;
    uint64_t *steps;
    size_t count;
};
bool checkpoint_list_make(struct checkpoint_list *list, const char *folder, struct error *error);
void checkpoint_list_free(struct checkpoint_list *list);

#endif
