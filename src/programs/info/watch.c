#define _GNU_SOURCE /* pipe2 */
#include "programs/info/watch.h"

#include "base/clock.h"
#include "base/io/files.h"
#include "programs/info/kinds.h"
#include "programs/info/state.h"
#include "run/json_members.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const char enter_page[] = "\033[?1049h\033[?25l", leave_page[] = "\033[?25h\033[?1049l";

struct watch {
    const char *run_dir;
    double seconds;
    struct info_state *state;
    bool on_terminal;
};

/* While a page is shown, a handler passes signals on through a pipe. Blocking and waiting for them would not work: OpenBLAS
 * has threads of its own, which don't block signals and would receive them. */
static int signal_pipe[2];

/* Of several at once, the first of these is acted on. */
static const int heard[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
enum { NUM_HEARD = sizeof heard / sizeof *heard };

static void pass_on(int number)
{
    int before = errno;
    char byte = (char)number;
    ssize_t written = write(signal_pipe[1], &byte, 1);
    (void)written; /* a full pipe holds enough of them */
    errno = before;
}

/* Signals that were ignored at start (nohup) stay ignored. */
static void hear_signals(bool on)
{
    struct sigaction action = {.sa_handler = on ? pass_on : SIG_DFL, .sa_flags = SA_RESTART}, before;
    for (int i = 0; i < NUM_HEARD; i++)
        if (sigaction(heard[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(heard[i], &action, NULL);
}

/* The signal to act on of those received since the last call; 0 for none. */
static int signal_heard(void)
{
    char numbers[64];
    ssize_t count = read(signal_pipe[0], numbers, sizeof numbers);
    for (int i = 0; i < NUM_HEARD && count > 0; i++)
        if (memchr(numbers, heard[i], (size_t)count))
            return heard[i];
    return 0;
}

static bool open_signal_pipe(void)
{
    return pipe2(signal_pipe, O_NONBLOCK | O_CLOEXEC) == 0;
}

static void close_signal_pipe(void)
{
    close(signal_pipe[0]);
    close(signal_pipe[1]);
}

/* The run's state now, the caller's; NULL with the error set where the run is gone. */
static json_t *look(const struct watch *watch, struct error *error)
{
    json_t *object = json_object();
    if (!folder_exists(watch->run_dir) && !file_exists(watch->run_dir)) {
        error_set(error, "%s: no such folder", watch->run_dir);
    } else if (!info_is_run(watch->run_dir)) {
        error_set(error, "%s: is not a run folder (it has no train folder)", watch->run_dir);
    } else if (info_read_steps(object, watch->run_dir, error)) {
        json_object_set_new(object, "path", json_clean_text(watch->run_dir));
        info_state_read(watch->state, object);
        return object;
    }
    json_decref(object);
    return NULL;
}

/* False while it runs, or has not begun. */
static bool has_ended(const json_t *object, int *status)
{
    const char *state = member_string(object, "state");
    if (strcmp(state, "done") == 0)
        *status = EXIT_SUCCESS;
    else if (strcmp(state, "halted") == 0)
        *status = EXIT_RUN_HALTED;
    else
        *status = EXIT_FAILURE;
    return strcmp(state, "running") != 0 && strcmp(state, "starting") != 0 && strcmp(state, "not begun") != 0;
}

static void print_page(FILE *out, const json_t *object)
{
    enum { MOST_SESSIONS = 6 };
    char state[128];
    json_t *checkpoints = json_object_get(object, "checkpoints");
    size_t count = json_array_size(checkpoints);
    info_name_state(state, sizeof state, object);
    fprintf(out, "%s: run, %s\n", member_string(object, "path"), state);
    info_print_state(out, object);
    if (count > 0)
        info_print_field(out, "checkpoints", "%zu, the latest at step %lld", count,
                         (long long)json_integer_value(json_array_get(checkpoints, 0)));
    info_print_damage(out, object);
    info_print_metrics(out, json_object_get(object, "train"), "train, step");
    info_print_metrics(out, json_object_get(object, "eval"), "eval, step");
    info_print_sessions(out, object, MOST_SESSIONS);
}

/* The number of bytes of a line that fit into so many columns. */
static size_t fitting(const char *line, size_t length, int columns)
{
    size_t fit = 0;
    for (int used = 0; fit < length; fit++) {
        used += ((unsigned char)line[fit] & 0xc0) != 0x80;
        if (used > columns)
            break;
    }
    return fit;
}

/* Redraws the page in place, cut to the terminal's size: one write, each line cleared only behind its text, so that nothing
 * flickers. */
static void draw(const char *page)
{
    struct winsize window;
    char *frame = NULL;
    size_t size = 0;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 0 && window.ws_col > 0;
    int rows = known ? window.ws_row : 24, columns = known ? window.ws_col : 80;
    FILE *out = open_memstream(&frame, &size);
    if (!out)
        return;
    fprintf(out, "\033[H");
    for (int row = 1; row < rows && *page; row++) {
        size_t length = strcspn(page, "\n");
        fprintf(out, "%.*s\033[K\r\n", (int)fitting(page, length, columns), page);
        page += length + (page[length] == '\n');
    }
    static const char hint[] = "Ctrl-C stops watching, not the training.";
    fprintf(out, "\033[J%.*s", (int)fitting(hint, sizeof hint - 1, columns), hint);
    if (fclose(out) == 0)
        fwrite(frame, 1, size, stdout);
    fflush(stdout);
    free(frame);
}

static void show(const struct watch *watch, const json_t *object)
{
    char *page = NULL, date[32];
    size_t size = 0;
    if (!watch->on_terminal) {
        date_now(date);
        printf("%s %s: ", date, member_string(object, "path"));
        info_print_state_line(stdout, object);
        fflush(stdout);
        return;
    }
    FILE *out = open_memstream(&page, &size);
    if (!out)
        return;
    print_page(out, object);
    if (fclose(out) == 0)
        draw(page);
    free(page);
}

static void put(const char *text)
{
    fputs(text, stdout);
    fflush(stdout);
}

static void begin_page(const struct watch *watch)
{
    if (!watch->on_terminal)
        return;
    hear_signals(true);
    put(enter_page);
}

static void end_page(const struct watch *watch)
{
    if (!watch->on_terminal)
        return;
    put(leave_page);
    hear_signals(false);
}

/* Acts on a signal with the terminal restored: ends the program or, for SIGTSTP, stops it until it is continued. */
static void obey(const struct watch *watch, int number)
{
    put(leave_page);
    hear_signals(false);
    raise(number);
    begin_page(watch);
}

/* Waits for the next refresh. Acts on signals; redraws at once when the terminal's size changes. */
static void wait_for_next(const struct watch *watch)
{
    if (!watch->on_terminal) {
        time_t whole = (time_t)watch->seconds;
        nanosleep(&(struct timespec){.tv_sec = whole, .tv_nsec = (long)(1e9 * (watch->seconds - (double)whole))}, NULL);
        return;
    }
    struct pollfd pipe = {.fd = signal_pipe[0], .events = POLLIN};
    poll(&pipe, 1, (int)(1e3 * fmin(watch->seconds, 1e6)));
    int number = signal_heard();
    if (number > 0 && number != SIGWINCH)
        obey(watch, number);
}

static bool can_draw(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

bool info_watch(const char *run_dir, double seconds, const struct info_watcher *watcher, int *status,
                struct error *error)
{
    struct watch watch = {.run_dir = run_dir,
                          .seconds = seconds,
                          .state = info_state_make(run_dir),
                          .on_terminal = can_draw() && open_signal_pipe()};
    json_t *object = watch.state ? look(&watch, error) : NULL;
    bool ended = object && has_ended(object, status), drawn = object && !ended;
    if (!watch.state)
        error_set(error, "%s: out of memory", run_dir);
    if (drawn)
        begin_page(&watch);
    bool refreshed = true;
    while (object && refreshed && !ended && !ferror(stdout)) {
        show(&watch, object);
        refreshed = !watcher || watcher->refresh(watcher->context, error);
        if (refreshed)
            wait_for_next(&watch);
        json_decref(object);
        object = look(&watch, error);
        ended = object && has_ended(object, status);
    }
    if (object && refreshed && watcher)
        refreshed = watcher->refresh(watcher->context, error);
    if (drawn)
        end_page(&watch);
    if (object && watch.on_terminal)
        print_page(stdout, object);
    else if (object)
        show(&watch, object);
    bool ok = object && refreshed;
    json_decref(object);
    info_state_free(watch.state);
    if (watch.on_terminal)
        close_signal_pipe();
    return ok;
}
