/* Work on a thread of its own. CTest runs it a second time built with ThreadSanitizer. */
#include "base/io/background.h"
#include "tests/support/unit.h"

#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/* Work that begins, then waits until it is let on. */
struct job {
    sem_t begun, let_on;
    int count; /* not atomic: only the rules of begin and wait keep it from racing */
    pid_t process;
};

static void job_make(struct job *job)
{
    *job = (struct job){.process = getpid()};
    sem_init(&job->begun, 0, 0);
    sem_init(&job->let_on, 0, 0);
}

static void job_free(struct job *job)
{
    sem_destroy(&job->begun);
    sem_destroy(&job->let_on);
}

static void count(void *context)
{
    struct job *job = context;
    job->count++;
}

static void wait_and_count(void *context)
{
    struct job *job = context;
    sem_post(&job->begun);
    while (sem_wait(&job->let_on) != 0)
        continue;
    job->count++;
}

static struct background *start(void)
{
    struct error error;
    struct background *background = background_start(&error);
    assert_ok(background != NULL, error);
    assert_false(background_is_busy(background));
    assert_true(background_wait(background, 0));
    return background;
}

static void work_runs_beside_the_caller(void **state)
{
    (void)state;
    struct job job;
    job_make(&job);
    struct background *background = start();
    background_begin(background, wait_and_count, &job);
    while (sem_wait(&job.begun) != 0)
        continue;
    assert_true(background_is_busy(background));
    assert_false(background_wait(background, 0));
    assert_false(background_wait(background, 0.02));
    sem_post(&job.let_on);
    assert_true(background_wait(background, 60.75));
    assert_false(background_is_busy(background));
    assert_int_equal(job.count, 1);
    background_stop(background);
    job_free(&job);
}

static void work_follows_on_work(void **state)
{
    (void)state;
    enum { TIMES = 1000 };
    struct job job;
    job_make(&job);
    struct background *background = start();
    for (int i = 0; i < TIMES; i++)
        background_begin(background, count, &job);
    while (background_is_busy(background))
        background_wait(background, 60);
    assert_int_equal(job.count, TIMES);
    background_stop(background);
    job_free(&job);
}

static void to_stop_waits_for_the_work(void **state)
{
    (void)state;
    struct job job;
    job_make(&job);
    struct background *background = start();
    background_begin(background, wait_and_count, &job);
    sem_post(&job.let_on);
    background_stop(background);
    assert_int_equal(job.count, 1);
    background_stop(start());
    background_stop(NULL);
    job_free(&job);
}

static atomic_int handled;

static void handle(int number)
{
    handled = number;
}

static void signal_itself(void *context)
{
    struct job *job = context;
    raise(SIGUSR1); /* to this thread alone */
    job->count = handled;
    kill(job->process, SIGUSR2);
}

static void signals_are_left_to_the_caller(void **state)
{
    (void)state;
    struct job job;
    job_make(&job);
    signal(SIGUSR1, handle);
    signal(SIGUSR2, handle);
    struct background *background = start();
    background_begin(background, signal_itself, &job);
    while (!background_wait(background, 60))
        continue;
    assert_int_equal(job.count, 0);
    while (atomic_load(&handled) == 0)
        usleep(1000);
    assert_int_equal(handled, SIGUSR2);
    background_stop(background);
    assert_int_equal(handled, SIGUSR2);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
    job_free(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_runs_beside_the_caller),
        cmocka_unit_test(work_follows_on_work),
        cmocka_unit_test(to_stop_waits_for_the_work),
        cmocka_unit_test(signals_are_left_to_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
