/* Whether a process is alive. */
#include "base/process.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct process seventh = {.pid = 7, .start = 123};

/* As proc(5) has it, with a name that is made to mislead. */
#define STAT(state, start)                                                                                             \
    "7 (a) Z 1) " state " 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 " start " 10000 300 18446744073709551615"

static void judged_by_what_is_seen(void **state)
{
    (void)state;
    assert_int_equal(process_judge(&seventh, STAT("S", "123"), 0), PROCESS_ALIVE);
    assert_int_equal(process_judge(&seventh, STAT("S", "123"), EPERM), PROCESS_ALIVE);
    assert_int_equal(process_judge(&seventh, STAT("D", "123"), 0), PROCESS_ALIVE);
    assert_int_equal(process_judge(&seventh, STAT("T", "123"), 0), PROCESS_ALIVE);
    assert_int_equal(process_judge(&seventh, STAT("S", "124"), 0), PROCESS_GONE); /* the number is used again */
    assert_int_equal(process_judge(&seventh, STAT("Z", "123"), 0), PROCESS_GONE); /* not waited for */
    assert_int_equal(process_judge(&seventh, STAT("X", "123"), 0), PROCESS_GONE);
}

/* hidepid=2 hides other users' processes. */
static void judged_by_signals_where_proc_is_hidden(void **state)
{
    (void)state;
    const char *const unread[] = {NULL, "", "7 (name", "7 (name) S 1"};
    for (size_t i = 0; i < sizeof unread / sizeof *unread; i++) {
        assert_int_equal(process_judge(&seventh, unread[i], EPERM), PROCESS_ALIVE);
        assert_int_equal(process_judge(&seventh, unread[i], 0), PROCESS_ALIVE);
        assert_int_equal(process_judge(&seventh, unread[i], ESRCH), PROCESS_GONE);
    }
}

static void alive_ended_and_waited_for(void **state)
{
    struct process self, child_seen;
    int ready[2];
    (void)state;
    process_describe_self(&self);
    if (!self.boot[0] || !self.space[0])
        skip(); /* no /proc */
    assert_int_equal(process_look(&self), PROCESS_ALIVE);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        process_describe_self(&self);
        if (write(ready[1], &self, sizeof self) != sizeof self)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &child_seen, sizeof child_seen), sizeof child_seen);
    assert_int_equal(child_seen.pid, child);
    assert_int_equal(process_look(&child_seen), PROCESS_ALIVE);
    siginfo_t info;
    kill(child, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(process_look(&child_seen), PROCESS_GONE);
    waitpid(child, NULL, 0);
    assert_int_equal(process_look(&child_seen), PROCESS_GONE);
    close(ready[0]);
    close(ready[1]);
}

static void out_of_sight(void **state)
{
    struct process self;
    (void)state;
    process_describe_self(&self);
    struct process other = self;
    snprintf(other.boot, sizeof other.boot, "another");
    assert_int_equal(process_look(&other), PROCESS_OUT_OF_SIGHT);
    other = self;
    snprintf(other.space, sizeof other.space, "pid:[1]");
    assert_int_equal(process_look(&other), PROCESS_OUT_OF_SIGHT);
    assert_int_equal(process_look(&(struct process){.pid = 1}), PROCESS_OUT_OF_SIGHT);
}

static void tokens_differ(void **state)
{
    char first[PROCESS_TOKEN_SIZE], second[PROCESS_TOKEN_SIZE];
    (void)state;
    process_make_token(first);
    process_make_token(second);
    assert_int_equal(strlen(first), PROCESS_TOKEN_SIZE - 1);
    assert_int_equal(strspn(first, "0123456789abcdef"), PROCESS_TOKEN_SIZE - 1);
    assert_string_not_equal(first, second);
}

static void tags(void **state)
{
    char tag[PROCESS_TAG_SIZE], other[PROCESS_TAG_SIZE];
    enum process_state seen;
    struct process self;
    (void)state;
    process_describe_self(&self);
    process_make_tag(tag);
    process_make_tag(other);
    assert_string_not_equal(tag, other);
    assert_true(process_look_tag(&seen, tag, self.pid));
    assert_int_equal(seen, self.boot[0] && self.space[0] ? PROCESS_ALIVE : PROCESS_OUT_OF_SIGHT);
    tag[0] = tag[0] == '1' ? '2' : '1'; /* the same number elsewhere */
    assert_true(process_look_tag(&seen, tag, self.pid));
    assert_int_equal(seen, PROCESS_OUT_OF_SIGHT);
    const char *const none[] = {"",
                                "host",
                                "0123456789abcdef",
                                "0123456789abcdef-1",
                                "0123456789abcdef-1-",
                                "0123456789abcdef--0123456789abcdef",
                                "0123456789abcdef-1-0123456789abcdef0"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(process_look_tag(&seen, none[i], self.pid));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judged_by_what_is_seen),
        cmocka_unit_test(judged_by_signals_where_proc_is_hidden),
        cmocka_unit_test(alive_ended_and_waited_for),
        cmocka_unit_test(out_of_sight),
        cmocka_unit_test(tokens_differ),
        cmocka_unit_test(tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
