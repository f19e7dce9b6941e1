#include "drummer.h"

#include "base/random.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICKS_PER_STEP = DRUMMER_PPQ / 4,
    /* Streams of (seed, RANDOM_DRUMMER): of a performance, and of a drummer's ways. */
    STREAM_PERFORMANCE = 0,
    STREAM_DRUMMER = 1
};

/* One drummer's ways. Times in milliseconds. */
struct drummer {
    float late[NUM_VOICES];  /* how far behind the beat each drum is struck; negative: ahead */
    float touch[NUM_VOICES]; /* how loud each drum is played, around 1 */
    float timing_noise;      /* standard deviation of a stroke */
    float drift;             /* standard deviation of a step's change of the slow drift */
    float swing;             /* added to the style's */
    float accent;            /* how much accents stand out, around 1 */
    float ghosts;            /* how likely a ghost note that comes sometimes is */
    float business;          /* how likely another such stroke is */
    float fills;             /* how likely a section ends in a fill */
    uint64_t favourites;     /* one bit a style */
};

struct player {
    struct drummer drummer;
    struct performance *performance;
    struct random_stream random;
    float swing;
    float drift;                  /* now, in milliseconds */
    float level;                  /* loudness of the section, around 1 */
    const struct pattern *groove; /* of the section */
    uint32_t chosen[NUM_VOICES];  /* one bit a step of the groove: strokes that come sometimes, and come now */
    const struct pattern *fill;   /* of this bar; NULL: none */
    int fill_start;               /* the step from which the fill replaces the groove */
    bool crash_next;              /* a fill has just ended */
};

static float normal(struct random_stream *random)
{
    float value;
    random_fill_normal(&value, 1, random);
    return value;
}

static float uniform_between(struct random_stream *random, float low, float high)
{
    return low + (high - low) * random_uniform(random);
}

static bool chance(struct random_stream *random, float probability)
{
    return random_uniform(random) < probability;
}

static int int_between(struct random_stream *random, int low, int high)
{
    return low + (int)random_below(random, (uint32_t)(high - low + 1));
}

static void drummer_make(struct drummer *drummer, uint64_t seed, int index)
{
    struct random_stream random;
    random_stream_start(&random, seed, RANDOM_DRUMMER, (uint32_t)index, STREAM_DRUMMER);
    drummer->timing_noise = uniform_between(&random, 3.0F, 9.0F);
    drummer->drift = uniform_between(&random, 0.3F, 1.2F);
    drummer->swing = uniform_between(&random, -0.01F, 0.02F);
    drummer->accent = uniform_between(&random, 0.8F, 1.3F);
    drummer->ghosts = uniform_between(&random, 0.2F, 0.8F);
    drummer->business = uniform_between(&random, 0.2F, 0.6F);
    drummer->fills = uniform_between(&random, 0.4F, 0.85F);
    float feel = 7.0F * normal(&random); /* laid back, or pushing: all drums together */
    float loudness = uniform_between(&random, 0.85F, 1.08F);
    for (int voice = 0; voice < NUM_VOICES; voice++) {
        drummer->late[voice] = feel + 3.0F * normal(&random);
        drummer->touch[voice] = loudness * uniform_between(&random, 0.88F, 1.08F);
    }
    drummer->late[VOICE_SNARE] += 2.0F;
    drummer->late[VOICE_CLOSED_HAT] -= 2.0F;
    drummer->touch[VOICE_CLOSED_HAT] *= 0.85F;
    drummer->touch[VOICE_PEDAL_HAT] *= 0.75F;
    drummer->touch[VOICE_RIDE] *= 0.85F;
    drummer->favourites = (uint64_t)random_bits(&random) << 32 | random_bits(&random);
}

static void plan(struct performance *performance, struct drummer *drummer, struct random_stream *random, uint64_t seed)
{
    performance->drummer = int_between(random, 0, NUM_DRUMMERS - 1);
    drummer_make(drummer, seed, performance->drummer);
    int style = 0;
    for (int attempt = 0; attempt < 4; attempt++) {
        style = int_between(random, 0, drummer_num_styles - 1);
        if (drummer->favourites >> style & 1)
            break;
    }
    performance->style = &drummer_styles[style];
    performance->bpm = int_between(random, performance->style->min_bpm, performance->style->max_bpm);
    performance->is_fill = chance(random, 0.1F);
    performance->num_bars = performance->is_fill ? int_between(random, 1, 2) : 4 * int_between(random, 2, 10);
    performance->num_strokes = 0;
}

/* Where `step` falls, in steps: the first half of each pair is stretched, the second shortened. */
static float swung_position(int step, int unit, float swing)
{
    int pair = 2 * unit;
    float within = (float)(step % pair) / (float)pair;
    float warped =
        within < 0.5F ? within * (1.0F + 2.0F * swing) : 0.5F + swing + (within - 0.5F) * (1.0F - 2.0F * swing);
    return (float)(step - step % pair) + warped * (float)pair;
}

