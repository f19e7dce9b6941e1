/* A thread that does something again and again. */
#include "base/ticker.h"
#include "tests/support/unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

struct counting {
    sem_t calls;
    int most; /* after which it says that it is over */
    int made;
};

static bool count_call(void *context)
{
    struct counting *counting = context;
    counting->made++;
    sem_post(&counting->calls);
    return counting->made < counting->most;
}

static void calls_until_it_is_stopped(void **state)
{
    struct error error;
    struct counting counting = {.most = 1 << 30};
    (void)state;
    sem_init(&counting.calls, 0, 0);
    struct ticker *ticker = ticker_start(0.0005, count_call, &counting, &error);
    assert_non_null(ticker);
    for (int i = 0; i < 5; i++)
        sem_wait(&counting.calls);
    ticker_stop(ticker);
    assert_true(counting.made >= 5);
    sem_destroy(&counting.calls);
}

static void ends_by_itself(void **state)
{
    struct error error;
    struct counting counting = {.most = 3};
    (void)state;
    sem_init(&counting.calls, 0, 0);
    struct ticker *ticker = ticker_start(0.0005, count_call, &counting, &error);
    assert_non_null(ticker);
    for (int i = 0; i < 3; i++)
        sem_wait(&counting.calls);
    ticker_stop(ticker);
    assert_int_equal(counting.made, 3);
    sem_destroy(&counting.calls);
}

/* Were it to wait for its next call, this test would not end in its time. */
static void stops_at_once(void **state)
{
    struct error error;
    struct counting counting = {.most = 1};
    (void)state;
    sem_init(&counting.calls, 0, 0);
    struct ticker *ticker = ticker_start(1e6, count_call, &counting, &error);
    assert_non_null(ticker);
    ticker_stop(ticker);
    assert_int_equal(counting.made, 0);
    ticker_stop(NULL);
    sem_destroy(&counting.calls);
}

struct mask {
    sem_t known;
    sigset_t blocked;
};

static bool read_mask(void *context)
{
    struct mask *mask = context;
    pthread_sigmask(SIG_SETMASK, NULL, &mask->blocked);
    sem_post(&mask->known);
    return false;
}

static void takes_no_signals(void **state)
{
    struct error error;
    struct mask mask;
    (void)state;
    sem_init(&mask.known, 0, 0);
    struct ticker *ticker = ticker_start(0.0005, read_mask, &mask, &error);
    assert_non_null(ticker);
    sem_wait(&mask.known);
    ticker_stop(ticker);
    assert_true(sigismember(&mask.blocked, SIGTERM) && sigismember(&mask.blocked, SIGINT));
    sem_destroy(&mask.known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_until_it_is_stopped),
        cmocka_unit_test(ends_by_itself),
        cmocka_unit_test(stops_at_once),
        cmocka_unit_test(takes_no_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
