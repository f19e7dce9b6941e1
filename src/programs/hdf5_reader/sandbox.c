#define _GNU_SOURCE /* syscall */
#include "programs/hdf5_reader/sandbox.h"

#include "base/hdf5/hdf5.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef DRUMLINE_SECCOMP
#include <seccomp.h>
#endif

static void close_others(void)
{
    enum { FIRST = HDF5_READER_FILE + 1, MANY = 65536 };
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)FIRST, ~0u, 0u) == 0)
        return;
#endif
    long count = sysconf(_SC_OPEN_MAX);
    for (int i = FIRST; i < (count > 0 && count < MANY ? count : MANY); i++)
        close(i);
}

static rlim_t smaller(rlim_t a, rlim_t b)
{
    return a < b ? a : b; /* RLIM_INFINITY is larger than any other */
}

/* Lowers a limit for good. */
static bool limit(int resource, rlim_t value, rlim_t hard_value)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0)
        return false;
    now.rlim_max = smaller(now.rlim_max, hard_value);
    now.rlim_cur = smaller(smaller(now.rlim_cur, value), now.rlim_max);
    return setrlimit(resource, &now) == 0;
}

bool sandbox_limit(uint64_t file_size)
{
    enum { MOST_FILES = HDF5_READER_FILE + 1, CPU_SECONDS = 60 };
    close_others();
    rlim_t seconds = CPU_SECONDS + (rlim_t)(file_size >> 20);
    bool ok = limit(RLIMIT_CORE, 0, 0) && limit(RLIMIT_FSIZE, 0, 0) && limit(RLIMIT_NPROC, 0, 0) &&
              limit(RLIMIT_CPU, seconds, seconds + 1); /* the first ends it with SIGXCPU, which says why */
#ifndef DRUMLINE_SANITIZED /* sanitizers take terabytes of addresses, and files of their own */
    enum { MEBIBYTES = 1024 };
    const rlim_t addresses = (rlim_t)MEBIBYTES << 20;
    ok = ok && limit(RLIMIT_NOFILE, MOST_FILES, MOST_FILES) && limit(RLIMIT_AS, addresses, addresses);
#endif
    return ok;
}

void sandbox_filter(void)
{
#if defined DRUMLINE_SECCOMP && !defined DRUMLINE_SANITIZED
    static const int allowed[] = {
        SCMP_SYS(read),          SCMP_SYS(write),        SCMP_SYS(sendto),       SCMP_SYS(recvfrom),
        SCMP_SYS(pread64),       SCMP_SYS(brk),          SCMP_SYS(munmap),       SCMP_SYS(mremap),
        SCMP_SYS(madvise),       SCMP_SYS(futex),        SCMP_SYS(getpid),       SCMP_SYS(gettid),
        SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(rt_sigreturn), SCMP_SYS(exit),
        SCMP_SYS(close),         SCMP_SYS(time),         SCMP_SYS(exit_group),   SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(sched_yield),
    };
    static const int without_execution[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    const struct scmp_arg_cmp no_execution = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    const struct scmp_arg_cmp itself = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()); /* abort() */
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool ok = filter != NULL;
    for (size_t i = 0; ok && i < sizeof allowed / sizeof *allowed; i++)
        ok = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, allowed[i], 0, NULL) == 0;
    for (size_t i = 0; ok && i < sizeof without_execution / sizeof *without_execution; i++)
        ok = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, without_execution[i], 1, &no_execution) == 0;
    ok = ok && seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &itself) == 0;
    if (ok)
        (void)seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
#endif
}