static void add_stroke(struct performance *performance, enum voice voice, float ticks, float velocity)
{
    assert(performance->num_strokes < PERFORMANCE_MAX_STROKES);
    struct midi_onset *stroke = &performance->strokes[performance->num_strokes++];
    stroke->tick = ticks > 0.0F ? (uint32_t)lrintf(ticks) : 0;
    stroke->channel = MIDI_DRUM_CHANNEL;
    stroke->pitch = (uint8_t)voice_pitch(voice);
    stroke->velocity = (uint8_t)lrintf(fminf(fmaxf(velocity, 1.0F), 127.0F));
}

/* `step` counts from the performance's beginning. */
static void strike(struct player *player, enum voice voice, int step, float velocity)
{
    const struct performance *performance = player->performance;
    const float ticks_per_ms = (float)performance->bpm * DRUMMER_PPQ / 60000.0F;
    float late = player->drift + player->drummer.late[voice] + player->drummer.timing_noise * normal(&player->random);
    if (voice == VOICE_SNARE || voice == VOICE_CROSS_STICK)
        late += performance->style->snare_late;
    float ticks = swung_position(step, performance->style->swing_unit, player->swing) * TICKS_PER_STEP;
    ticks += fminf(fmaxf(late, -40.0F), 40.0F) * ticks_per_ms;
    add_stroke(player->performance, voice, ticks, velocity);

    bool flam = voice == VOICE_SNARE && velocity > 95.0F && chance(&player->random, player->fill ? 0.08F : 0.015F);
    if (flam)
        add_stroke(player->performance, voice, ticks - 30.0F * ticks_per_ms, 0.4F * velocity);
}

/* Small letters of the tablature: the player decides. */
static bool comes_sometimes(char mark)
{
    return strchr("ansg", mark) != NULL;
}

static float mark_velocity(struct player *player, enum voice voice, char mark)
{
    float velocity = 0.0F;
    switch (mark) {
    case 'A':
    case 'a':
        velocity = 84.0F + 22.0F * player->drummer.accent;
        break;
    case 'N':
    case 'n':
        velocity = 84.0F;
        break;
    case 'S':
    case 's':
        velocity = 84.0F - 24.0F * player->drummer.accent;
        break;
    default: /* ghost notes are of one kind, whatever the section */
        return 30.0F * player->drummer.touch[voice] + 5.0F * normal(&player->random);
    }
    return velocity * player->drummer.touch[voice] * player->level + 5.0F * normal(&player->random);
}

/* Decides again, with this probability for each, on the optional strokes of the groove. */
static void choose_strokes(struct player *player, float probability)
{
    const int steps = pattern_steps(player->groove);
    for (int voice = 0; voice < NUM_VOICES; voice++) {
        for (int step = 0; step < steps; step++) {
            char mark = pattern_stroke(player->groove, (enum voice)voice, step);
            if (!comes_sometimes(mark) || !chance(&player->random, probability))
                continue;
            uint32_t bit = UINT32_C(1) << step;
            bool comes = chance(&player->random, mark == 'g' ? player->drummer.ghosts : player->drummer.business);
            player->chosen[voice] = comes ? player->chosen[voice] | bit : player->chosen[voice] & ~bit;
        }
    }
}

static void start_section(struct player *player)
{
    const struct style *style = player->performance->style;
    player->groove = &style->grooves[int_between(&player->random, 0, style->num_grooves - 1)];
    player->level = uniform_between(&player->random, 0.86F, 1.08F);
    memset(player->chosen, 0, sizeof player->chosen);
    choose_strokes(player, 1.0F);
}

static void choose_fill(struct player *player)
{
    static const int starts[] = {0, 4, 8, 8, 12, 12};
    player->fill = &drummer_fills[int_between(&player->random, 0, drummer_num_fills - 1)];
    player->fill_start = player->performance->is_fill ? 0 : starts[int_between(&player->random, 0, 5)];
}

/* velocities[NUM_VOICES]: what the pattern says for step `bar_step` of bar `bar`; 0: no stroke. */
static void read_step(float *velocities, struct player *player, int bar, int bar_step)
{
    const bool filling = player->fill && bar_step >= player->fill_start;
    const struct pattern *pattern = filling ? player->fill : player->groove;
    const int step = (bar * STEPS_PER_BAR + bar_step) % pattern_steps(pattern);
    const float swell = 0.82F + 0.24F * (float)(bar_step + 1) / STEPS_PER_BAR;
    for (int voice = 0; voice < NUM_VOICES; voice++) {
        char mark = pattern_stroke(pattern, (enum voice)voice, step);
        bool comes = mark != '.';
        if (comes && comes_sometimes(mark))
            comes = filling ? chance(&player->random, player->drummer.business) : player->chosen[voice] >> step & 1;
        velocities[voice] = comes ? fmaxf(mark_velocity(player, (enum voice)voice, mark), 1.0F) : 0.0F;
        if (filling)
            velocities[voice] *= swell;
    }
}

