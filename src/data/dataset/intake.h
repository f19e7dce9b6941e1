/* From one MIDI file to performances in a shard, or to a count of why not. */
#ifndef DRUMLINE_DATA_DATASET_INTAKE_H
#define DRUMLINE_DATA_DATASET_INTAKE_H

#include "data/dataset/index.h"
#include "data/dataset/shard.h"
#include "data/dataset/splits.h"
#include "data/midi/drum_notes.h"

/* Bars: a longer silence within a performance divides it into two. */
enum { INTAKE_LONG_SILENCE = 16 };

/* What is taken in. */
struct intake_rules {
    bool only_beat; /* keep performances in `beat` alone; bars of 16 sixteenths are the same however they are written */
    struct time_signature beat;
    uint32_t min_bars; /* keep performances of at least so many bars */
    struct drum_map map;
    struct drum_choice choice;
    bool strict;          /* refuse files that break the specification instead of repairing them */
    bool skip_unreadable; /* skip files that the system can't read, instead of failing */
    bool split_by_path;   /* of files in no table: by a hash of the path, else of the onsets */
};

/* What copies of one performance have in common. */
struct intake_key {
    uint64_t hash; /* of the steps that are hit, in all stretches */
    uint64_t split;
};

/* What was found on the way; all zero at first. Ranks add theirs up, but for the keys. */
struct intake_counts {
    struct dataset_counts sums;
    struct pitch_census census; /* of the drum notes, kept or lost */
    uint64_t repairs[NUM_MIDI_REPAIRS];
    uint64_t num_repaired;                /* files */
    uint64_t evidence[NUM_DRUM_EVIDENCE]; /* files by what says that their notes are drums */
    uint64_t num_lossy;                   /* files of which the map does not know more than a tenth of the drum notes */
    uint64_t num_replaced;                /* files with a click on channel 10, and drums elsewhere */
    uint64_t num_name_signatures;         /* files whose name gave the time signature */
    struct intake_key *keys;              /* [num_keys], owned: of each file that was kept */
    size_t num_keys, keys_capacity;
};

/* Reads FOLDER/PATH and appends its performances to the shard. What is skipped is counted by reason; a file that could not
 * be read, or that was repaired, is warned of by name, the rest is named at --log=debug, and so are pitches that the map
 * does not know and files that lose more than a tenth of their drum notes to that. A file that holds several performances (see grid_list_make) gives several rows of the same path, and so does one with long
 * silences, whose bars are counted; silence before the first hit stays; copies of
 * one performance under two names are two rows, in one split.
 *
 * The time signature is the file's own; where it has none, that of its row in `splits`; else that of a name of the Groove
 * set's pattern ("1_funk_80_beat_6-8.mid", E-GMD's "1_funk_80_beat_6-8_12.midi"); else 4/4. Fails where there is no
 * memory left and, without `skip_unreadable`, where the system can't read the file: the data set would be a smaller one. */
bool intake_file(struct shard_writer *writer, struct intake_counts *counts, const char *folder, const char *path,
                 const struct splits *splits, const struct intake_rules *rules, struct error *error);

/* The name under which a path stands in a data set: itself where it is UTF-8 without control characters, else with every
 * other byte written as \xNN. Owned by the caller; NULL where there is no memory. */
char *intake_shown_path(const char *path);

void intake_counts_free(struct intake_counts *counts);

#endif
