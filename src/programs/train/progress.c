#include "programs/train/progress.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <string.h>

enum { BAR_COLUMNS = 30 };
static const double draw_seconds = 0.2;

void train_progress_start(struct train_progress *progress, uint64_t first_step, uint64_t num_steps, double line_seconds,
                          double now)
{
    *progress = (struct train_progress){
        .first_step = first_step,
        .num_steps = num_steps,
        .line_seconds = line_seconds,
        .started = now,
        .lined = now,
        .drawn = now,
    };
}

void train_progress_said(struct train_progress *progress, double now)
{
    progress->lined = now;
}

static void draw(const struct train_progress *progress, double steps, double seconds_left)
{
    char bar[BAR_COLUMNS + 1], left[DURATION_TEXT_SIZE];
    double share = steps / (double)progress->num_steps;
    int full = (int)(share * BAR_COLUMNS);
    memset(bar, ' ', BAR_COLUMNS);
    memset(bar, '#', (size_t)(full < 0 ? 0 : full > BAR_COLUMNS ? BAR_COLUMNS : full));
    bar[BAR_COLUMNS] = '\0';
    log_progress("[%s] %3.0f %%  step %.1f/%" PRIu64 "  left %s", bar, 100 * share, steps, progress->num_steps,
                 duration_text(left, seconds_left));
}

void train_progress_at(struct train_progress *progress, uint64_t step, uint64_t done, uint64_t count, double now)
{
    bool draws = log_is_terminal() && now - progress->drawn >= draw_seconds;
    bool says = progress->line_seconds > 0 && now - progress->lined >= progress->line_seconds;
    if (!draws && !says)
        return;
    double part = count > 0 ? (double)done / (double)count : 0, steps = (double)(step - 1) + part;
    double made = steps - (double)progress->first_step;
    double left = made > 0 ? (now - progress->started) / made * ((double)progress->num_steps - steps) : -1;
    if (draws) {
        draw(progress, steps, left);
        progress->drawn = now;
    }
    if (says) {
        char text[DURATION_TEXT_SIZE];
        log_info("step %" PRIu64 "/%" PRIu64 " under way, %.0f %% of its windows  left %s", step, progress->num_steps,
                 100 * part, duration_text(text, left));
        progress->lined = now;
    }
}
