#include "dist/halt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

enum { REPEAT_MILLISECONDS = 1000 };

/* A signal handler has no argument of ours, so this is state of the whole process. Handlers of two signals may run at once in
 * two threads, each with the signals blocked in its own alone: lock-free atomics are what both may use. */
static atomic_int requested_signal;
static atomic_llong first_stop; /* milliseconds; 0: no SIGTERM or SIGINT yet */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "for signal handlers");

static long long clock_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
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
    if (!atomic_compare_exchange_strong(&first_stop, &never, now) && now - never > REPEAT_MILLISECONDS) {
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
    signal(SIGXFSZ, SIG_IGN);
}

void halt_uninstall(void)
{
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL);
    int number = atomic_load(&requested_signal);
    if (number != 0)
        raise(number);
}

int halt_requested(void)
{
    return atomic_load(&requested_signal);
}
