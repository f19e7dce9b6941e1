/* Preloaded by tests/training/test_refusals.py: the first thread that the process starts runs two seconds late, as on a busy machine. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { SECONDS_LATE = 2 };

struct start {
    void *(*run)(void *context);
    void *context;
};

static void *run_late(void *context)
{
    struct start start = *(struct start *)context;
    free(context);
    sleep(SECONDS_LATE);
    return start.run(start.context);
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*run)(void *),
                   void *restrict context)
{
    static atomic_flag is_started = ATOMIC_FLAG_INIT;
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
    struct start *start = atomic_flag_test_and_set(&is_started) ? NULL : malloc(sizeof *start);
    if (!start)
        return create(thread, attributes, run, context);
    *start = (struct start){run, context};
    return create(thread, attributes, run_late, start);
}
