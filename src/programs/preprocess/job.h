/* A job of drumline-preprocess under way: for the files of this folder. */
#ifndef DRUMLINE_PROGRAMS_PREPROCESS_JOB_H
#define DRUMLINE_PROGRAMS_PREPROCESS_JOB_H

#include "base/io/atomic_file.h"
#include "base/io/background.h"
#include "base/io/folder_lock.h"
#include "data/dataset/index.h"
#include "data/dataset/intake.h"
#include "dist/comm.h"
#include "programs/preprocess/options.h"

/* A rank's shard on its way to the disk, on a thread of its own: rank 0 makes the index meanwhile. */
struct flushing {
    struct atomic_file file;
    bool ok;
    struct error error;
};

/* What the ranks do together. */
struct job {
    struct comm *comm;
    const struct preprocess_options *options; /* not owned */
    struct intake_rules rules;
    char *path_text;    /* all paths, each with its NUL; owned */
    const char **paths; /* [num_paths], into path_text; owned */
    size_t num_paths;
    size_t num_unreadable_folders; /* rank 0's, below the input folder */
    struct splits splits;
    struct shard_writer shard;
    struct intake_counts counts;
    struct background *background; /* owned; NULL where nothing is being flushed */
    struct flushing flushing;
    struct dataset_index index;    /* rank 0's */
    struct atomic_file index_file; /* rank 0's; its path is NULL where it has its name, or is not begun */
    struct folder_lock lock;       /* rank 0's, of the output folder */
    char *staging;                 /* owned; NULL where nothing is staged */
    char *made;                    /* rank 0's, owned: the uppermost folder that it made for the output; NULL: none */
    bool committing;               /* rank 0: what is staged is complete, and may be the only data set there is */
};

#endif
