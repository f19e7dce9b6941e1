/* What the made-up drummers know: grooves of many styles, and fills, as drum tablature.
 *
 * A pattern has a line for each voice that it uses, of 16 characters (a bar of sixteenth notes) or 32 (two bars):
 *
 *     A  accent      a  an accent, sometimes
 *     N  normal      n  a normal stroke, sometimes
 *     S  soft        s  a soft stroke, sometimes
 *     G  ghost note  g  a ghost note, sometimes
 *     .  nothing
 *
 * Whoever plays decides on the strokes that come "sometimes", and on timing and loudness (tools/drummer.h). */
#ifndef DRUMLINE_TOOLS_DRUMMER_STYLES_H
#define DRUMLINE_TOOLS_DRUMMER_STYLES_H

#include <stdint.h>

enum voice {
    VOICE_KICK,
    VOICE_SNARE,
    VOICE_CROSS_STICK,
    VOICE_CLOSED_HAT,
    VOICE_PEDAL_HAT,
    VOICE_OPEN_HAT,
    VOICE_LOW_TOM,
    VOICE_MID_TOM,
    VOICE_HIGH_TOM,
    VOICE_CRASH,
    VOICE_RIDE,
    VOICE_RIDE_BELL,
    NUM_VOICES
};

enum { STEPS_PER_BAR = 16, PATTERN_MAX_STEPS = 32, STYLE_MAX_GROOVES = 5 };

struct pattern {
    const char *lines[NUM_VOICES]; /* NULL where the voice is silent */
};

struct style {
    const char *name; /* as in the Groove data set: "jazz/swing" */
    int min_bpm, max_bpm;
    float min_swing, max_swing; /* how far the off-beat comes late, in units of the pair: 0 straight, 1/6 triplets */
    int swing_unit;             /* steps from beat to off-beat: 2 where eighths swing, 1 where sixteenths do */
    float snare_late;           /* milliseconds behind the beat, beside the drummer's own */
    float fill_eagerness;       /* times the drummer's own */
    int num_grooves;
    struct pattern grooves[STYLE_MAX_GROOVES];
};

extern const struct style drummer_styles[];
extern const int drummer_num_styles;

/* Fills of one bar; one that starts later in the bar is its last part. */
extern const struct pattern drummer_fills[];
extern const int drummer_num_fills;

/* The General MIDI pitch that a voice is written with: one of those that training reads (docs/formats.md). */
int voice_pitch(enum voice voice);

/* Steps of a pattern before it starts again: 16, or 32 where one of its lines has two bars. */
int pattern_steps(const struct pattern *pattern);

/* What the line of `voice` says at `step`, counted from the pattern's beginning and taken modulo the line's length: one
 * of the characters above. */
char pattern_stroke(const struct pattern *pattern, enum voice voice, int step);

#endif
