/* The made-up drummers: that they play like people, each in their own way, and the same on every machine. */
#include "base/random.h"
#include "data/midi/drum_map.h"
#include "drummer.h"
#include "tests/data/drum_maps.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NUM_PERFORMANCES = 300, STEP_TICKS = DRUMMER_PPQ / 4, KICK = 0, SNARE = 1, LOW_TOM = 4, HIGH_TOM = 6, RIDE = 8 };

static struct performance *performances; /* [NUM_PERFORMANCES] of seed 1 */

static int play_all(void **state)
{
    (void)state;
    performances = calloc(NUM_PERFORMANCES, sizeof *performances);
    if (!performances)
        return -1;
    for (uint32_t i = 0; i < NUM_PERFORMANCES; i++)
        performance_make(&performances[i], 1, i);
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    free(performances);
    return 0;
}

static int stroke_class(const struct midi_onset *stroke)
{
    return drum_class_of_pitch(MAP("roland"), stroke->pitch);
}

/* Mean and standard deviation of a growing number of values. */
struct moments {
    double count, sum, squares;
};

static void moments_add(struct moments *moments, double value)
{
    moments->count++;
    moments->sum += value;
    moments->squares += value * value;
}

static double mean(const struct moments *moments)
{
    return moments->sum / moments->count;
}

static double deviation(const struct moments *moments)
{
    return sqrt(moments->squares / moments->count - mean(moments) * mean(moments));
}

static void check_pattern(const struct pattern *pattern)
{
    int strokes = 0;
    for (int voice = 0; voice < NUM_VOICES; voice++) {
        const char *line = pattern->lines[voice];
        if (!line)
            continue;
        assert_true(strlen(line) == STEPS_PER_BAR || strlen(line) == PATTERN_MAX_STEPS);
        assert_int_equal(strspn(line, ".AaNnSsGg"), strlen(line));
        strokes += (int)(strlen(line) - strspn(line, "."));
    }
    assert_true(strokes > 0);
}

static void test_tablature_is_well_formed(void **state)
{
    (void)state;
    assert_true(drummer_num_styles >= 12 && drummer_num_styles <= 64);
    for (int i = 0; i < drummer_num_styles; i++) {
        const struct style *style = &drummer_styles[i];
        assert_true(style->min_bpm >= 50 && style->min_bpm < style->max_bpm && style->max_bpm <= 240);
        assert_true(style->min_swing >= 0.0F && style->min_swing <= style->max_swing && style->max_swing <= 0.18F);
        assert_true(style->swing_unit == 1 || style->swing_unit == 2);
        assert_true(style->num_grooves >= 2 && style->num_grooves <= STYLE_MAX_GROOVES);
        for (int groove = 0; groove < style->num_grooves; groove++)
            check_pattern(&style->grooves[groove]);
    }
    for (int i = 0; i < drummer_num_fills; i++) {
        check_pattern(&drummer_fills[i]);
        assert_int_equal(pattern_steps(&drummer_fills[i]), STEPS_PER_BAR);
    }
    for (int voice = 0; voice < NUM_VOICES; voice++) {
        int drum = drum_class_of_pitch(MAP("roland"), (uint8_t)voice_pitch((enum voice)voice));
        assert_in_range(drum, 0, NUM_DRUMS - 1);
    }
}

static bool same_performance(const struct performance *a, const struct performance *b)
{
    if (a->num_strokes != b->num_strokes || a->bpm != b->bpm || a->style != b->style || a->drummer != b->drummer)
        return false;
    for (size_t i = 0; i < a->num_strokes; i++) {
        const struct midi_onset *x = &a->strokes[i], *y = &b->strokes[i];
        if (x->tick != y->tick || x->pitch != y->pitch || x->velocity != y->velocity)
            return false;
    }
    return true;
}

