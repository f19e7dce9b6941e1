/* From one MIDI file to performances in a shard, or to a count of why not. */
#ifndef DRUMLINE_DATA_DATASET_INTAKE_H
#define DRUMLINE_DATA_DATASET_INTAKE_H

#include "data/dataset/index.h"
#include "data/dataset/shard.h"
#include "data/dataset/splits.h"

/* What is taken in. */
struct intake_rules {
    bool only_beat; /* keep performances in `beat` alone */
    struct time_signature beat;
    uint32_t min_bars; /* keep performances of at least so many bars */
    struct drum_map map;
};

/* What was found on the way. */
struct intake_counts {
    struct dataset_counts sums;
    struct pitch_census census; /* of the drum notes, kept or lost */
};

/* Reads FOLDER/PATH and appends its performances to the shard. What is left out is counted by reason; a file that could
 * not be read or is damaged is also warned of by name, the rest is named at --log=debug, and so are pitches that the map does not know. A file that holds several
 * performances (see grid_list_make) gives several rows of the same path. Nothing looks for duplicates: the same music
 * under two names is two performances.
 *
 * The time signature is the file's own; where it has none, that of its row in `splits`; else the tag that its name ends
 * in ("..._6-8.mid"); else 4/4. Fails only where there is no memory left. */
bool intake_file(struct shard_writer *writer, struct intake_counts *counts, const char *folder, const char *path,
                 const struct splits *splits, const struct intake_rules *rules, struct error *error);

#endif
