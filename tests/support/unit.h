/* cmocka with the headers it needs before it, and the words in which our errors are checked. */
#ifndef DRUMLINE_TESTS_SUPPORT_UNIT_H
#define DRUMLINE_TESTS_SUPPORT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The text holds the other. */
#define assert_contains(text, part)                                                                                    \
    do {                                                                                                               \
        if (!strstr(text, part))                                                                                       \
            fail_msg("'%s' does not hold '%s'", text, part);                                                           \
    } while (0)

/* A call that must succeed; its message is shown where it does not. */
#define assert_ok(call, error)                                                                                         \
    do {                                                                                                               \
        if (!(call))                                                                                                   \
            fail_msg("%s: %s", #call, (error).message);                                                                \
    } while (0)

/* A call that must fail with a message that holds `part`. */
#define assert_fails(call, error, part)                                                                                \
    do {                                                                                                               \
        memset(&(error), 0, sizeof(error));                                                                            \
        if (call)                                                                                                      \
            fail_msg("%s: did not fail", #call);                                                                       \
        assert_contains((error).message, part);                                                                        \
    } while (0)

#endif
