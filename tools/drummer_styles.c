#include "drummer_styles.h"

#include <string.h>

/* The tables are tablature: one line a voice, with bars and beats under each other. */
/* clang-format off */

#define KICK [VOICE_KICK]
#define SNARE [VOICE_SNARE]
#define CROSS [VOICE_CROSS_STICK]
#define CLOSED [VOICE_CLOSED_HAT]
#define PEDAL [VOICE_PEDAL_HAT]
#define OPEN [VOICE_OPEN_HAT]
#define LOW [VOICE_LOW_TOM]
#define MID [VOICE_MID_TOM]
#define HIGH [VOICE_HIGH_TOM]
#define CRASH [VOICE_CRASH]
#define RIDE [VOICE_RIDE]
#define BELL [VOICE_RIDE_BELL]
#define TAB(...) {.lines = {__VA_ARGS__}}

const struct style drummer_styles[] = {
    {
        "rock", 92, 148, 0.0F, 0.015F, 2, 3.0F, 1.0F, 5,
        {
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                SNARE  = "....A.......A..g",
                KICK   = "A.......A.n....."),
            TAB(CLOSED = "N.S.N.S.N.S.N.s.",
                OPEN   = "..............n.",
                SNARE  = "....A..g.g..A...",
                KICK   = "A..s..n.A......."),
            TAB(RIDE   = "N.S.N.S.N.S.N.S.",
                SNARE  = "....A.......A...",
                KICK   = "A.....N...A...n."),
            TAB(OPEN   = "N...N...N...N...",
                SNARE  = "....A.......A...",
                KICK   = "A.n...A.N......n"),
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                SNARE  = "....A..g....A.......A.....g.A.n.",
                KICK   = "A.....N.A.......A..N..N...A....."),
        },
    },
    {
        "rock/halftime", 100, 160, 0.0F, 0.02F, 2, 8.0F, 0.8F, 3,
        {
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                SNARE  = "........A......g",
                KICK   = "A.....n....n..n."),
            TAB(CRASH  = "N...S...N...S...",
                SNARE  = "........A.......",
                KICK   = "A..n..N.....n.n."),
            TAB(RIDE   = "N...N...N...N...",
                BELL   = "..s...s...s...s.",
                SNARE  = "........A.....g.",
                KICK   = "A.........N..n..A..N..........n."),
        },
    },
    {
        "punk", 160, 208, 0.0F, 0.0F, 2, -2.0F, 1.1F, 4,
        {
            TAB(CLOSED = "N.N.N.N.N.N.N.N.",
                SNARE  = "....A.......A...",
                KICK   = "A.....N.A.....n."),
            TAB(OPEN   = "A...A...A...A...",
                SNARE  = "..A...A...A...A.",
                KICK   = "A...A...A...A..."),
            TAB(RIDE   = "A...N...A...N...",
                SNARE  = "....A.......A...",
                KICK   = "A.N...A.N.N...n."),
            TAB(LOW    = "N.N.N.N.N.N.N.N.",
                SNARE  = "....A.......A...",
                KICK   = "A.......A......."),
        },
    },
    {
        "funk", 84, 116, 0.0F, 0.05F, 1, 2.0F, 0.9F, 5,
        {
            TAB(CLOSED = "NSNSNSNSNSNSNSNS",
                SNARE  = "....A..G.G..A..G",
                KICK   = "A.N...n...N..n.."),
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                OPEN   = "......n.......n.",
                SNARE  = "....A..G.g.GA.g.",
                KICK   = "A..N..A.....n..n"),
            TAB(CLOSED = "N.SSN.SSN.SSN.SS",
                SNARE  = "..g.A..A.G.G..A..G..A..G.G..A..G",
                KICK   = "A.N.......N..N..A.n...N...A....."),
            TAB(CLOSED = "NSSNSSNSSNSSNSNS",
                SNARE  = "....A..g.G..A.gG",
                KICK   = "A...n.N...A..n.."),
            TAB(RIDE   = "N.S.N.S.N.S.N.S.",
                PEDAL  = "....S.......S...",
                SNARE  = ".g..A..G.G.gA..g",
                KICK   = "A..n..N...A....."),
        },
    },
    {
        "funk/purdieshuffle", 84, 104, 0.13F, 0.17F, 1, 4.0F, 0.6F, 2,
        {
            TAB(CLOSED = "NSNSNSNSNSNSNSNS",
                SNARE  = ".G.G.G.GAG.G.G.g",
                KICK   = "A....n....N..n.."),
            TAB(CLOSED = "N.NSN.NSN.NSN.N.",
                OPEN   = "...............n",
                SNARE  = ".G.G.g.GA..G.G.G",
                KICK   = "A....N.....N.n..A..n......N....."),
        },
    },
    {
        "funk/fast", 118, 140, 0.0F, 0.02F, 1, 0.0F, 0.9F, 3,
        {
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                SNARE  = "....A..G.G.GA..G",
                KICK   = "A.N.......N....."),
            TAB(CLOSED = "N...N...N...N...",
                OPEN   = "..n...n...n...n.",
                SNARE  = "....A..g.g..A...",
                KICK   = "A..n....A.N..n.."),
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                SNARE  = "....A.....A..G.G.G..A....G..A..g",
                KICK   = "A.N...N......N..N.A.......A..n.."),
        },
    },
    {
        "hiphop", 78, 104, 0.03F, 0.13F, 1, 14.0F, 0.5F, 4,
        {
            TAB(CLOSED = "N.S.N.S.N.S.N.Ss",
                SNARE  = "....A.......A...",
                KICK   = "A......n..A....."),
            TAB(CLOSED = "N.SsN.S.N.SsN.S.",
                SNARE  = "....A..g.g..A...",
                KICK   = "A..n......N..n.."),
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                OPEN   = "......n.........",
                SNARE  = "....A.......A..g....A..G....A...",
                KICK   = "A.A....N..N.....A......N.NA....."),
            TAB(RIDE   = "N.S.N.S.N.S.N.S.",
                CROSS  = "....N.......N...",
                KICK   = "A.....n..NN...n."),
        },
    },
    {
        "dance/disco", 110, 130, 0.0F, 0.0F, 2, 0.0F, 0.9F, 4,
        {
            TAB(CLOSED = "N...N...N...N...",
                OPEN   = "..N...N...N...N.",
                SNARE  = "....A.......A...",
                KICK   = "A...A...A...A..."),
            TAB(CLOSED = "NS.SNS.SNS.SNS.S",
                OPEN   = "..N...N...N...N.",
                SNARE  = "....A.......A..g",
                KICK   = "A...A...A...A.n."),
            TAB(CLOSED = "NSNSNSNSNSNSNSNS",
                SNARE  = "....A.......A...",
                KICK   = "A...A...A...A..n"),
            TAB(BELL   = "..N...N...N...N.",
                SNARE  = "....A.......A.g.",
                KICK   = "A...A...A...A..."),
        },
    },
    {
        "jazz/swing", 110, 190, 0.11F, 0.165F, 2, 3.0F, 0.7F, 4,
        {
            TAB(RIDE   = "N...A.S.N...A.S.",
                PEDAL  = "....N.......N...",
                SNARE  = "..g...g...s...g.",
                KICK   = "G...G...G...G..."),
            TAB(RIDE   = "N...A.S.N.s.A.S.",
                PEDAL  = "....N.......N...",
                SNARE  = "......S.......g.",
                KICK   = "S.....g.........g.....S.......s."),
            TAB(RIDE   = "N...A.S.N...A.S.",
                PEDAL  = "....N.......N...",
                CROSS  = "............N...",
                KICK   = "G...G...G...G..s"),
            TAB(CLOSED = "S...N.S.S...N.S.",
                OPEN   = "N.......N.......",
                SNARE  = "..........g...g.",
                KICK   = "S.......S.....g."),
        },
    },
    {
        "blues/shuffle", 88, 136, 0.12F, 0.166F, 2, 5.0F, 0.9F, 4,
        {
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                SNARE  = "..g.A.g...g.A.g.",
                KICK   = "A.....n.A.....n."),
            TAB(RIDE   = "A.S.A.S.A.S.A.S.",
                PEDAL  = "....S.......S...",
                SNARE  = "....A.......A.g.",
                KICK   = "A.....N.A......."),
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                SNARE  = "G.S.A.S.G.S.A.S.",
                KICK   = "A...N...A...N..."),
            TAB(RIDE   = "N.S.N.S.N.S.N.S.",
                SNARE  = "....A.........g.....A.......A.g.",
                KICK   = "A.....N.N.....n.A.....N.A......."),
        },
    },
    {
        "latin/bossanova", 112, 150, 0.0F, 0.01F, 2, 0.0F, 0.4F, 3,
        {
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                CROSS  = "N.....N.....N.......N.....N.....",
                KICK   = "N.....S.N.....S."),
            TAB(RIDE   = "N.S.N.S.N.S.N.S.",
                PEDAL  = "....S.......S...",
                CROSS  = "....N.....N.....N.....N.....N...",
                KICK   = "N.....S.N.....S."),
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                CROSS  = "N.....N.....N.......N.....n.....",
                LOW    = "............................s.s.",
                KICK   = "N.....S.N.....S."),
        },
    },
    {
        "latin/samba", 92, 124, 0.0F, 0.04F, 1, -2.0F, 0.6F, 3,
        {
            TAB(CLOSED = "NSSNNSSNNSSNNSSN",
                CROSS  = "N..N..N...N..n..",
                KICK   = "N..SN..SN..SN..S"),
            TAB(PEDAL  = "....N.......N...",
                SNARE  = "SGGSGGSGGGSGGSGG",
                KICK   = "S..SA..SS..SA..S"),
            TAB(RIDE   = "N.SNN.SNN.SNN.SN",
                PEDAL  = "....S.......S...",
                SNARE  = "..A.GA.GA.GAG.Ag",
                LOW    = "............n...",
                KICK   = "N..SN..SN..SN..S"),
        },
    },
    {
        "latin/songo", 88, 112, 0.0F, 0.02F, 1, 0.0F, 0.7F, 3,
        {
            TAB(BELL   = "N...N...N...N...",
                SNARE  = "..S.G..GA.G..G.G",
                LOW    = "..............n.",
                KICK   = "......N.....N..."),
            TAB(BELL   = "N.N.SN.SN.N.SN.S",
                PEDAL  = "....S.......S...",
                SNARE  = "....A..G.GG..G..",
                HIGH   = "..............NN",
                KICK   = "...N..N....N..N."),
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                CROSS  = "....N...........N..N..N...N.N...",
                HIGH   = "............N...............N.N.",
                KICK   = "......N.....N..."),
        },
    },
    {
        "reggae", 66, 92, 0.02F, 0.12F, 1, 10.0F, 0.8F, 3,
        {
            TAB(CLOSED = "S.N.S.N.S.N.S.N.",
                OPEN   = "..............n.",
                CROSS  = "........A.......",
                KICK   = "........A......."),
            TAB(CLOSED = "SsNsSsNsSsNsSsNs",
                SNARE  = "........A....g..",
                KICK   = "........A......."),
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                CROSS  = "....n...A..n....",
                KICK   = "A...N...A...N..."),
        },
    },
    {
        "soul/motown", 100, 134, 0.0F, 0.03F, 2, 4.0F, 0.9F, 4,
        {
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                SNARE  = "A...A...A...A...",
                KICK   = "A.....N.N.....n."),
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                SNARE  = "....A.......A..g",
                KICK   = "A.N...N...N....."),
            TAB(RIDE   = "N.S.N.S.N.S.N.S.",
                SNARE  = "....A.......A.A.",
                KICK   = "A.....N.A......."),
            TAB(CLOSED = "N...N...N...N...",
                SNARE  = "....A.....A.A.......A.......A...",
                KICK   = "A.....A.........A..n..A...n....."),
        },
    },
    {
        "neworleans/secondline", 88, 112, 0.04F, 0.12F, 1, 4.0F, 0.7F, 3,
        {
            TAB(PEDAL  = "....S.......S...",
                SNARE  = "A.GAG.A.G.A.A.GG",
                KICK   = "N.....N.N.....NS"),
            TAB(PEDAL  = "....N.......N...",
                SNARE  = "S.GAGGAGS.GAgGAG",
                KICK   = "N..N..N.....n.N."),
            TAB(RIDE   = "N.S.N.S.N.S.N.S.",
                SNARE  = "..GA.GA...A.A.gG..A.G.A.G.GAG.A.",
                KICK   = "A..N..N.A.....N."),
        },
    },
    {
        "country", 96, 132, 0.0F, 0.02F, 1, -1.0F, 0.6F, 3,
        {
            TAB(PEDAL  = "..N...N...N...N.",
                SNARE  = "GGAGGGAGGGAGGGAG",
                KICK   = "N...N...N...N..."),
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                CROSS  = "....N.......N...",
                KICK   = "A.......A.....n."),
            TAB(RIDE   = "N.S.N.S.N.S.N.S.",
                SNARE  = "..A...A...A...A.",
                KICK   = "A...A...A...A..."),
        },
    },
    {
        "pop/soft", 66, 100, 0.0F, 0.03F, 1, 6.0F, 0.6F, 4,
        {
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                CROSS  = "....N.......N...",
                KICK   = "A.....s.N......."),
            TAB(CLOSED = "NGSGNGSGNGSGNGSG",
                CROSS  = "....N.......N..g",
                KICK   = "A......S..N....."),
            TAB(RIDE   = "N.S.N.S.N.S.N.S.",
                SNARE  = "....N.......N...",
                KICK   = "A..s..n.N......."),
            TAB(CLOSED = "N.S.N.S.N.S.N.S.",
                OPEN   = "..............n.",
                SNARE  = "....N..g....N...",
                KICK   = "A.....N...N....."),
        },
    },
};

