/* Another environment for a while: what a test says is all that getenv and environ know of. */
#ifndef DRUMLINE_TESTS_SUPPORT_ENVIRONMENT_H
#define DRUMLINE_TESTS_SUPPORT_ENVIRONMENT_H

extern char **environ;

/* `variables` ("NAME=value", NULL-ended; NULL: no environment at all) must stay until the end. Returns what was there, for
 * environment_restore. */
static inline char **environment_replace(const char *const *variables)
{
    char **own = environ;
    environ = (char **)variables;
    return own;
}

static inline void environment_restore(char **own)
{
    environ = own;
}

#endif
