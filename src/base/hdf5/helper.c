#define _GNU_SOURCE /* memfd_create, mkostemp */
#include "base/hdf5/helper.h"

#include "base/hdf5/helper_path.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 100, REFUSAL_SIZE = ERROR_MESSAGE_SIZE };

static const struct hdf5_helper_limits default_limits = {.cpu_seconds = 10, .idle_seconds = 60, .total_seconds = 3600};

/* Memory without a name where the system has such, else a file without a name. Empty: the helper gives it its size, for which it may
 * have to lift a limit that this program goes on with. */
static int make_window(void)
{
    static const char *const folders[] = {"/dev/shm", "/tmp"};
    int window = -1;
#ifdef MFD_ALLOW_SEALING
    window = memfd_create("drumline-hdf5", MFD_CLOEXEC | MFD_ALLOW_SEALING);
#endif
    for (size_t i = 0; window < 0 && i < sizeof folders / sizeof *folders; i++) {
        char *path = format_text("%s/drumline-hdf5-XXXXXX", folders[i]);
        window = mkostemp(path, O_CLOEXEC);
        if (window >= 0)
            unlink(path);
        free(path);
    }
    return window;
}

/* The helper's signals: those that a terminal or Slurm send to a whole job are for the program to decide about. */
static void block_outside_signals(sigset_t *blocked)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGXCPU, SIGPIPE};
    sigfillset(blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(blocked, faults[i]);
}

/* `descriptors` become the helper's HDF5_READER_SOCKET, _WINDOW and _FILE; none of them is one of these. */
static int spawn(pid_t *pid, const char *path, const int descriptors[3])
{
    char *const arguments[] = {"drumline-hdf5-reader", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t blocked, all;
    int reason = posix_spawn_file_actions_init(&actions);
    if (reason != 0)
        return reason;
    reason = posix_spawnattr_init(&attributes);
    if (reason != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return reason;
    }
    block_outside_signals(&blocked);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    if ((reason = posix_spawnattr_setsigmask(&attributes, &blocked)) == 0 &&
        (reason = posix_spawnattr_setsigdefault(&attributes, &all)) == 0 &&
        (reason = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) == 0 &&
        (reason = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)) == 0 &&
        (reason = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)) == 0) {
        for (int i = 0; reason == 0 && i < 3; i++)
            reason = posix_spawn_file_actions_adddup2(&actions, descriptors[i], HDF5_READER_SOCKET + i);
        if (reason == 0)
            reason = posix_spawn(pid, path, &actions, &attributes, arguments, environ);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return reason;
}

/* Where a program before this one had dead children vanish by themselves, nobody could say how the helper ended. */
static void keep_dead_children(void)
{
    struct sigaction action;
    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN && !(action.sa_flags & SA_SIGINFO)) {
        action.sa_handler = SIG_DFL;
        (void)sigaction(SIGCHLD, &action, NULL);
    }
}

/* Numbers above those that they get in the helper, and closed by exec. */
static bool lift_descriptors(int lifted[3], const int from[3])
{
    enum { FREE_FROM = HDF5_READER_FILE + 1 };
    for (int i = 0; i < 3; i++)
        lifted[i] = -1;
    for (int i = 0; i < 3; i++)
        if ((lifted[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FREE_FROM)) < 0)
            return false;
    return true;
}

static void close_all(const int *descriptors, int count)
{
    for (int i = 0; i < count; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
}

bool hdf5_helper_start(struct hdf5_helper *helper, int file, struct error *error)
{
    int pair[2] = {-1, -1}, lifted[3] = {-1, -1, -1}, reason = 0;
    *helper = (struct hdf5_helper){.limits = default_limits, .socket = -1, .window = -1};
    char *path = hdf5_helper_path(error);
    if (!path)
        return false;
    keep_dead_children();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 || (helper->window = make_window()) < 0 ||
        !lift_descriptors(lifted, (const int[]){pair[1], helper->window, file}))
        reason = errno;
    if (reason == 0)
        reason = spawn(&helper->pid, path, lifted);
    if (reason == 0) {
        helper->socket = pair[0];
        pair[0] = -1;
    } else {
        helper->pid = 0;
        error_set_errno(error, reason, "can't start %s, which reads HDF5 files", path);
    }
    close_all(lifted, 3);
    close_all(pair, 2);
    if (reason != 0)
        hdf5_helper_stop(helper);
    free(path);
    return reason == 0;
}

