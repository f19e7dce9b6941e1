/* Runs a fuzz target without libFuzzer: driver NUMBER SEED FOLDER.
 *
 * First on each file of the folder, then on NUMBER mutations of them. The same seed gives the same inputs. An input at which the
 * target ends, or works longer than ten seconds, is written to a file whose name is printed; the driver runs on a single file
 * too, in the place of the folder. */
#include "base/io/files.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 4096, MOST_FILES = 256, MOST_SECONDS = 10 };

struct input {
    uint8_t bytes[MOST_BYTES];
    size_t size;
};

static struct input current; /* what the target is working on, for the handler */

/* Made of what may be called in a signal handler. */
static void keep_input(int number)
{
    static const char name[] = "fuzz-input-that-fails",
                      words[] = "fuzzing: the input is in the file fuzz-input-that-fails\n";
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t written = write(file, current.bytes, current.size);
    written += write(STDERR_FILENO, words, sizeof words - 1);
    (void)written;
    signal(number, SIG_DFL);
    raise(number);
}

static void run(const struct input *input)
{
    current = *input;
    alarm(MOST_SECONDS);
    LLVMFuzzerTestOneInput(current.bytes, current.size);
    alarm(0);
}

/* Marsaglia's xorshift64*. */
static uint32_t draw(uint64_t *state, uint32_t below)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * 2685821657736338717ULL) >> 32) % below;
}

/* Puts `count` bytes in the place of `cut` ones at `at`, as far as there is room. */
static void splice(struct input *input, size_t at, size_t cut, const uint8_t *bytes, size_t count)
{
    size_t rest = input->size - at - cut;
    if (count > MOST_BYTES - at - rest)
        count = MOST_BYTES - at - rest;
    memmove(input->bytes + at + count, input->bytes + at + cut, rest);
    if (count > 0)
        memcpy(input->bytes + at, bytes, count);
    input->size = at + count + rest;
}

static void mutate(struct input *input, const struct input *other, uint64_t *state)
{
    static const uint8_t odd[] = {0,   1,   9,   10,   13,   '"',  ',',  '-',  '0',  '9',
                                  '=', '[', '{', 0x7f, 0x80, 0x81, 0xc0, 0xf7, 0xfe, 0xff};
    static const char *const words[] = {"-1",      "1e999", "nan", "9223372036854775808", "\"\"", "\r\n",
                                        "\\u0000", "null",  "[]"};
    size_t at = draw(state, (uint32_t)input->size + 1), left = input->size - at;
    size_t length = left > 0 ? 1 + draw(state, (uint32_t)(left < 64 ? left : 64)) : 0;
    size_t from = draw(state, (uint32_t)other->size + 1), most = other->size - from < 64 ? other->size - from : 64;
    const char *word = words[draw(state, sizeof words / sizeof *words)];
    switch (draw(state, 6)) {
    case 0:
        if (left > 0)
            input->bytes[at] ^= (uint8_t)(1u << draw(state, 8));
        break;
    case 1:
        if (left > 0)
            input->bytes[at] = odd[draw(state, sizeof odd)];
        break;
    case 2:
        splice(input, at, length, NULL, 0);
        break;
    case 3:
        splice(input, at, 0, other->bytes + from, most);
        break;
    case 4:
        splice(input, at, draw(state, 2) ? length : 0, (const uint8_t *)word, strlen(word));
        break;
    default:
        splice(input, at, 0, &odd[draw(state, sizeof odd)], 1);
    }
}

static void load(struct input *input, const char *path)
{
    struct error error;
    uint8_t *bytes;
    if (!file_read(&bytes, &input->size, path, MOST_BYTES, &error)) {
        fprintf(stderr, "%s\n", error.message);
        exit(EXIT_FAILURE);
    }
    memcpy(input->bytes, bytes, input->size);
    free(bytes);
}

/* The corpus, which must not be empty. */
static size_t load_all(struct input *corpus, const char *path)
{
    static const char *const suffixes[] = {"", NULL};
    struct file_list list;
    struct error error;
    if (file_exists(path)) {
        load(corpus, path);
        return 1;
    }
    if (!file_list_make(&list, path, false, suffixes, &error) || list.count == 0 || list.count > MOST_FILES) {
        fprintf(stderr, "%s: not a corpus of 1 to %d files\n", path, MOST_FILES);
        exit(EXIT_FAILURE);
    }
    size_t count = list.count;
    for (size_t i = 0; i < count; i++) {
        char *file = path_join(path, list.paths[i]);
        load(&corpus[i], file);
        free(file);
    }
    file_list_free(&list);
    return count;
}

int main(int argc, char **argv)
{
    static const int ends[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
    static struct input corpus[MOST_FILES], input;
    if (argc != 4) {
        fprintf(stderr, "usage: %s NUMBER SEED FOLDER\n", argv[0]);
        return 2;
    }
    long number = strtol(argv[1], NULL, 10);
    uint64_t state = strtoull(argv[2], NULL, 10) * 2 + 1;
    size_t count = load_all(corpus, argv[3]);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        signal(ends[i], keep_input);
    for (size_t i = 0; i < count; i++)
        run(&corpus[i]);
    for (long i = 0; i < number; i++) {
        input = corpus[draw(&state, (uint32_t)count)];
        for (uint32_t changes = 1 + draw(&state, 6); changes > 0; changes--)
            mutate(&input, &corpus[draw(&state, (uint32_t)count)], &state);
        run(&input);
    }
    fprintf(stderr, "%zu files and %ld mutations of them\n", count, number);
    return EXIT_SUCCESS;
}
