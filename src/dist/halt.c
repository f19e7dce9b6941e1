#include "dist/halt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

enum { REPEAT_MILLISECONDS = 1000 };

/* A signal handler has no argument of ours, so this is state of the whole process. Handlers of two signals may run at once in
 * two threads, each with the signals blocked in its own alone: lock-free atomics are what both may use. */
static atomic_int requested_signal;
static atomic_llong first_stop;                 /* milliseconds; 0: no SIGTERM or SIGINT yet */
static _Atomic(const char *) answering_program; /* NULL: no answer is wanted */
static _Atomic(const char *) time_of_halt;
static atomic_int seconds_to_halt;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_POINTER_LOCK_FREE == 2,
               "for signal handlers");

static long long clock_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void put(char *line, size_t *length, size_t size, const char *text)
{
    while (*text && *length < size)
        line[(*length)++] = *text++;
}

static void put_number(char *line, size_t *length, size_t size, int number)
{
    char digits[16];
    int count = 0;
    for (; count == 0 || number > 0; number /= 10)
        digits[count++] = (char)('0' + number % 10);
    while (count > 0 && *length < size)
        line[(*length)++] = digits[--count];
}

/* With what a signal handler may use. */
static void answer(int signal_number)
{
    char line[256];
    size_t length = 0;
    const char *program = atomic_load(&answering_program), *when = atomic_load(&time_of_halt);
    int seconds = atomic_load(&seconds_to_halt), before = errno;
    if (!program)
        return;
    put(line, &length, sizeof line, program);
    put(line, &length, sizeof line, signal_number == SIGINT ? ": SIGINT: " : ": SIGTERM: ");
    put(line, &length, sizeof line, "stopping ");
    put(line, &length, sizeof line, when);
    if (seconds > 0) {
        put(line, &length, sizeof line, ", about ");
        put_number(line, &length, sizeof line, seconds);
        put(line, &length, sizeof line, " s");
    }
    put(line, &length, sizeof line, "; again to abort\n");
    ssize_t ignored = write(STDERR_FILENO, line, length);
    (void)ignored;
    errno = before;
}

/* A launcher may send the same signal twice at once; a person who sends it again has lost patience. SIGUSR1 is a batch
 * system's warning, after which SIGTERM at the end of the job's time is still the first. */
static void request_halt(int signal_number)
{
    int none = 0;
    long long never = 0, now = clock_milliseconds();
    atomic_compare_exchange_strong(&requested_signal, &none, signal_number);
    if (signal_number == SIGUSR1)
        return;
    if (atomic_compare_exchange_strong(&first_stop, &never, now)) {
        answer(signal_number);
    } else if (now - never > REPEAT_MILLISECONDS) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
}

static const int signals[] = {SIGTERM, SIGINT, SIGUSR1};

void halt_install(void)
{
    struct sigaction action = {.sa_handler = request_halt, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaddset(&action.sa_mask, signals[i]);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

void halt_uninstall(void)
{
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL);
    int number = atomic_load(&requested_signal);
    if (number != 0)
        raise(number);
}

/* A signal may come between any two of these: then there is no answer, rather than half of one. */
void halt_answer(const char *program, const char *when, double seconds)
{
    atomic_store(&answering_program, NULL);
    if (!program)
        return;
    atomic_store(&seconds_to_halt, seconds < 1e6 ? (int)seconds : 0);
    atomic_store(&time_of_halt, when);
    atomic_store(&answering_program, program);
}

int halt_requested(void)
{
    return atomic_load(&requested_signal);
}
