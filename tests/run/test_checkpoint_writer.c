/* Checkpoints written beside the one who asks for them: the snapshot, the waiting, the lock, and failures. */
#include "base/clock.h"
#include "base/io/atomic_file.h"
#include "model/vae/parameters.h"
#include "run/checkpoint_writer.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <pthread.h>
#include <stdlib.h>

/* Where the writer's thread can be held. */
enum place_in_writing { AT_FIRST_CHECK, AT_LAST_CHECK, BEFORE_NAME, AFTER_NAME };

/* A gate that holds the writer's thread at one place until the test opens it. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t test_thread;
    bool closed, reached;
    enum place_in_writing place;
    int checks; /* of the lock, since the gate was closed */
} gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void gate_close(enum place_in_writing place)
{
    pthread_mutex_lock(&gate.mutex);
    gate.test_thread = pthread_self();
    gate.closed = true;
    gate.reached = false;
    gate.place = place;
    gate.checks = 0;
    pthread_mutex_unlock(&gate.mutex);
}

/* Waits until the writer stands at the gate. */
static void gate_await(void)
{
    pthread_mutex_lock(&gate.mutex);
    while (!gate.reached)
        pthread_cond_wait(&gate.changed, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
}

static void gate_open(void)
{
    pthread_mutex_lock(&gate.mutex);
    gate.closed = false;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.mutex);
}

/* Holds any thread but the test's own. */
static void gate_pass(enum place_in_writing place)
{
    if (pthread_equal(pthread_self(), gate.test_thread))
        return;
    pthread_mutex_lock(&gate.mutex);
    if (gate.closed && gate.place == place) {
        gate.reached = true;
        pthread_cond_broadcast(&gate.changed);
        while (gate.closed)
            pthread_cond_wait(&gate.changed, &gate.mutex);
    }
    pthread_mutex_unlock(&gate.mutex);
}

/* The linker puts these in the place of the functions that they call (--wrap). */
bool __real_run_lock_held(const struct run_lock *lock, struct error *error);
bool __wrap_run_lock_held(const struct run_lock *lock, struct error *error);
bool __real_atomic_file_commit(struct atomic_file *file, struct error *error);
bool __wrap_atomic_file_commit(struct atomic_file *file, struct error *error);

bool __wrap_run_lock_held(const struct run_lock *lock, struct error *error)
{
    pthread_mutex_lock(&gate.mutex);
    int check = gate.checks++;
    pthread_mutex_unlock(&gate.mutex);
    if (check < BEFORE_NAME)
        gate_pass(check == 0 ? AT_FIRST_CHECK : AT_LAST_CHECK);
    return __real_run_lock_held(lock, error);
}

bool __wrap_atomic_file_commit(struct atomic_file *file, struct error *error)
{
    gate_pass(BEFORE_NAME);
    bool ok = __real_atomic_file_commit(file, error);
    gate_pass(AFTER_NAME);
    return ok;
}

/* A run's folder with its lock, the state of a small model, and a writer. */
struct fixture {
    char *folder;
    struct run_lock lock;
    struct checkpoint state;
    struct tensor_table table;
    struct tensor_group groups[3];
    struct checkpoint_writer *writer;
};

static struct fixture *fixture_make(size_t to_keep)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct checkpoint *state = &fixture->state;
    struct error error;
    fixture->folder = scratch_make();
    assert_ok(hparams_make(&state->hparams, config_find("groovae_2bar_humanize", NULL),
                           "enc_rnn_size=[16],dec_rnn_size=[16,8],z_size=5", &error),
              error);
    snprintf(state->config, sizeof state->config, "groovae_2bar_humanize");
    memset(state->content_sha256, 'a', 64);
    date_now(state->date);
    assert_ok(parameters_describe(&fixture->table, &state->hparams, &error), error);
    const char *const names[] = {CHECKPOINT_WEIGHTS, "optimizer/m", "ema"};
    for (int n = 0; n < 3; n++)
        fixture->groups[n] = (struct tensor_group){names[n], calloc(fixture->table.num_floats, sizeof(float))};
    assert_ok(run_lock_take(&fixture->lock, fixture->folder, &error), error);
    struct checkpoint_place place = {
        .folder = fixture->folder,
        .lock = &fixture->lock,
        .table = &fixture->table,
        .groups = fixture->groups,
        .num_groups = 3,
        .to_keep = to_keep,
    };
    fixture->writer = checkpoint_writer_make(&place, &error);
    assert_ok(fixture->writer != NULL, error);
    return fixture;
}

