#include "base/ticker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct ticker {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stopped; /* timed by CLOCK_MONOTONIC */
    bool stopping;
    double seconds;
    bool (*tick)(void *context);
    void *context;
};

static struct timespec time_after(double seconds)
{
    enum { NANOSECONDS = 1000000000 };
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    time_t whole = (time_t)seconds;
    until.tv_sec += whole;
    until.tv_nsec += (long)((seconds - (double)whole) * NANOSECONDS);
    if (until.tv_nsec >= NANOSECONDS) {
        until.tv_nsec -= NANOSECONDS;
        until.tv_sec++;
    }
    return until;
}

/* True where it is time for the next call, false where the ticker is stopped. */
static bool wait_for_next(struct ticker *ticker)
{
    struct timespec until = time_after(ticker->seconds);
    int result = 0;
    pthread_mutex_lock(&ticker->mutex);
    while (!ticker->stopping && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&ticker->stopped, &ticker->mutex, &until);
    bool goes_on = !ticker->stopping;
    pthread_mutex_unlock(&ticker->mutex);
    return goes_on;
}

static void *run(void *argument)
{
    struct ticker *ticker = argument;
    while (wait_for_next(ticker) && ticker->tick(ticker->context))
        ;
    return NULL;
}

static void free_memory(struct ticker *ticker)
{
    pthread_cond_destroy(&ticker->stopped);
    pthread_mutex_destroy(&ticker->mutex);
    free(ticker);
}

struct ticker *ticker_start(double seconds, bool (*tick)(void *context), void *context, struct error *error)
{
    sigset_t all, before;
    pthread_condattr_t attributes;
    struct ticker *ticker = calloc(1, sizeof *ticker);
    if (!ticker) {
        error_set(error, "no memory for a thread");
        return NULL;
    }
    ticker->seconds = seconds;
    ticker->tick = tick;
    ticker->context = context;
    pthread_mutex_init(&ticker->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ticker->stopped, &attributes);
    pthread_condattr_destroy(&attributes);
    /* A new thread has its maker's mask. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int reason = pthread_create(&ticker->thread, NULL, run, ticker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason == 0)
        return ticker;
    error_set_errno(error, reason, "can't start a thread");
    free_memory(ticker);
    return NULL;
}

void ticker_stop(struct ticker *ticker)
{
    if (!ticker)
        return;
    pthread_mutex_lock(&ticker->mutex);
    ticker->stopping = true;
    pthread_cond_signal(&ticker->stopped);
    pthread_mutex_unlock(&ticker->mutex);
    pthread_join(ticker->thread, NULL);
    free_memory(ticker);
}
