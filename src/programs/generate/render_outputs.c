#include "programs/generate/render_outputs.h"

#include "base/io/files.h"
#include "base/text.h"
#include "base/threads.h"
#include "data/midi/reader.h"
#include "programs/common/playback.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct work {
    const struct generate_output *output;
    const struct render_outputs_request *request;
    pthread_mutex_t mutex; /* guards the rest */
    int next;              /* output to be rendered */
    bool failed;
    struct error error; /* of the first failure */
};

static bool wants(const struct render_outputs_request *request, bool pictures)
{
    bool any = false;
    for (int i = 0; i < NUM_RENDERINGS; i++)
        any = any || (request->wanted[i] && rendering_is_picture((enum rendering)i) == pictures);
    return any;
}

bool render_outputs_check(const struct render_outputs_request *request, struct error *error)
{
    struct grid grid = {
        .time_signature = {4, 4}
    };
    struct drum_roll roll = {.grid = &grid};
    struct drum_roll_sheet sheet = {.rolls = &roll, .num_rolls = 1, .columns = 1};
    struct render_bytes bytes;
    if (wants(request, true)) {
        if (!drum_roll_svg(&bytes, &sheet, error))
            return false;
        render_bytes_free(&bytes);
    }
    if (request->device) {
        struct playback playback;
        if (!playback_start(&playback, request->device, request->soundfont, error))
            return false;
        playback_finish(&playback);
    } else if (wants(request, false)) {
        struct audio_renderer *renderer = audio_renderer_make(request->soundfont, error);
        audio_renderer_free(renderer);
        return renderer != NULL;
    }
    return true;
}

/* "new/x-000-of-005.mid" with another end: the suffix of the rendering. */
static char *path_of(const char *midi_path, enum rendering rendering)
{
    size_t length = strlen(midi_path) - strlen(".mid");
    return format_text("%.*s.%s", (int)length, midi_path, rendering_name(rendering));
}

/* A written file as it is read again: one performance. */
static bool read_grid(struct grid_list *list, const struct midi *midi, const char *path, const struct drum_map *map,
                      struct error *error)
{
    if (!grid_list_make(list, midi, map, (struct time_signature){4, 4}, error))
        return false;
    if (list->count == 1)
        return true;
    grid_list_free(list);
    return error_set(error, "%s: is not the performance that was written", path);
}

/* The drums of a changed copy, or of the file before; all notes where nothing says which they are. */
static bool load_drums(struct midi *midi, const char *path, const struct drum_choice *drums,
                       const struct render_outputs_request *request, struct error *error)
{
    struct drum_finding finding;
    if (!midi_load(midi, path, false, NULL, error))
        return false;
    drum_notes_keep(midi, &finding, drums, request->input_map, path);
    return true;
}

static bool read_drums(struct grid_list *list, const char *path, const struct drum_choice *drums,
                       const struct render_outputs_request *request, struct error *error)
{
    struct midi midi;
    if (!load_drums(&midi, path, drums, request, error))
        return false;
    bool ok = grid_list_make(list, &midi, request->input_map, (struct time_signature){4, 4}, error);
    midi_free(&midi);
    return ok;
}

/* A file before and after, side by side, stretch by stretch. */
static bool draw_change(const char *midi_path, const struct work *work, enum rendering rendering, const char *path,
                        struct error *error)
{
    enum { BEFORE, AFTER, NUM_SIDES, LONG_BARS = 64, LONG_SYSTEM = 8 };
    static const char *const titles[] = {"before", "after"};
    const char *const files[] = {work->request->before, midi_path};
    const struct drum_choice *const drums[] = {&work->request->before_drums, &work->request->drums};
    struct grid_list lists[NUM_SIDES] = {{0}};
    struct drum_roll *rolls = NULL;
    uint32_t longest = 0;
    int count = 0;
    bool ok = true;
    for (int side = 0; ok && side < NUM_SIDES; side++)
        ok = read_drums(&lists[side], files[side], drums[side], work->request, error);
    size_t parts = lists[BEFORE].count < lists[AFTER].count ? lists[BEFORE].count : lists[AFTER].count;
    if (ok) {
        rolls = calloc(NUM_SIDES * parts + 1, sizeof *rolls);
        ok = rolls || error_set_no_memory(error, "%s: out of memory", path);
    }
    for (size_t p = 0; ok && p < parts; p++)
        for (int side = 0; lists[BEFORE].parts[p].fault == GRID_VALID && lists[AFTER].parts[p].fault == GRID_VALID &&
                           side < NUM_SIDES;
             side++) {
            const struct grid *grid = &lists[side].parts[p].grid;
            longest = grid->num_steps > longest ? grid->num_steps : longest;
            rolls[count++] = (struct drum_roll){titles[side], grid};
        }
    struct drum_roll_sheet sheet = {.title = path_name(midi_path),
                                    .rolls = rolls,
                                    .num_rolls = count,
                                    .columns = NUM_SIDES,
                                    .bars_per_system = longest > LONG_BARS * GRID_BAR_STEPS ? LONG_SYSTEM : 0,
                                    .dark = work->request->dark};
    ok = ok && (count > 0 || error_set(error, "%s: holds no drumming to draw", midi_path));
    ok = ok && rendering_draw(&sheet, rendering, path, error);
    free(rolls);
    for (int side = 0; side < NUM_SIDES; side++)
        grid_list_free(&lists[side]);
    return ok;
}

static bool draw(const char *midi_path, const struct midi *midi, const struct work *work, enum rendering rendering,
                 const char *path, struct error *error)
{
    struct grid_list list;
    if (!read_grid(&list, midi, midi_path, &work->output->map, error))
        return false;
    struct drum_roll roll = {.grid = &list.parts[0].grid};
    struct drum_roll_sheet sheet = {
        .title = path_name(midi_path), .rolls = &roll, .num_rolls = 1, .columns = 1, .dark = work->request->dark};
    bool ok = rendering_draw(&sheet, rendering, path, error);
    grid_list_free(&list);
    return ok;
}

