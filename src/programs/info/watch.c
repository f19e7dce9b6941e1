#define _GNU_SOURCE /* pipe2 */
#include "programs/info/watch.h"

#include "base/clock.h"
#include "base/io/files.h"
#include "programs/info/kinds.h"
#include "programs/info/run_curves.h"
#include "programs/info/state.h"
#include "run/json_members.h"
#include "run/sweep_folder.h"

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
    struct run_curves *curves;
    bool on_terminal;
};

/* A terminal's size. */
struct screen {
    int rows, columns;
};

static struct screen look_at_screen(void)
{
    struct winsize window;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 0 && window.ws_col > 0;
    return known ? (struct screen){window.ws_row, window.ws_col} : (struct screen){24, 80};
}

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
    } else if (!sweep_folder_is_run(watch->run_dir)) {
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
    if (strcmp(state, "done") == 0 || strcmp(state, "pruned") == 0)
        *status = EXIT_SUCCESS;
    else if (strcmp(state, "halted") == 0)
        *status = EXIT_RUN_HALTED;
    else
        *status = EXIT_FAILURE;
    return strcmp(state, "running") != 0 && strcmp(state, "starting") != 0 && strcmp(state, "not begun") != 0;
}

static void print_head(FILE *out, const json_t *object)
{
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
}

/* The lines that print_head prints. */
static int head_lines(const json_t *object)
{
    char *text = NULL;
    size_t size = 0;
    int lines = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return 0;
    print_head(out, object);
    if (fclose(out) == 0)
        for (const char *end = text; (end = strchr(end, '\n')); end++)
            lines++;
    free(text);
    return lines;
}

/* The lines of its table of numbers, with title and the empty line before it. */
static int table_lines(const json_t *metrics)
{
    return metrics ? 2 + (int)json_array_size(json_object_get(metrics, "lines")) : 0;
}

/* Drops the oldest lines of a table of numbers down to `most`. */
static void shorten(const json_t *metrics, size_t most)
{
    json_t *lines = json_object_get(metrics, "lines");
    while (json_array_size(lines) > most)
        json_array_remove(lines, 0);
}

/* The rows that the curves get; tables of numbers are shortened for them where room is tight. 0: no curves. */
static int make_room(const json_t *object, const struct screen *screen)
{
    enum { LEAST = 8, MOST = 18, MOST_LINES = 5 };
    const json_t *train = json_object_get(object, "train"), *eval = json_object_get(object, "eval");
    int rows = screen->rows, head = head_lines(object), room = 0;
    if (!train || screen->columns < CURVES_LEAST_COLUMNS ||
        rows - 1 - head - 3 - (eval ? 3 : 0) < CURVES_LEAST_ROWS) /* an empty line, and the tables at their shortest */
        return 0;
    for (size_t most = MOST_LINES; most > 0 && room < LEAST; most--) {
        shorten(train, most);
        shorten(eval, most);
        room = rows - 1 - head - table_lines(train) - table_lines(eval);
    }
    return room < MOST ? room : MOST;
}

/* A page for a screen. What is left over at its end is the sessions. */
static void print_page(FILE *out, const struct watch *watch, const json_t *object, const struct screen *screen)
{
    enum { MOST_SESSIONS = 6 };
    const struct curves_canvas canvas = {
        .columns = screen->columns, .rows = make_room(object, screen), .braille = curves_can_braille()};
    print_head(out, object);
    if (canvas.rows > 0) {
        putc('\n', out);
        run_curves_print(out, watch->curves, &canvas);
    }
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
static void draw(const char *page, const struct screen *screen)
{
    char *frame = NULL;
    size_t size = 0;
    int rows = screen->rows, columns = screen->columns;
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
    const struct screen screen = look_at_screen();
    FILE *out = open_memstream(&page, &size);
    if (!out)
        return;
    run_curves_read(watch->curves, false);
    print_page(out, watch, object, &screen);
    if (fclose(out) == 0)
        draw(page, &screen);
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

/* The last page stays on the terminal: as long as it needs to be. */
static void show_end(const struct watch *watch, const json_t *object)
{
    const struct screen screen = {.rows = 50, .columns = look_at_screen().columns};
    if (!watch->on_terminal) {
        show(watch, object);
        return;
    }
    run_curves_read(watch->curves, true);
    print_page(stdout, watch, object, &screen);
}

/* Shows the run until it has ended, or is gone: its state then, the caller's, or NULL with the error set. */
static json_t *follow(const struct watch *watch, const struct info_watcher *watcher, int *status, struct error *error)
{
    json_t *object = look(watch, error);
    bool ended = object && has_ended(object, status), drawn = object && !ended, refreshed = true;
    if (drawn)
        begin_page(watch);
    while (object && refreshed && !ended && !ferror(stdout)) {
        show(watch, object);
        refreshed = !watcher || watcher->refresh(watcher->context, error);
        if (refreshed)
            wait_for_next(watch);
        json_decref(object);
        object = look(watch, error);
        ended = object && has_ended(object, status);
    }
    if (object && refreshed && watcher)
        refreshed = watcher->refresh(watcher->context, error);
    if (drawn)
        end_page(watch);
    if (object)
        show_end(watch, object);
    if (refreshed)
        return object;
    json_decref(object);
    return NULL;
}

bool info_watch(const char *run_dir, double seconds, const struct info_watcher *watcher, int *status,
                struct error *error)
{
    struct watch watch = {.run_dir = run_dir,
                          .seconds = seconds,
                          .state = info_state_make(run_dir),
                          .curves = run_curves_make(run_dir),
                          .on_terminal = can_draw() && open_signal_pipe()};
    json_t *object = NULL;
    if (watch.state && watch.curves)
        object = follow(&watch, watcher, status, error);
    else
        error_set(error, "%s: out of memory", run_dir);
    bool ok = object != NULL;
    json_decref(object);
    info_state_free(watch.state);
    run_curves_free(watch.curves);
    if (watch.on_terminal)
        close_signal_pipe();
    return ok;
}
