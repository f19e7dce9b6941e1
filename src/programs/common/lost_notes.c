#include "programs/common/lost_notes.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PITCHES_SHOWN = 16 };

struct lost_pitch {
    uint8_t pitch;
    uint64_t notes, files;
};

static int compare_lost(const void *left, const void *right)
{
    const struct lost_pitch *a = left, *b = right;
    if (a->notes != b->notes)
        return a->notes > b->notes ? -1 : 1;
    return a->pitch - b->pitch;
}

static void report_pitches(const struct pitch_census *census, const struct drum_map *map)
{
    struct lost_pitch lost[NUM_PITCHES];
    size_t count = 0;
    for (int pitch = 0; pitch < NUM_PITCHES; pitch++)
        if (census->notes[pitch] > 0 && map->classes[pitch] == DRUM_NONE)
            lost[count++] = (struct lost_pitch){(uint8_t)pitch, census->notes[pitch], census->files[pitch]};
    if (count > 0)
        qsort(lost, count, sizeof *lost, compare_lost);
    for (size_t i = 0; i < count && i < PITCHES_SHOWN; i++) {
        const char *name = drum_pitch_name(lost[i].pitch);
        log_info("%8" PRIu64 " notes skipped: pitch %d%s%s%s is not in drum map %s (%" PRIu64 " file%s)", lost[i].notes,
                 lost[i].pitch, name ? " (" : "", name ? name : "", name ? ")" : "", map->name, lost[i].files,
                 lost[i].files == 1 ? "" : "s");
    }
    if (count > PITCHES_SHOWN)
        log_info("         ... and %zu more pitches (--log=debug lists them with their files)", count - PITCHES_SHOWN);
}

/* Whether notes that `map` does not know are of this drum under `other`. */
static bool has_lost_notes(const struct pitch_census *census, const struct drum_map *map, const struct drum_map *other,
                           int drum)
{
    for (int pitch = 0; pitch < NUM_PITCHES; pitch++)
        if (census->notes[pitch] > 0 && map->classes[pitch] == DRUM_NONE && other->classes[pitch] == drum)
            return true;
    return false;
}

/* The drums without a note under `map` that `best` would fill, and kick and snare in any case: "kick, low tom". */
static void list_empty_drums(char *text, size_t size, const struct pitch_census *census, const struct drum_map *map,
                             const struct drum_map *best)
{
    size_t used = 0;
    text[0] = '\0';
    for (int drum = 0; drum < NUM_DRUMS && used < size; drum++)
        if (pitch_census_of_class(census, map, drum) == 0 && (drum < 2 || has_lost_notes(census, map, best, drum)))
            used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", drum_name(drum));
}

void lost_notes_report(const struct pitch_census *census, const struct drum_map *map, const char *what)
{
    uint64_t total = pitch_census_total(census), kept = pitch_census_kept(census, map);
    struct drum_map best;
    char empty[128];
    report_pitches(census, map);
    pitch_census_best_map(&best, census);
    uint64_t most = pitch_census_kept(census, &best);
    list_empty_drums(empty, sizeof empty, census, map, &best);
    bool many = 10 * (total - kept) > total;
    if (!many && (most <= kept || empty[0] == '\0'))
        return;
    log_warning("%s: drum map %s skips %" PRIu64 " of %" PRIu64 " drum notes%s%s", what, map->name, total - kept, total,
                empty[0] ? "; drums without a note: " : "", empty);
    if (most > kept)
        log_warning("%s: --drum_map=%s keeps %" PRIu64
                    " of them, the most of the built-in maps; a table of your own may "
                    "keep more",
                    what, best.name, most);
    else
        log_warning("%s: no built-in drum map keeps more; try your own (--drum_map=FILE)", what);
}