/* A fill is answered by a crash and the kick, in the place of what the hands would do on hats and ride. */
static void answer_fill(float *velocities, struct player *player)
{
    velocities[VOICE_CLOSED_HAT] = velocities[VOICE_OPEN_HAT] = 0.0F;
    velocities[VOICE_RIDE] = velocities[VOICE_RIDE_BELL] = 0.0F;
    velocities[VOICE_CRASH] = mark_velocity(player, VOICE_CRASH, 'A');
    velocities[VOICE_KICK] = mark_velocity(player, VOICE_KICK, 'A');
}

/* An open hat is not closed at once, and of more than two strokes of the hands the softest are dropped. */
static void limit_to_two_hands(float *velocities)
{
    if (velocities[VOICE_OPEN_HAT] > 0.0F)
        velocities[VOICE_CLOSED_HAT] = velocities[VOICE_PEDAL_HAT] = 0.0F;
    for (;;) {
        int hands = 0, softest = -1;
        for (int voice = 0; voice < NUM_VOICES; voice++) {
            if (voice == VOICE_KICK || voice == VOICE_PEDAL_HAT || !(velocities[voice] > 0.0F))
                continue;
            hands++;
            if (softest < 0 || velocities[voice] < velocities[softest])
                softest = voice;
        }
        if (hands <= 2)
            return;
        velocities[softest] = 0.0F;
    }
}

static void play_bar(struct player *player, int bar)
{
    for (int bar_step = 0; bar_step < STEPS_PER_BAR; bar_step++) {
        float velocities[NUM_VOICES];
        player->drift = 0.97F * player->drift + player->drummer.drift * normal(&player->random);
        read_step(velocities, player, bar, bar_step);
        if (bar_step == 0 && player->crash_next)
            answer_fill(velocities, player);
        limit_to_two_hands(velocities);
        for (int voice = 0; voice < NUM_VOICES; voice++) {
            if (velocities[voice] > 0.0F)
                strike(player, (enum voice)voice, bar * STEPS_PER_BAR + bar_step, velocities[voice]);
        }
    }
}

static void play(struct player *player)
{
    const struct performance *performance = player->performance;
    const float fill_probability = fminf(player->drummer.fills * performance->style->fill_eagerness, 0.9F);
    int section_end = 0;
    for (int bar = 0; bar < performance->num_bars; bar++) {
        if (bar == section_end) {
            section_end = bar + (chance(&player->random, 0.5F) ? 4 : 8);
            start_section(player);
        } else {
            choose_strokes(player, 0.12F);
        }
        bool last_of_section = bar + 1 == section_end || bar + 1 == performance->num_bars;
        player->fill = NULL;
        if (performance->is_fill || (last_of_section && chance(&player->random, fill_probability)))
            choose_fill(player);
        play_bar(player, bar);
        player->crash_next = player->fill && !performance->is_fill && chance(&player->random, 0.85F);
    }
}

static int compare_strokes(const void *left, const void *right)
{
    const struct midi_onset *a = left, *b = right;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    if (a->pitch != b->pitch)
        return a->pitch < b->pitch ? -1 : 1;
    return (a->velocity > b->velocity) - (a->velocity < b->velocity);
}

void performance_make(struct performance *performance, uint64_t seed, uint32_t index)
{
    struct player player = {.performance = performance};
    random_stream_start(&player.random, seed, RANDOM_DRUMMER, index, STREAM_PERFORMANCE);
    plan(performance, &player.drummer, &player.random, seed);
    const struct style *style = performance->style;
    player.swing = uniform_between(&player.random, style->min_swing, style->max_swing);
    if (style->max_swing > 0.0F)
        player.swing = fminf(fmaxf(player.swing + player.drummer.swing, 0.0F), 0.18F);
    play(&player);
    qsort(performance->strokes, performance->num_strokes, sizeof *performance->strokes, compare_strokes);
}

uint32_t performance_end_tick(const struct performance *performance)
{
    uint32_t bars_end = (uint32_t)performance->num_bars * STEPS_PER_BAR * TICKS_PER_STEP;
    if (performance->num_strokes == 0)
        return bars_end;
    uint32_t last = performance->strokes[performance->num_strokes - 1].tick;
    return last > bars_end ? last : bars_end;
}

double performance_seconds(const struct performance *performance)
{
    return (double)performance_end_tick(performance) * 60.0 / ((double)performance->bpm * DRUMMER_PPQ);
}