static void test_seed_and_index_decide(void **state)
{
    (void)state;
    struct performance again;
    performance_make(&again, 1, 17);
    assert_true(same_performance(&again, &performances[17]));
    performance_make(&again, 2, 17);
    assert_false(same_performance(&again, &performances[17]));
    for (int i = 1; i < NUM_PERFORMANCES; i++)
        assert_false(same_performance(&performances[i - 1], &performances[i]));
}

static void test_strokes_are_sorted_and_in_range(void **state)
{
    (void)state;
    for (int i = 0; i < NUM_PERFORMANCES; i++) {
        const struct performance *p = &performances[i];
        assert_in_range(p->num_bars, 1, PERFORMANCE_MAX_BARS);
        assert_in_range(p->num_strokes, 4, PERFORMANCE_MAX_STROKES);
        for (size_t k = 0; k < p->num_strokes; k++) {
            assert_in_range(p->strokes[k].velocity, 1, 127);
            assert_int_equal(p->strokes[k].channel, MIDI_DRUM_CHANNEL);
            assert_true(k == 0 || p->strokes[k - 1].tick <= p->strokes[k].tick);
        }
        assert_true(p->strokes[p->num_strokes - 1].tick <= performance_end_tick(p));
        assert_true(p->strokes[p->num_strokes - 1].tick < (uint32_t)(p->num_bars * STEPS_PER_BAR + 1) * STEP_TICKS);
        double seconds = performance_seconds(p);
        assert_true(fabs(seconds * p->bpm / 60.0 - p->num_bars * 4.0) < 0.3);
    }
}

static void test_every_style_drummer_and_drum_occurs(void **state)
{
    (void)state;
    int styles[64] = {0}, drummers[NUM_DRUMMERS] = {0}, drums[NUM_DRUMS] = {0}, fills = 0;
    for (int i = 0; i < NUM_PERFORMANCES; i++) {
        const struct performance *p = &performances[i];
        styles[p->style - drummer_styles]++;
        drummers[p->drummer]++;
        fills += p->is_fill;
        for (size_t k = 0; k < p->num_strokes; k++)
            drums[stroke_class(&p->strokes[k])]++;
    }
    for (int i = 0; i < drummer_num_styles; i++)
        assert_true(styles[i] > 0);
    for (int i = 0; i < NUM_DRUMMERS; i++)
        assert_true(drummers[i] > 5);
    for (int i = 0; i < NUM_DRUMS; i++)
        assert_true(drums[i] > 250);
    assert_in_range(fills, 10, 60);
}

/* Milliseconds from the nearest step of a straight grid; positive is late. */
static double lateness(const struct performance *p, const struct midi_onset *stroke)
{
    double steps = (double)stroke->tick / STEP_TICKS;
    return (steps - floor(steps + 0.5)) * 15000.0 / p->bpm;
}

static void test_timing_is_a_persons(void **state)
{
    (void)state;
    struct moments drummers[NUM_DRUMMERS] = {0}, drummer_means = {0};
    for (int i = 0; i < NUM_PERFORMANCES; i++) {
        const struct performance *p = &performances[i];
        for (size_t k = 0; k < p->num_strokes && !(p->style->max_swing > 0.02F); k++)
            moments_add(&drummers[p->drummer], lateness(p, &p->strokes[k]));
    }
    for (int i = 0; i < NUM_DRUMMERS; i++) {
        assert_true(drummers[i].count > 100);
        assert_in_range((int)deviation(&drummers[i]), 3, 18);
        assert_true(fabs(mean(&drummers[i])) < 25.0);
        moments_add(&drummer_means, mean(&drummers[i]));
    }
    assert_true(deviation(&drummer_means) > 2.0); /* some lie back, some push */
}

/* Where in its quarter note the off-beat of a style falls, 0.5 where eighths are straight. */
static double off_beat(const char *style, int drum)
{
    struct moments moments = {0};
    for (int i = 0; i < NUM_PERFORMANCES; i++) {
        const struct performance *p = &performances[i];
        for (size_t k = 0; k < p->num_strokes && !p->is_fill && strcmp(p->style->name, style) == 0; k++) {
            double within = fmod(p->strokes[k].tick, DRUMMER_PPQ) / DRUMMER_PPQ;
            if (stroke_class(&p->strokes[k]) == drum && within > 0.4 && within < 0.8)
                moments_add(&moments, within);
        }
    }
    assert_true(moments.count > 50);
    return mean(&moments);
}