static void fixture_free(struct fixture *fixture)
{
    checkpoint_writer_free(fixture->writer);
    run_lock_release(&fixture->lock);
    for (int n = 0; n < 3; n++)
        free(fixture->groups[n].values);
    scratch_remove(fixture->folder);
    free(fixture);
}

static void fill(struct fixture *fixture, float value)
{
    for (int n = 0; n < 3; n++)
        for (size_t i = 0; i < fixture->table.num_floats; i++)
            fixture->groups[n].values[i] = value + (float)n;
}

/* Begins to write `step`, whose tensors are full of it, and changes them at once. */
static bool begin(struct fixture *fixture, uint64_t step, struct error *error)
{
    fixture->state.step = step;
    fill(fixture, (float)step);
    bool ok = checkpoint_writer_begin(fixture->writer, &fixture->state, error);
    fixture->state.step = 0;
    fill(fixture, -1);
    return ok;
}

static char *path_of(const struct fixture *fixture, uint64_t step)
{
    char *name = checkpoint_name(step), *path = path_join(fixture->folder, name);
    free(name);
    return path;
}

static void assert_steps(const struct fixture *fixture, const uint64_t *steps, size_t count)
{
    struct checkpoint_list list;
    struct error error;
    assert_ok(checkpoint_list_make(&list, fixture->folder, &error), error);
    assert_int_equal(list.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(list.steps[i], steps[i]);
    checkpoint_list_free(&list);
}

/* The file holds what the state was when it was begun, into `fixture`. */
static void assert_snapshot(struct fixture *fixture, uint64_t step)
{
    struct error error;
    struct checkpoint read;
    char *path = path_of(fixture, step);
    assert_ok(checkpoint_read(&read, path, &error), error);
    assert_int_equal(read.step, step);
    assert_ok(checkpoint_read_groups(path, &fixture->table, fixture->groups, 3, &error), error);
    const struct tensor *last = &fixture->table.rows[fixture->table.num_rows - 1];
    for (int n = 0; n < 3; n++)
        for (size_t i = 0; i < last->count; i++)
            assert_true(fixture->groups[n].values[last->offset + i] == (float)step + (float)n);
    free(path);
}

static void each_is_what_the_state_was(void **state)
{
    (void)state;
    enum { COUNT = 12 };
    struct fixture *fixture = fixture_make(100);
    struct error error;
    for (uint64_t step = 1; step <= COUNT; step++)
        assert_ok(begin(fixture, step, &error), error);
    assert_ok(checkpoint_writer_wait(fixture->writer, &error), error);
    assert_false(checkpoint_writer_is_busy(fixture->writer));
    for (uint64_t step = 1; step <= COUNT; step++)
        assert_snapshot(fixture, step);
    assert_int_equal(scratch_count(fixture->folder), COUNT + 1);
    fixture_free(fixture);
}

static void old_ones_go_when_the_new_one_is_safe(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_make(2);
    struct error error;
    for (uint64_t step = 1; step <= 4; step++)
        assert_ok(begin(fixture, step, &error), error);
    assert_ok(checkpoint_writer_wait(fixture->writer, &error), error);
    assert_steps(fixture, (const uint64_t[]){4, 3}, 2);
    fixture_free(fixture);
}

static void a_trial_leaves_nothing(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_make(1);
    struct error error;
    assert_true(checkpoint_writer_longest_seconds(fixture->writer) == 0);
    assert_ok(begin(fixture, 1, &error), error);
    assert_ok(checkpoint_writer_wait(fixture->writer, &error), error);
    fixture->state.step = 2;
    assert_ok(checkpoint_writer_try(fixture->writer, &fixture->state, &error), error);
    assert_true(checkpoint_writer_longest_seconds(fixture->writer) > 0);
    assert_ok(checkpoint_writer_wait(fixture->writer, &error), error);
    assert_true(checkpoint_writer_longest_seconds(fixture->writer) > 0);
    assert_int_equal(scratch_count(fixture->folder), 2);
    assert_snapshot(fixture, 1);
    fixture_free(fixture);
}

static void without_the_lock_nothing_is_written(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_make(1);
    struct error error;
    assert_ok(begin(fixture, 1, &error), error);
    assert_ok(checkpoint_writer_wait(fixture->writer, &error), error);
    assert_ok(file_write(fixture->lock.folder.path, fixture->lock.folder.path, "{}", 2, &error), error);
    assert_ok(begin(fixture, 2, &error), error);
    assert_fails(checkpoint_writer_wait(fixture->writer, &error), error, "this run was taken over");
    assert_steps(fixture, (const uint64_t[]){1}, 1);
    assert_int_equal(scratch_count(fixture->folder), 2);
    unlink(fixture->lock.folder.path);
    fixture_free(fixture);
}

/* As another job does that takes the run over: its lock in the place of this one's, then what was being written goes. */
static void take_over(const struct fixture *fixture)
{
    struct error error;
    assert_ok(atomic_file_write(fixture->lock.folder.path, "{\"pid\":7}", 9, &error), error);
    atomic_file_sweep(fixture->folder);
}

/* At whichever moment of the writing: the checkpoint is there whole, or the message says who has the run. */
static void a_take_over_is_reported_or_comes_too_late(void **state)
{
    (void)state;
    for (enum place_in_writing place = AT_FIRST_CHECK; place <= AFTER_NAME; place++) {
        struct fixture *fixture = fixture_make(2);
        struct error error;
        assert_ok(begin(fixture, 1, &error), error);
        assert_ok(checkpoint_writer_wait(fixture->writer, &error), error);
        gate_close(place);
        assert_ok(begin(fixture, 2, &error), error);
        gate_await();
        assert_true(checkpoint_writer_is_busy(fixture->writer));
        take_over(fixture);
        gate_open();
        if (place == AFTER_NAME) {
            assert_ok(checkpoint_writer_wait(fixture->writer, &error), error);
            assert_snapshot(fixture, 2);
        } else {
            assert_fails(checkpoint_writer_wait(fixture->writer, &error), error,
                         "this run was taken over by process 7");
            assert_steps(fixture, (const uint64_t[]){1}, 1);
        }
        unlink(fixture->lock.folder.path);
        fixture_free(fixture);
    }
}

/* A folder in the file's place. */
static void obstruct(const struct fixture *fixture, uint64_t step)
{
    char *path = path_of(fixture, step);
    assert_int_equal(mkdir(path, 0777), 0);
    free(path);
}

static void the_first_failure_is_the_last(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_make(1);
    struct error error;
    assert_ok(begin(fixture, 1, &error), error);
    obstruct(fixture, 2);
    assert_ok(begin(fixture, 2, &error), error);
    while (checkpoint_writer_is_busy(fixture->writer))
        usleep(100);
    assert_true(checkpoint_writer_has_failed(fixture->writer));
    assert_fails(begin(fixture, 3, &error), error, "checkpoint-00000002.h5: can't write");
    assert_fails(checkpoint_writer_wait(fixture->writer, &error), error, "checkpoint-00000002.h5: can't write");
    assert_steps(fixture, (const uint64_t[]){1}, 1);
    assert_int_equal(scratch_count(fixture->folder), 3);
    struct capture capture = capture_start(2);
    checkpoint_writer_free(fixture->writer);
    fixture->writer = NULL;
    char *said = capture_end(&capture);
    assert_string_equal(said, "");
    free(said);
    fixture_free(fixture);
}

static void to_free_waits_and_tells(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_make(2);
    struct error error;
    assert_ok(begin(fixture, 1, &error), error);
    obstruct(fixture, 2);
    assert_ok(begin(fixture, 2, &error), error);
    struct capture capture = capture_start(2);
    checkpoint_writer_free(fixture->writer);
    fixture->writer = NULL;
    char *said = capture_end(&capture);
    assert_contains(said, "checkpoint-00000002.h5: can't write");
    free(said);
    assert_snapshot(fixture, 1);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_what_the_state_was),
        cmocka_unit_test(old_ones_go_when_the_new_one_is_safe),
        cmocka_unit_test(a_trial_leaves_nothing),
        cmocka_unit_test(without_the_lock_nothing_is_written),
        cmocka_unit_test(a_take_over_is_reported_or_comes_too_late),
        cmocka_unit_test(the_first_failure_is_the_last),
        cmocka_unit_test(to_free_waits_and_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
