#include "dist/halt.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { REPEAT_MILLISECONDS = 1000 };

/* A signal handler has no argument of ours, so this is the one place beside the log with state of the whole process. */
static volatile sig_atomic_t requested_signal;
static int64_t first_stop; /* milliseconds; only the handler uses it, during which its signals are blocked */

static int64_t clock_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A launcher may send the same signal twice at once; a person who sends it again has lost patience. SIGUSR1 is a batch
 * system's warning, after which SIGTERM at the end of the job's time is still the first. */
static void request_halt(int signal_number)
{
    if (requested_signal == 0)
        requested_signal = signal_number;
    if (signal_number == SIGUSR1)
        return;
    int64_t now = clock_milliseconds();
    if (first_stop == 0) {
        first_stop = now;
    } else if (now - first_stop > REPEAT_MILLISECONDS) {
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
    if (requested_signal != 0)
        raise((int)requested_signal);
}

int halt_requested(void)
{
    return requested_signal;
}
