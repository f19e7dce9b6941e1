#include "data/midi/drum_map.h"

#include <assert.h>

enum { MAX_PITCHES = 18 };

struct drum {
    const char *name;
    uint8_t training[MAX_PITCHES]; /* ended by 0, which is no drum in either table */
    uint8_t general[MAX_PITCHES];  /* the first is the one we write */
};

static const struct drum drums[NUM_DRUMS] = {
    {"kick",          {36},             {36, 35}                                                    },
    {"snare",         {38, 37, 40},     {38, 37, 40, 27, 28, 31, 32, 33, 34, 39, 56, 65, 66, 75, 85}},
    {"closed hi-hat", {42, 22, 44},     {42, 22, 44, 54, 68, 69, 70, 71, 73, 78, 80}                },
    {"open hi-hat",   {46, 26},         {46, 26, 67, 72, 74, 79, 81}                                },
    {"low tom",       {43, 58},         {45, 29, 41, 43, 61, 64, 84}                                },
    {"mid tom",       {47, 45},         {48, 47, 60, 63, 77, 86, 87}                                },
    {"high tom",      {50, 48},         {50, 30, 62, 76, 83}                                        },
    {"crash",         {49, 52, 55, 57}, {49, 52, 55, 57, 58}                                        },
    {"ride",          {51, 53, 59},     {51, 53, 59, 82}                                            },
};

int drum_class_of_pitch(enum drum_map map, uint8_t pitch)
{
    for (int drum = 0; drum < NUM_DRUMS; drum++) {
        const uint8_t *pitches = map == DRUM_MAP_TRAINING ? drums[drum].training : drums[drum].general;
        for (int i = 0; i < MAX_PITCHES && pitches[i] != 0; i++)
            if (pitches[i] == pitch)
                return drum;
    }
    return DRUM_NONE;
}

uint8_t drum_written_pitch(int drum)
{
    assert(drum >= 0 && drum < NUM_DRUMS);
    return drums[drum].general[0];
}

const char *drum_name(int drum)
{
    assert(drum >= 0 && drum < NUM_DRUMS);
    return drums[drum].name;
}
