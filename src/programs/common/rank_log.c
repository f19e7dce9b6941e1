#include "programs/common/rank_log.h"

#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The host's name is no path: it may hold anything. */
static char *make_name(const struct comm *comm)
{
    char *name = format_text("rank-%04d-%s.log", comm_rank(comm), comm_host(comm));
    for (char *c = name; *c; c++)
        if (*c == '/' || (unsigned char)*c <= ' ' || (unsigned char)*c > '~')
            *c = '_';
    return name;
}

/* A word as a shell takes it, at the end of the line, which is replaced. */
static void add_word(char **line, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=,.:/%@";
    bool is_plain = word[0] && word[strspn(word, plain)] == '\0';
    char *quoted = malloc(4 * strlen(word) + 3), *end = quoted;
    if (!quoted)
        return;
    if (!is_plain)
        *end++ = '\'';
    for (; *word; word++)
        if (*word == '\'')
            end = stpcpy(end, "'\\''");
        else
            *end++ = *word;
    if (!is_plain)
        *end++ = '\'';
    *end = '\0';
    char *longer = format_text("%s %s", *line, quoted);
    free(*line);
    free(quoted);
    *line = longer;
}

/* Owned by the caller. */
static char *join_words(int count, char **words)
{
    char *line = format_text("command line:");
    for (int i = 0; i < count; i++)
        add_word(&line, words[i]);
    return line;
}

/* The processors this process may run on, as "0-3,8"; "?" where that is unknown. */
static void read_processors(char *text, size_t size)
{
    static const char key[] = "Cpus_allowed_list:";
    char line[512];
    FILE *file = fopen("/proc/self/status", "r");
    snprintf(text, size, "?");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, sizeof key - 1) != 0)
            continue;
        char *value = line + sizeof key - 1 + strspn(line + sizeof key - 1, " \t");
        value[strcspn(value, "\n")] = '\0';
        snprintf(text, size, "%s", value);
    }
    if (file)
        fclose(file);
}

static void write_head(const struct comm *comm, const struct program *program, int argc, char **argv)
{
    char processors[256], folder[4096];
    const char *job = getenv("SLURM_JOB_ID"), *restart = getenv("SLURM_RESTART_COUNT");
    char *words = join_words(argc, argv);
    read_processors(processors, sizeof processors);
    log_record("---- %s %s starts: rank %d of %d, on %s number %d of %d, process %ld%s%s%s%s", program->name,
               drumline_version(), comm_rank(comm), comm_size(comm), comm_host(comm), comm_local_rank(comm),
               comm_local_size(comm), (long)getpid(), job ? ", Slurm job " : "", job ? job : "",
               restart ? ", restart " : "", restart ? restart : "");
    log_record("%s", words);
    log_record("in %s, processors %s", getcwd(folder, sizeof folder) ? folder : "?", processors);
    free(words);
}

bool rank_log_start(struct comm *comm, const char *folder, const struct program *program, int argc, char **argv,
                    struct error *error)
{
    if (!folder)
        return true;
    char *name = make_name(comm), *path = path_join(folder, name);
    bool ok = folder_make(folder, error) && log_open_file(path, error);
    free(name);
    free(path);
    if (!ok)
        error_prefix(error, "--log_dir");
    else
        write_head(comm, program, argc, argv);
    return comm_all_ok(comm, ok, error);
}

void rank_log_end(int status)
{
    log_record("ends with status %d", status);
}