void hdf5_helper_stop(struct hdf5_helper *helper)
{
    if (helper->pid > 0) {
        kill(helper->pid, SIGKILL);
        while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    close_all((const int[]){helper->socket, helper->window}, 2);
    *helper = (struct hdf5_helper){.socket = -1, .window = -1};
}

/* Waits for a process that has closed its socket. One that has not ended after a while is killed: false, as where it is not known how
 * it ended. */
static bool wait_for_end(int *status, pid_t pid)
{
    enum { TRIES = 200 };
    const struct timespec while_waiting = {.tv_nsec = 10000000};
    pid_t ended = 0;
    for (int i = 0; i < TRIES && ended == 0; i++) {
        ended = waitpid(pid, status, WNOHANG);
        if (ended == 0)
            nanosleep(&while_waiting, NULL);
    }
    if (ended == 0) {
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    return ended == pid;
}

/* The helper has closed its socket: why it ended. Only what it does of itself can come from the file; its being killed is the
 * system's doing, most likely for want of memory. */
static bool explain_end(struct hdf5_helper *helper, struct error *error)
{
    int status = 0;
    bool was_stopped = !wait_for_end(&status, helper->pid);
    helper->pid = 0;
    if (helper->number == 0) /* it has not seen the file */
        return error_set(error, "it ended with status %d",
                         WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    if (was_stopped)
        return error_set(error, "is damaged: its reader stopped answering");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return error_set(error, "is damaged: HDF5 used too much CPU time reading it");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return error_set_no_memory(error, "the process that read it was killed, perhaps for want of memory");
    if (WIFSIGNALED(status))
        return error_set(error, "is damaged: HDF5 crashed reading it (signal %d, %s)", WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
    return error_set(error, "is damaged: HDF5 ended with status %d while reading it", WEXITSTATUS(status));
}

static double cpu_seconds(pid_t pid)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
        return 0;
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* What was seen of a helper that works on an answer. */
struct watch {
    double cpu_at_first, cpu, seconds, idle_seconds;
    uint64_t progress;
};

/* After another tick without an answer. */
static bool check_limits(struct watch *watch, const struct hdf5_helper *helper, struct error *error)
{
    const double tick = TICK_MS * 1e-3;
    double cpu = cpu_seconds(helper->pid);
    uint64_t progress = 0;
    bool is_known = pread(helper->window, &progress, sizeof progress, HDF5_PROGRESS_OFFSET) == sizeof progress;
    if (watch->seconds == 0)
        watch->cpu_at_first = cpu;
    bool is_waiting = is_known && progress % 2 == 1;
    bool moves = is_waiting || progress != watch->progress || cpu > watch->cpu;
    watch->seconds += tick;
    watch->idle_seconds = moves ? 0 : watch->idle_seconds + tick;
    watch->cpu = cpu;
    watch->progress = progress;
    if (!(cpu - watch->cpu_at_first <= helper->limits.cpu_seconds))
        return error_set(error, "is damaged: HDF5 used more than %g s of CPU time for one part of it",
                         helper->limits.cpu_seconds);
    if (!(watch->idle_seconds <= helper->limits.idle_seconds))
        return error_set(error, "is damaged: HDF5 did nothing for %g s while reading it", helper->limits.idle_seconds);
    if (!(watch->seconds <= helper->limits.total_seconds))
        return error_set_errno(error, ETIMEDOUT, "one part of it took more than %g s to read",
                               helper->limits.total_seconds);
    return true;
}

/* Receives one message of `size` bytes. */
static bool receive(struct hdf5_helper *helper, void *message, size_t size, struct error *error)
{
    struct pollfd poll_socket = {.fd = helper->socket, .events = POLLIN};
    struct watch watch = {.seconds = 0};
    hdf5_protocol_spin(helper->socket);
    for (;;) {
        int ready = poll(&poll_socket, 1, TICK_MS);
        if (ready > 0)
            break;
        if (ready < 0 && errno != EINTR)
            return error_set_errno(error, errno, "can't wait for its reader");
        if (ready == 0 && !check_limits(&watch, helper, error))
            return false;
    }
    ssize_t received;
    while ((received = recv(helper->socket, message, size, MSG_TRUNC)) < 0 && errno == EINTR)
        continue;
    if (received == 0 || (received < 0 && errno == ECONNRESET))
        return explain_end(helper, error);
    if (received < 0)
        return error_set_errno(error, errno, "can't hear its reader");
    return (size_t)received == size || error_set(error, "is damaged: its reader's answer is no answer");
}

static bool receive_answer(struct hdf5_helper *helper, struct hdf5_answer *answer, size_t max_size, struct error *error)
{
    if (!receive(helper, answer, sizeof *answer, error))
        return false;
    if (answer->number != helper->number || answer->is_refused > 1 || answer->size > HDF5_AREA_SIZE ||
        (!answer->is_refused && answer->size > max_size))
        return error_set(error, "is damaged: its reader's answer makes no sense");
    helper->area = helper->asked_area;
    return true;
}

/* The first message, which needs no request. */
static bool greet(struct hdf5_helper *helper, struct error *error)
{
    struct hdf5_answer answer;
    struct error reason;
    if (!receive_answer(helper, &answer, 0, &reason))
        return error_set_errno(error, EIO, "drumline-hdf5-reader, which reads HDF5 files, does not start (%s)",
                               reason.message);
    return answer.value == HDF5_PROTOCOL ||
           error_set_errno(error, EPROTO, "drumline-hdf5-reader, which reads HDF5 files, is of another version");
}

/* There is room for it: a helper takes each request before it answers. */
static bool send_request(struct hdf5_helper *helper, struct hdf5_request *request, struct error *error)
{
    ssize_t sent;
    request->number = ++helper->number;
    helper->asked_area = request->area;
    while ((sent = send(helper->socket, request, sizeof *request, MSG_NOSIGNAL | MSG_DONTWAIT)) < 0 && errno == EINTR)
        continue;
    if (sent == (ssize_t)sizeof *request)
        return true;
    if (errno == EAGAIN)
        return error_set(error, "is damaged: its reader takes no requests");
    return errno == EPIPE || errno == ECONNRESET ? explain_end(helper, error)
                                                 : error_set_errno(error, errno, "can't ask its reader");
}

/* *error becomes the helper's reason, which may hold anything; false where it can't be had. */
static bool take_refusal(const struct hdf5_helper *helper, const struct hdf5_answer *answer, struct error *error)
{
    char text[REFUSAL_SIZE];
    size_t size = answer->size < sizeof text - 1 ? (size_t)answer->size : sizeof text - 1;
    if (!hdf5_helper_take(helper, text, size, error))
        return false;
    text[size] = '\0';
    text_make_printable(text);
    for (char *c = text; (c = strpbrk(c, "\n\t")) != NULL; c++) /* it is one line */
        *c = '?';
    error_set(error, "%s", text);
    error->number = answer->error_number > 0 ? answer->error_number : 0;
    return true;
}

bool hdf5_helper_send(struct hdf5_helper *helper, struct hdf5_request *request, struct error *error)
{
    if ((helper->number > 0 || greet(helper, error)) && send_request(helper, request, error))
        return true;
    hdf5_helper_stop(helper);
    return false;
}

bool hdf5_helper_receive(struct hdf5_helper *helper, struct hdf5_answer *answer, bool *is_lost, size_t max_size,
                         struct error *error)
{
    if (!receive_answer(helper, answer, max_size, error) ||
        (answer->is_refused && !take_refusal(helper, answer, error))) {
        hdf5_helper_stop(helper);
        *is_lost = true;
        return false;
    }
    return !answer->is_refused;
}

bool hdf5_helper_take(const struct hdf5_helper *helper, void *to, size_t size, struct error *error)
{
    const off_t area = (off_t)helper->area * HDF5_AREA_SIZE;
    size_t done = 0;
    while (done < size) {
        ssize_t count = pread(helper->window, (char *)to + done, size - done, area + (off_t)done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_set_errno(error, errno, "can't take what its reader read");
        if (count == 0)
            return error_set(error, "is damaged: its reader took its memory away");
        done += (size_t)count;
    }
    return true;
}
