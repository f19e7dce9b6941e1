#include "programs/common/lost_notes.h"

#include "base/log.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PITCHES_SHOWN = 16 };

static void report_pitches(const struct pitch_census *census, const struct drum_map *map)
{
    struct lost_pitch lost[NUM_PITCHES];
    size_t count = pitch_census_lost(lost, census, map);
    for (size_t i = 0; i < count && i < PITCHES_SHOWN; i++) {
        char label[DRUM_PITCH_LABEL_SIZE];
        drum_pitch_label(label, (uint8_t)lost[i].pitch);
        log_info("%8" PRIu64 " note%s skipped: pitch %" PRIu64 " (%s) is not in drum map %s (%" PRIu64 " file%s)",
                 lost[i].notes, PLURAL(lost[i].notes), lost[i].pitch, label, map->name, lost[i].files,
                 PLURAL(lost[i].files));
    }
    if (count > PITCHES_SHOWN)
        log_info("         ... and %zu more pitch%s (--log=debug lists them with their files)", count - PITCHES_SHOWN,
                 count - PITCHES_SHOWN == 1 ? "" : "es");
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

/* What lost pitches are under `best`, the most frequent first: "24 would be closed hi-hat, 29 closed hi-hat". */
static void list_found(char *text, size_t size, const struct pitch_census *census, const struct drum_map *map,
                       const struct drum_map *best)
{
    enum { MOST_LISTED = 6 };
    struct lost_pitch lost[NUM_PITCHES];
    size_t count = pitch_census_lost(lost, census, map), used = 0;
    int listed = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count && listed < MOST_LISTED && used < size; i++) {
        int drum = best->classes[lost[i].pitch];
        if (drum != DRUM_NONE)
            used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64 " is %s", listed++ > 0 ? ", " : "",
                                     lost[i].pitch, drum_name(drum));
    }
}

/* Which map keeps most, what it takes the lost pitches for, and whether that can be right. */
static void propose(const struct pitch_census *census, const struct drum_map *map, const struct drum_map *best,
                    uint64_t total, const char *what)
{
    char found[256];
    bool no_kick = pitch_census_of_class(census, best, 0) == 0, no_snare = pitch_census_of_class(census, best, 1) == 0;
    list_found(found, sizeof found, census, map, best);
    log_warning("%s: --drum_map=%s keeps %" PRIu64 " of %" PRIu64 ", the most of the built-in maps: there %s", what,
                best->name, pitch_census_kept(census, best), total, found);
    if (no_kick || no_snare)
        log_warning("%s: with it there is no %s; if there should be, it is not the kit's map: give a table of your own "
                    "(--drum_map=FILE, with lines such as '24, kick')",
                    what,
                    no_kick && no_snare ? "kick and no snare"
                    : no_kick           ? "kick"
                                        : "snare");
    else
        log_warning("%s: if these are other drums, give a table of your own (--drum_map=FILE)", what);
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
        propose(census, map, &best, total, what);
    else
        log_warning("%s: no built-in drum map keeps more; try your own (--drum_map=FILE)", what);
}
