#include "base/process.h"

#include "base/host.h"

#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The first line of a file of /proc; false where it can't be read. */
static bool read_line(char *line, size_t size, const char *path)
{
    line[0] = '\0';
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = read(file, line, size - 1);
    close(file);
    line[length > 0 ? length : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return length > 0;
}

static bool read_stat(char *text, size_t size, long pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    return read_line(text, size, path);
}

/* State and start (fields 3 and 22 of proc(5)) behind the name, which may hold spaces and parentheses. */
static bool parse_stat(char *state, unsigned long long *start, const char *stat)
{
    const char *field = strrchr(stat, ')');
    if (!field || sscanf(field + 1, " %c", state) != 1)
        return false;
    field++;
    for (int i = 0; i < 19 && field; i++)
        field = strchr(field + 1, ' ');
    return field && sscanf(field, " %llu", start) == 1;
}

static void describe_place(struct process *process)
{
    read_line(process->boot, sizeof process->boot, "/proc/sys/kernel/random/boot_id");
    ssize_t length = readlink("/proc/self/ns/pid", process->space, sizeof process->space - 1);
    process->space[length > 0 ? length : 0] = '\0';
}

void process_begin(void)
{
    signal(SIGXFSZ, SIG_IGN);
}

void process_describe_self(struct process *self)
{
    char stat[1024], state;
    *self = (struct process){.pid = (long)getpid()};
    host_name(self->host);
    describe_place(self);
    if (!read_stat(stat, sizeof stat, self->pid) || !parse_stat(&state, &self->start, stat))
        self->start = 0;
}

enum process_state process_judge(const struct process *process, const char *stat, int signal_error)
{
    char state;
    unsigned long long start;
    if (!stat || !parse_stat(&state, &start, stat))
        return signal_error == ESRCH ? PROCESS_GONE : PROCESS_ALIVE;
    if (state == 'Z' || state == 'X')
        return PROCESS_GONE;
    return process->start == 0 || start == process->start ? PROCESS_ALIVE : PROCESS_GONE;
}

/* Of a process in sight. */
static enum process_state look_here(const struct process *process)
{
    char stat[1024];
    if (process->pid <= 0 || process->pid > INT32_MAX)
        return PROCESS_GONE;
    bool is_read = read_stat(stat, sizeof stat, process->pid);
    int signal_error = kill((pid_t)process->pid, 0) == 0 ? 0 : errno;
    return process_judge(process, is_read ? stat : NULL, signal_error);
}

enum process_state process_look(const struct process *process)
{
    struct process here = {.pid = 0};
    describe_place(&here);
    if (!here.boot[0] || !here.space[0] || strcmp(process->boot, here.boot) != 0 ||
        strcmp(process->space, here.space) != 0)
        return PROCESS_OUT_OF_SIGHT;
    return look_here(process);
}

/* Where the system has no random bytes to give: time, process and stack are at least this process's own. */
static void mix_own_bits(uint64_t bits[2])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t words[] = {(uint64_t)now.tv_sec, (uint64_t)now.tv_nsec, (uint64_t)getpid(), (uint64_t)(uintptr_t)&now};
    XXH128_hash_t hash = XXH3_128bits(words, sizeof words);
    bits[0] = hash.high64;
    bits[1] = hash.low64;
}

void process_make_token(char token[PROCESS_TOKEN_SIZE])
{
    uint64_t bits[2];
    if (getentropy(bits, sizeof bits) != 0)
        mix_own_bits(bits);
    snprintf(token, PROCESS_TOKEN_SIZE, "%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
}

/* 0 where the place is not known. */
static uint64_t hash_place(const struct process *process)
{
    char text[2 * PROCESS_WORD_SIZE + 1];
    int length = snprintf(text, sizeof text, "%s %s", process->boot, process->space);
    return process->boot[0] && process->space[0] ? XXH3_64bits(text, (size_t)length) : 0;
}

void process_make_tag(char tag[PROCESS_TAG_SIZE])
{
    struct process self;
    char token[PROCESS_TOKEN_SIZE];
    process_describe_self(&self);
    process_make_token(token);
    snprintf(tag, PROCESS_TAG_SIZE, "%016" PRIx64 "-%llx-%.16s", hash_place(&self), self.start, token);
}

bool process_look_tag(enum process_state *state, const char *tag, long pid)
{
    enum { PLACE_DIGITS = 16, START_DIGITS = 16, RANDOM_DIGITS = 16 };
    static const char digits[] = "0123456789abcdef";
    struct process here = {.pid = 0}, process = {.pid = pid};
    size_t start_digits =
        strspn(tag, digits) == PLACE_DIGITS && tag[PLACE_DIGITS] == '-' ? strspn(tag + PLACE_DIGITS + 1, digits) : 0;
    const char *random = tag + PLACE_DIGITS + 1 + start_digits + 1;
    if (start_digits == 0 || start_digits > START_DIGITS || random[-1] != '-' ||
        strspn(random, digits) != RANDOM_DIGITS || random[RANDOM_DIGITS] != '\0')
        return false;
    uint64_t place = strtoull(tag, NULL, 16);
    process.start = strtoull(tag + PLACE_DIGITS + 1, NULL, 16);
    describe_place(&here);
    *state = place != 0 && place == hash_place(&here) ? look_here(&process) : PROCESS_OUT_OF_SIGHT;
    return true;
}