const int drummer_num_styles = (int)(sizeof drummer_styles / sizeof *drummer_styles);

const struct pattern drummer_fills[] = {
    TAB(SNARE = "NSNS............",
        HIGH  = "....NSNS........",
        MID   = "........NSNS....",
        LOW   = "............NNNN",
        KICK  = "A...N...N...N..."),
    TAB(SNARE = "SGSGSSSSNNNNAAAA",
        KICK  = "A...N...N...N..."),
    TAB(SNARE = "N..N..N..N......",
        HIGH  = ".N..N..N..N.N...",
        LOW   = ".............N.N",
        KICK  = "..N..N..N..N..N."),
    TAB(SNARE = "N.N.........A.A.",
        HIGH  = "....N.N.........",
        LOW   = "........N.N.....",
        KICK  = "A...A...A...A..."),
    TAB(CLOSED = "N.S.N.S.N.......",
        SNARE  = "....A...A.GGA.GG",
        KICK   = "A.....N...N...N."),
    TAB(SNARE = "....A..NN.N.A...",
        HIGH  = "..........nN....",
        OPEN  = "..............A.",
        KICK  = "A..N..N.......N."),
    TAB(LOW   = "A..A..A.A..A..A.",
        SNARE = ".G..G.......A.G.",
        KICK  = "A..A..A.A..A..A."),
    TAB(SNARE = "A...........NNNN",
        KICK  = "A..............."),
    TAB(SNARE = "NN..NN..NN..NN..",
        HIGH  = "..N.......N.....",
        MID   = "......N.........",
        LOW   = "..............NN",
        KICK  = "...N...N...N...."),
    TAB(SNARE = "NNN.N.N.........",
        HIGH  = "........NNN.....",
        MID   = "...........NNN..",
        LOW   = "..............NN",
        KICK  = "A...N...N...N..."),
    TAB(HIGH  = "N...N...N...N...",
        MID   = ".N...N...N...N..",
        LOW   = "..NN..NN..NN..NN",
        KICK  = "A...N...N...N..."),
    TAB(HIGH  = "........A.N.....",
        MID   = "............A...",
        LOW   = "..............A.",
        SNARE = "A..GA..G.GG..G.G",
        KICK  = "..N..NN........."),
    TAB(HIGH  = "N.NN............",
        MID   = "....N.NN........",
        LOW   = "........N.NNN.N.",
        SNARE = "............A...",
        KICK  = "A...N...N...N..."),
    TAB(CLOSED = "N.N.N.N.N.......",
        SNARE  = "....A.....A.A.A.",
        KICK   = "A.....N.A..N...."),
    TAB(SNARE = "G.GGA.GGG.GGA.GG",
        HIGH  = ".n...n...n...N..",
        KICK  = "A...N...A...N..."),
    TAB(CRASH = "......A.........",
        SNARE = "N.NN....A.NN....",
        LOW   = "............N.N.",
        KICK  = "N..N..A.....N..n"),
    TAB(SNARE = "A..A..A...A.....",
        MID   = "............NS..",
        LOW   = "..............NN",
        KICK  = "..N..N..A..N.N.."),
};

