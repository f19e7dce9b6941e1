#include "base/io/background.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct background {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* timed by CLOCK_MONOTONIC */
    void (*work)(void *context);
    void *context;
    bool busy, ending;
};

static void *run(void *argument)
{
    struct background *background = argument;
    pthread_mutex_lock(&background->mutex);
    for (;;) {
        while (!background->busy && !background->ending)
            pthread_cond_wait(&background->changed, &background->mutex);
        if (!background->busy)
            break;
        pthread_mutex_unlock(&background->mutex);
        background->work(background->context);
        pthread_mutex_lock(&background->mutex);
        background->busy = false;
        pthread_cond_broadcast(&background->changed);
    }
    pthread_mutex_unlock(&background->mutex);
    return NULL;
}

static void init_locks(struct background *background)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&background->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&background->mutex, NULL);
}

static void free_memory(struct background *background)
{
    pthread_cond_destroy(&background->changed);
    pthread_mutex_destroy(&background->mutex);
    free(background);
}

struct background *background_start(struct error *error)
{
    sigset_t all, before;
    struct background *background = calloc(1, sizeof *background);
    if (!background) {
        error_set(error, "no memory for a thread");
        return NULL;
    }
    init_locks(background);
    /* A new thread has its maker's mask. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int reason = pthread_create(&background->thread, NULL, run, background);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason == 0)
        return background;
    error_set_errno(error, reason, "can't start a thread");
    free_memory(background);
    return NULL;
}

void background_begin(struct background *background, void (*work)(void *context), void *context)
{
    pthread_mutex_lock(&background->mutex);
    while (background->busy)
        pthread_cond_wait(&background->changed, &background->mutex);
    background->work = work;
    background->context = context;
    background->busy = true;
    pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->mutex);
}

bool background_is_busy(struct background *background)
{
    pthread_mutex_lock(&background->mutex);
    bool busy = background->busy;
    pthread_mutex_unlock(&background->mutex);
    return busy;
}

bool background_wait(struct background *background, double seconds)
{
    enum { NANOSECONDS = 1000000000 };
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    double whole = (double)(time_t)seconds;
    until.tv_sec += (time_t)whole;
    until.tv_nsec += (long)((seconds - whole) * NANOSECONDS);
    if (until.tv_nsec >= NANOSECONDS) {
        until.tv_nsec -= NANOSECONDS;
        until.tv_sec++;
    }
    int result = 0;
    pthread_mutex_lock(&background->mutex);
    while (background->busy && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&background->changed, &background->mutex, &until);
    bool idle = !background->busy;
    pthread_mutex_unlock(&background->mutex);
    return idle;
}

void background_stop(struct background *background)
{
    if (!background)
        return;
    pthread_mutex_lock(&background->mutex);
    background->ending = true;
    pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->mutex);
    pthread_join(background->thread, NULL);
    free_memory(background);
}
