/* index.h5: all shards of a data set as one, in an order that no number of ranks changes.
 *
 * docs/formats.md describes the file: /performances of all shards sorted by path, with the shard's number added; /hits,
 * /velocity and /offset as virtual datasets over the shards in that order; counts, and content_sha256. */
#ifndef DRUMLINE_DATA_DATASET_INDEX_H
#define DRUMLINE_DATA_DATASET_INDEX_H

#include "base/io/atomic_file.h"
#include "base/representation.h"
#include "data/dataset/performance_table.h"

#define INDEX_FORMAT "drumline-index"
#define INDEX_NAME "index.h5"

/* Why a file or performance was skipped. */
enum skip_reason {
    SKIPPED_UNREADABLE,
    SKIPPED_DAMAGED,
    SKIPPED_UNSUPPORTED,
    SKIPPED_NAME,
    SKIPPED_NO_DRUMS,
    SKIPPED_TIME_SIGNATURE,
    SKIPPED_BROKEN_BAR,
    SKIPPED_SHORT,
    SKIPPED_LONG,
    SKIPPED_NOT_DRUMS, /* not in data sets of the first version */
    NUM_SKIP_REASONS
};

/* "time_signature": what the attribute skipped_time_signature ends in. */
const char *skip_reason_name(enum skip_reason reason);

/* "another time signature": what the table of counts says. */
const char *skip_reason_words(enum skip_reason reason);

struct dataset_counts {
    uint64_t num_files; /* MIDI files that were found */
    uint64_t num_kept;  /* performances */
    uint64_t num_hits;
    uint64_t num_unknown;     /* onsets of a pitch that is no drum's */
    uint64_t num_melodic;     /* onsets beside channel 10 */
    uint64_t num_silent_bars; /* in long silences, which are no performance's */
    uint64_t skipped[NUM_SKIP_REASONS];
};

struct dataset_index {
    struct lost_pitch
        lost[NUM_PITCHES]; /* [num_lost], the most frequent first; none in data sets of the first version */
    size_t num_lost;
    struct performance_table table; /* by path; first_step in the order of the whole; digests zero when read */
    struct dataset_counts counts;
    uint64_t num_steps;
    uint32_t num_shards;
    int representation; /* row of representation_table that the data set is for */
    char content_sha256[2 * DIGEST_SIZE + 1];
    struct drum_map
        drum_map; /* that notes were read with; a nameless one is not written, and is read as roland, which the
                                 first version had alone */
};

/* Makes the index from the shards' tables, whose digests must be set and whose rows must be sorted by path, as they are
 * where files were taken in that order. `counts` is copied; drum_map and lost are left for the caller to set. */
bool dataset_index_make(struct dataset_index *index, const struct performance_table *tables, uint32_t num_shards,
                        const struct dataset_counts *counts, struct error *error);

/* Writes it to a file that has been started, which must lie in the shards' folder in the end. Flushing and naming the file is
 * left to the caller. */
bool dataset_index_write(const struct dataset_index *index, struct atomic_file *to, struct error *error);

/* Reads FOLDER/index.h5 and checks it; what the shards hold is not looked at. */
bool dataset_index_read(struct dataset_index *index, const char *folder, struct error *error);

/* The index as bytes, owned by the caller, for another process of this program on the same kind of machine; and an index made
 * of such bytes. Bytes that are cut off are refused. */
bool dataset_index_pack(uint8_t **bytes, size_t *size, const struct dataset_index *index, struct error *error);
bool dataset_index_unpack(struct dataset_index *index, const uint8_t *bytes, size_t size, struct error *error);

void dataset_index_free(struct dataset_index *index);

#endif