const int drummer_num_fills = (int)(sizeof drummer_fills / sizeof *drummer_fills);

/* clang-format on */

int voice_pitch(enum voice voice)
{
    static const uint8_t pitches[NUM_VOICES] = {
        [VOICE_KICK] = 36,      [VOICE_SNARE] = 38,    [VOICE_CROSS_STICK] = 37, [VOICE_CLOSED_HAT] = 42,
        [VOICE_PEDAL_HAT] = 44, [VOICE_OPEN_HAT] = 46, [VOICE_LOW_TOM] = 43,     [VOICE_MID_TOM] = 47,
        [VOICE_HIGH_TOM] = 50,  [VOICE_CRASH] = 49,    [VOICE_RIDE] = 51,        [VOICE_RIDE_BELL] = 53,
    };
    return pitches[voice];
}

int pattern_steps(const struct pattern *pattern)
{
    int steps = STEPS_PER_BAR;
    for (int voice = 0; voice < NUM_VOICES; voice++) {
        if (pattern->lines[voice] && (int)strlen(pattern->lines[voice]) > steps)
            steps = (int)strlen(pattern->lines[voice]);
    }
    return steps;
}

char pattern_stroke(const struct pattern *pattern, enum voice voice, int step)
{
    const char *line = pattern->lines[voice];
    return line ? line[step % (int)strlen(line)] : '.';
}