/* An output's drums, as they are drawn and heard. */
static bool load_output(struct midi *midi, const char *path, const struct render_outputs_request *request,
                        struct error *error)
{
    return request->before ? load_drums(midi, path, &request->drums, request, error)
                           : midi_load(midi, path, false, NULL, error);
}

static bool render_one(const struct work *work, struct audio_renderer *renderer, int number, struct error *error)
{
    const struct render_outputs_request *request = work->request;
    struct midi midi;
    char *midi_path = generate_output_path(work->output, number);
    bool ok = load_output(&midi, midi_path, request, error);
    for (int i = 0; ok && i < NUM_RENDERINGS; i++) {
        if (!request->wanted[i])
            continue;
        char *path = path_of(midi_path, (enum rendering)i);
        if (rendering_is_picture((enum rendering)i) && request->before)
            ok = draw_change(midi_path, work, (enum rendering)i, path, error);
        else if (rendering_is_picture((enum rendering)i))
            ok = draw(midi_path, &midi, work, (enum rendering)i, path, error);
        else
            ok = rendering_play(renderer, &midi, (enum rendering)i, path, error);
        free(path);
    }
    midi_free(&midi);
    free(midi_path);
    return ok;
}

/* The next output to render, -1 where there is none or another thread has failed. */
static int take_next(struct work *work)
{
    pthread_mutex_lock(&work->mutex);
    int number = work->failed || work->next == work->output->written ? -1 : work->next++;
    pthread_mutex_unlock(&work->mutex);
    return number;
}

static void fail(struct work *work, const struct error *error)
{
    pthread_mutex_lock(&work->mutex);
    if (!work->failed)
        work->error = *error;
    work->failed = true;
    pthread_mutex_unlock(&work->mutex);
}

static void *render_some(void *context)
{
    struct work *work = context;
    struct error error;
    struct audio_renderer *renderer = NULL;
    if (wants(work->request, false)) {
        renderer = audio_renderer_make(work->request->soundfont, &error);
        if (!renderer) {
            fail(work, &error);
            return NULL;
        }
    }
    for (int number; (number = take_next(work)) >= 0;)
        if (!render_one(work, renderer, number, &error))
            fail(work, &error);
    audio_renderer_free(renderer);
    return NULL;
}

/* One picture of all outputs, row by row. */
static bool draw_sheet(const struct generate_output *output, const struct render_outputs_request *request,
                       enum rendering rendering, struct error *error)
{
    size_t count = (size_t)output->written;
    struct grid_list *lists = calloc(count, sizeof *lists);
    struct drum_roll *rolls = calloc(count, sizeof *rolls);
    char **paths = calloc(count, sizeof *paths);
    bool ok = (lists && rolls && paths) || error_set(error, "out of memory for a sheet of %zu pictures", count);
    for (size_t i = 0; ok && i < count; i++) {
        struct midi midi;
        paths[i] = generate_output_path(output, (int)i);
        ok = midi_load(&midi, paths[i], false, NULL, error) &&
             read_grid(&lists[i], &midi, paths[i], &output->map, error);
        midi_free(&midi);
        if (ok)
            rolls[i] = (struct drum_roll){path_name(paths[i]), &lists[i].parts[0].grid};
    }
    if (ok) {
        char *path = generate_output_set_path(output, "sheet", rendering_name(rendering));
        struct drum_roll_sheet sheet = {.title = path_name(path),
                                        .rolls = rolls,
                                        .num_rolls = (int)count,
                                        .columns = request->sheet_columns,
                                        .dark = request->dark};
        ok = rendering_draw(&sheet, rendering, path, error);
        free(path);
    }
    for (size_t i = 0; i < count; i++) {
        if (lists)
            grid_list_free(&lists[i]);
        if (paths)
            free(paths[i]);
    }
    free(lists);
    free(rolls);
    free(paths);
    return ok;
}

bool render_outputs(struct render_outputs_count *count, const struct generate_output *output,
                    const struct render_outputs_request *request, struct error *error)
{
    struct work work = {.output = output, .request = request, .mutex = PTHREAD_MUTEX_INITIALIZER};
    int threads = request->threads < output->written ? request->threads : output->written;
    *count = (struct render_outputs_count){{0}};
    if (!wants(request, true) && !wants(request, false))
        return true;
    threads_run(render_some, &work, 0, threads);
    pthread_mutex_destroy(&work.mutex);
    if (work.failed)
        *error = work.error;
    bool ok = !work.failed;
    for (int i = 0; ok && i < NUM_RENDERINGS; i++) {
        bool sheet = request->wanted[i] && request->sheet && rendering_is_picture((enum rendering)i);
        count->files[i] = request->wanted[i] ? output->written + sheet : 0;
        ok = !sheet || draw_sheet(output, request, (enum rendering)i, error);
    }
    return ok;
}

bool render_outputs_play(const struct generate_output *output, const struct render_outputs_request *request,
                         struct error *error)
{
    struct playback playback;
    if (!request->device)
        return true;
    if (!playback_start(&playback, request->device, request->soundfont, error))
        return false;
    bool ok = true;
    for (int i = 0; ok && !playback_is_stopped(&playback) && i < output->written; i++) {
        struct midi midi;
        char *path = generate_output_path(output, i);
        ok = load_output(&midi, path, request, error) && playback_play(&playback, &midi, path, error);
        midi_free(&midi);
        free(path);
    }
    playback_finish(&playback);
    return ok;
}
