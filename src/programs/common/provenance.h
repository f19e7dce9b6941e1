/* How a MIDI file was made, as a text event in it: the program's version, a hash of the model, and the command that makes it
 * again.
 *
 *     made by drumline-generate 0.1.0 (model xxh3 0123456789abcdef, file 3 of 5): drumline-generate --config=... --seed=7
 *
 * A command that comes out of a file of unknown origin is printed for people to run, so it is taken apart before: it names this
 * program and nothing but options of the form --name=value, whose values a shell takes as they are. */
#ifndef DRUMLINE_PROGRAMS_COMMON_PROVENANCE_H
#define DRUMLINE_PROGRAMS_COMMON_PROVENANCE_H

#include "base/error.h"
#include "base/text.h"

#define PROVENANCE_PREFIX "made by drumline-generate "

enum { PROVENANCE_WORD_SIZE = 64 };

struct provenance {
    char version[PROVENANCE_WORD_SIZE], model_hash[PROVENANCE_WORD_SIZE];
    int number, count; /* of the file, from 1, and of the files that the command makes */
    char *command;     /* but for --output_dir; owned */
};

/* The text event; owned by the caller. */
char *provenance_text(const struct provenance *provenance);

/* Takes a text apart. False, and *provenance empty, where it is none of ours or its command is not one to be run. */
bool provenance_parse(struct provenance *provenance, const char *text);
void provenance_free(struct provenance *provenance);

/* What is in the MIDI file at `path`; false where there is nothing, or the file can't be read. */
bool provenance_of_file(struct provenance *provenance, const char *path);

/* A value as a shell takes it: as it is, or in single quotes; owned by the caller. */
char *provenance_quote(const char *value);

#endif
