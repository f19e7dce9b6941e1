/* A run's folder: its checkpoints and its state. */
#include "base/io/files.h"
#include "base/text.h"
#include "model/checkpoint.h"
#include "programs/info/kinds.h"
#include "programs/info/state.h"
#include "run/json_members.h"
#include "run/rank_times.h"
#include "run/run_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_steps(json_t *object, const struct checkpoint_list *list)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(steps, json_integer(list->steps[i] < INT64_MAX ? (json_int_t)list->steps[i] : INT64_MAX));
    json_object_set_new(object, "checkpoints", steps);
}

bool info_read_steps(json_t *object, const char *run_dir, struct error *error)
{
    struct checkpoint_list list;
    char *folder = run_train_folder(run_dir);
    bool ok = checkpoint_list_make(&list, folder, error);
    if (ok) {
        put_steps(object, &list);
        checkpoint_list_free(&list);
    }
    free(folder);
    return ok;
}

/* The latest valid checkpoint in full, and the steps of all. */
static bool read_checkpoints(json_t *object, const char *run_dir, struct error *error)
{
    struct checkpoint_list list;
    char *folder = run_train_folder(run_dir);
    bool ok = checkpoint_list_make(&list, folder, error), found = false;
    for (size_t i = 0; ok && i < list.count && !found; i++) {
        struct error damage;
        json_t *checkpoint = json_object();
        json_object_set_new(checkpoint, "path", json_clean_text(list.paths[i]));
        bool readable = info_read_checkpoint(checkpoint, list.paths[i], &damage);
        found = readable && json_is_true(json_object_get(checkpoint, "valid"));
        if (found)
            json_object_set(object, "newest", checkpoint);
        else if (readable)
            info_add_damage(object, json_string_value(json_array_get(json_object_get(checkpoint, "damage"), 0)));
        else if (file_exists(list.paths[i]))
            info_add_damage(object, damage.message);
        json_decref(checkpoint);
    }
    if (ok) {
        put_steps(object, &list);
        checkpoint_list_free(&list);
    }
    free(folder);
    return ok;
}

/* The rank that the others wait for, of the newest session, and for how much of the time. */
static void read_slowest(json_t *object, const char *run_dir)
{
    struct rank_times times;
    struct slowest_rank slowest;
    struct error damage;
    char *folder = run_train_folder(run_dir);
    bool found = rank_times_read(&times, folder, &damage);
    double *scratch = found && times.num_ranks > 1 ? calloc(times.num_ranks, sizeof *scratch) : NULL;
    if (!found)
        info_add_damage(object, damage.message);
    if (scratch) {
        json_t *rank = json_object();
        rank_times_find_slowest(&slowest, &times, scratch);
        json_object_set_new(rank, "rank", json_integer((json_int_t)slowest.rank));
        json_object_set_new(rank, "host", json_clean_text(times.ranks[slowest.rank].host));
        json_object_set_new(rank, "share", json_real(slowest.share));
        json_object_set_new(rank, "phase", json_clean_text(times.phases[slowest.phase]));
        json_object_set_new(object, "slowest_rank", rank);
    }
    free(scratch);
    rank_times_free(&times);
    free(folder);
}

bool info_read_run(json_t *object, const char *run_dir, struct error *error)
{
    struct info_state *state = info_state_make(run_dir);
    bool ok = state || error_set(error, "%s: out of memory", run_dir);
    ok = ok && read_checkpoints(object, run_dir, error);
    if (ok) {
        info_state_read(state, object);
        read_slowest(object, run_dir);
    }
    info_state_free(state);
    return ok;
}

/* Where it matters. */
static void print_slowest(FILE *out, const json_t *rank)
{
    double share = member_number(rank, "share");
    if (share >= RANK_TIMES_SLOW_SHARE)
        info_print_field(
            out, "slowest", "rank %" PRId64 " (%s), for which the others wait %.0f %% of the time, mostly in %s",
            member_int(rank, "rank"), member_string(rank, "host"), 100 * share, member_string(rank, "phase"));
}

static void print_checkpoints(FILE *out, const json_t *object)
{
    const json_t *newest = json_object_get(object, "newest"), *steps = json_object_get(object, "checkpoints");
    size_t count = json_array_size(steps);
    info_print_field(out, "checkpoints", "%zu%s%s", count, count > 0 ? ", latest valid: " : "",
                     count == 0 ? ""
                     : newest   ? path_name(member_string(newest, "path"))
                                : "none");
    if (!newest)
        return;
    info_print_field(out, "config", "%s, %" PRId64 " parameters", member_string(newest, "config"),
                     member_int(newest, "num_parameters"));
    info_print_field(out, "step", "%" PRId64 ", written %s by %" PRId64 " rank%s", member_int(newest, "step"),
                     member_string(newest, "date"), member_int(newest, "num_ranks"),
                     PLURAL(member_int(newest, "num_ranks")));
    info_print_field(out, "data set", "%s", member_string(newest, "content_sha256"));
    info_print_validation(out, json_object_get(newest, "validation"));
    info_print_hparams(out, json_object_get(newest, "hparams_changed"));
}

void info_print_run(FILE *out, const json_t *object)
{
    enum { MOST_SESSIONS = 20 };
    char state[128];
    info_name_state(state, sizeof state, object);
    fprintf(out, "%s: run, %s%s\n", member_string(object, "path"), state,
            json_object_get(object, "damage") ? ", with DAMAGE" : "");
    info_print_state(out, object);
    print_slowest(out, json_object_get(object, "slowest_rank"));
    print_checkpoints(out, object);
    info_print_sessions(out, object, MOST_SESSIONS);
    info_print_metrics(out, json_object_get(object, "train"), "train, step");
    info_print_metrics(out, json_object_get(object, "eval"), "eval, step");
}
