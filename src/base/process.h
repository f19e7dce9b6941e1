/* Which process wrote a file, and whether it is still alive: for locks, staging folders and temporary files. */
#ifndef DRUMLINE_BASE_PROCESS_H
#define DRUMLINE_BASE_PROCESS_H

#include "base/host.h"

#include <stdbool.h>

enum { PROCESS_WORD_SIZE = 64, PROCESS_TOKEN_SIZE = 33 };

/* To be called first by each program: a file that may not grow (ulimit -f, SIGXFSZ) is a write that fails, with a message, and
 * not the program's end. */
void process_begin(void);

/* A process, among those of all hosts and containers. Process numbers mean something within one PID namespace of one boot
 * alone, and are used again there; the start time distinguishes two processes with the same number. */
struct process {
    char host[HOST_NAME_SIZE];
    char boot[PROCESS_WORD_SIZE];  /* "" where unknown */
    char space[PROCESS_WORD_SIZE]; /* of process numbers, as in "pid:[4026531836]"; "" where unknown */
    long pid;
    unsigned long long start; /* clock ticks since boot; 0 where unknown */
};

void process_describe_self(struct process *self);

enum process_state {
    PROCESS_ALIVE,
    PROCESS_GONE,
    PROCESS_OUT_OF_SIGHT, /* of another boot or PID namespace, so nothing can be known from here */
};

/* Of a process that was described here or elsewhere. One that ended but was not waited for is gone; one that this user may
 * not signal, or whose folder in /proc is hidden, is alive. */
enum process_state process_look(const struct process *process);

/* The decision of process_look about a process in sight: `stat` is the text of /proc/PID/stat, NULL where it can't be read;
 * `signal_error` is errno after kill(pid, 0), 0 where that succeeded. */
enum process_state process_judge(const struct process *process, const char *stat, int signal_error);

/* 128 random bits in hexadecimal, different in each call and each process. */
void process_make_token(char token[PROCESS_TOKEN_SIZE]);

/* A process in the name of a file: "PLACE-START-RANDOM" in hexadecimal, where PLACE stands for boot and PID namespace.
 * Different in each call. */
enum { PROCESS_TAG_SIZE = 64 };
void process_make_tag(char tag[PROCESS_TAG_SIZE]);

/* Of the process `pid` that made the tag; false where `tag` is none. */
bool process_look_tag(enum process_state *state, const char *tag, long pid);

#endif
