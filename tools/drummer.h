/* Ten made-up drummers, for trying Drumline where no recordings are at hand: performances that are played, not programmed.
 *
 * A performance is planned (drummer, style, tempo, length) and then played bar by bar. A section of four or eight bars
 * keeps one groove and one set of the strokes that the groove leaves open, so that bars resemble each other as a
 * drummer's do; it may end in a fill, and what follows a fill starts on a crash. Timing is the groove's place on the grid,
 * swung, plus what the drummer does to each drum (a snare that lies back, hats that push), a slow drift, and a little noise;
 * loudness is accents and ghost notes, the drummer's touch on each drum, sections, and swelling fills. No more than two
 * hands play at once.
 *
 * Everything follows from (seed, index of the performance) through base/random.h. */
#ifndef DRUMLINE_TOOLS_DRUMMER_H
#define DRUMLINE_TOOLS_DRUMMER_H

#include "data/midi/midi.h"
#include "drummer_styles.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NUM_DRUMMERS = 10,
    DRUMMER_PPQ = MIDI_WRITTEN_PPQ, /* ticks a quarter note */
    PERFORMANCE_MAX_BARS = 40,
    /* A step holds two hands, each perhaps with a grace note, and two feet. */
    PERFORMANCE_MAX_STROKES = PERFORMANCE_MAX_BARS * STEPS_PER_BAR * 6
};

struct performance {
    int drummer;               /* 0 to NUM_DRUMMERS - 1 */
    const struct style *style; /* not owned */
    int bpm;
    bool is_fill; /* a fill alone, of one or two bars, instead of a beat */
    int num_bars; /* in 4/4 */
    size_t num_strokes;
    struct midi_onset strokes[PERFORMANCE_MAX_STROKES]; /* by tick, then pitch */
};

/* Plans and plays performance number `index`. */
void performance_make(struct performance *performance, uint64_t seed, uint32_t index);

/* The end of the last bar, or the last stroke where that is later. */
uint32_t performance_end_tick(const struct performance *performance);

/* The same in seconds. */
double performance_seconds(const struct performance *performance);

#endif