static void test_jazz_swings_and_rock_does_not(void **state)
{
    (void)state;
    double jazz = off_beat("jazz/swing", RIDE), rock = off_beat("rock", RIDE);
    assert_true(jazz > 0.6 && jazz < 0.7);
    assert_true(rock > 0.47 && rock < 0.56);
}

static void test_snare_has_accents_and_ghost_notes(void **state)
{
    (void)state;
    int ghosts = 0, accents = 0, all = 0;
    for (int i = 0; i < NUM_PERFORMANCES; i++) {
        const struct performance *p = &performances[i];
        for (size_t k = 0; k < p->num_strokes && strcmp(p->style->name, "funk") == 0; k++) {
            if (stroke_class(&p->strokes[k]) != SNARE)
                continue;
            all++;
            ghosts += p->strokes[k].velocity < 48;
            accents += p->strokes[k].velocity > 85;
        }
    }
    assert_true(all > 200);
    assert_true(ghosts > all / 4);
    assert_true(accents > all / 4);
}

static void test_sections_end_in_fills(void **state)
{
    (void)state;
    double toms_at_end = 0, toms_elsewhere = 0;
    for (int i = 0; i < NUM_PERFORMANCES; i++) {
        const struct performance *p = &performances[i];
        for (size_t k = 0; k < p->num_strokes && !p->is_fill; k++) {
            int drum = stroke_class(&p->strokes[k]);
            if (drum < LOW_TOM || drum > HIGH_TOM)
                continue;
            bool at_end = p->strokes[k].tick / (STEP_TICKS * STEPS_PER_BAR) % 4 == 3;
            toms_at_end += at_end;
            toms_elsewhere += !at_end;
        }
    }
    assert_true(toms_at_end > 1.5 * toms_elsewhere / 3.0); /* there are three other bars */
}

/* At most two drums a step are struck by hand. Only where tempo and swing leave no doubt which step a stroke belongs to. */
static void test_two_hands(void **state)
{
    (void)state;
    int looked_at = 0;
    for (int i = 0; i < NUM_PERFORMANCES; i++) {
        const struct performance *p = &performances[i];
        uint32_t struck[PERFORMANCE_MAX_BARS * STEPS_PER_BAR + 1] = {0}; /* [step]: one bit a class */
        if (p->style->max_swing > 0.02F || p->bpm > 130)
            continue;
        for (size_t k = 0; k < p->num_strokes; k++) {
            bool foot =
                p->strokes[k].pitch == voice_pitch(VOICE_KICK) || p->strokes[k].pitch == voice_pitch(VOICE_PEDAL_HAT);
            if (!foot)
                struck[(p->strokes[k].tick + STEP_TICKS / 2) / STEP_TICKS] |= UINT32_C(1)
                                                                              << stroke_class(&p->strokes[k]);
        }
        for (int step = 0; step <= p->num_bars * STEPS_PER_BAR; step++)
            assert_in_range(__builtin_popcount(struck[step]), 0, 2);
        looked_at++;
    }
    assert_true(looked_at > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tablature_is_well_formed),
        cmocka_unit_test(test_seed_and_index_decide),
        cmocka_unit_test(test_strokes_are_sorted_and_in_range),
        cmocka_unit_test(test_every_style_drummer_and_drum_occurs),
        cmocka_unit_test(test_timing_is_a_persons),
        cmocka_unit_test(test_jazz_swings_and_rock_does_not),
        cmocka_unit_test(test_snare_has_accents_and_ghost_notes),
        cmocka_unit_test(test_sections_end_in_fills),
        cmocka_unit_test(test_two_hands),
    };
    return cmocka_run_group_tests(tests, play_all, free_all);
}
