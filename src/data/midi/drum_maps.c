/* The built-in drum maps. What could not be verified is not here; docs/formats.md has the sources at length. */
#include "data/midi/drum_map.h"

static const struct drum_map_entry entries[] = {
    {"general",          "General MIDI percussion, with General MIDI 2's and GS's additions",
     "General MIDI System Level 1 percussion key map (MMA RP-003); to nine classes after Magenta's groove converter",                                          "36 35, kick\n"
     "38 27 28 31 32 33 34 37 39 40 56 65 66 75 85, snare\n"
     "42 22 44 54 68 69 70 71 73 78 80, closed hi-hat\n"
     "46 26 67 72 74 79 81, open hi-hat\n"
     "45 29 41 43 61 64 84, low tom\n"
     "48 47 60 63 77 86 87, mid tom\n"
     "50 30 62 76 83, high tom\n"
     "49 52 55 57 58, crash\n"
     "51 53 59 82, ride\n"                       },
    {"roland",           "Roland TD modules, as in the Groove MIDI Dataset (a TD-11)",
     "Groove MIDI Dataset, table of the drum mapping; Roland's default MIDI note maps (TD-17, TD-27)",                                                         "36, kick\n"
     "38 37 40, snare\n"
     "42 22 44, closed hi-hat\n"
     "46 26, open hi-hat\n"
     "43 58, low tom\n"
     "47 45, mid tom\n"
     "50 48, high tom\n"
     "49 52 55 57, crash\n"
     "51 53 59, ride\n"                                         },
    {"superior_drummer", "Toontrack Superior Drummer 3 and EZdrummer",
     "the layout's pitch names as published for Studio One (chad-ramos/studio-one-drum-maps); mutes play nothing",                                             "36 34 35, kick\n"
     "38 1 2 3 4 6 33 37 39 40 66 67 68 69 71 125 126 127, snare\n"
     "42 7 8 9 10 11 18 19 20 21 22 44 61 62 63 65 119, closed hi-hat\n"
     "46 12 13 14 15 16 17 23 24 25 26 60 64 120 121 122 123 124, open hi-hat\n"
     "43 41 72 73 74 75, low tom\n"
     "45 47 77 78 79 80, mid tom\n"
     "48 81 82, high tom\n"
     "49 27 28 31 32 52 55 57 84 85 86 87 88 89 90 91 92 93 96 97 98 99 100 101 102 103 104 105 108 109 110 111 112, "
     "crash\n"
     "51 29 30 53 59 76 113 114 115 116 117, ride\n"},
    {"addictive_drums",  "XLN Addictive Drums 2",
     "Addictive Drums 2 Keymap (XLN Audio, 2021); chokes and Flexi pieces play nothing",                                                                       "36, kick\n"
     "38 26 28 29 30 31 32 33 34 35 37 39 40 41 42 43 44 75, snare\n"
     "49 7 8 9 48 50 51 52 53, closed hi-hat\n"
     "55 54 56 57 58 59, open hi-hat\n"
     "65 66, low tom\n"
     "67 68 69 70, mid tom\n"
     "71 72, high tom\n"
     "77 46 79 81 89 91 93, crash\n"
     "60 3 4 45 61 62 84 85 86, ride\n"                                       },
    {"logic",            "Logic Pro's Drum Kit Designer, GM Standard input mapping",
     "Logic Pro User Guide, Drum Kit Designer mappings (Apple)",                                                                                               "36 35, kick\n"
     "38 32 34 37 39 40 56, snare\n"
     "42 33 44 54 70, closed hi-hat\n"
     "46 31, open hi-hat\n"
     "41 43, low tom\n"
     "45 47, mid tom\n"
     "48 50, high tom\n"
     "49 57, crash\n"
     "51 52 53 59, ride\n"                                                                            },
    {"yamaha_dtx",       "Yamaha DTX modules (DTX502, DTXPLORER)",
     "DTX502 Reference Manual, MIDI note numbers; DTXPLORER owner's manual, MIDI transmit note numbers (Yamaha)",                                              "36 33 35, kick\n"
     "38 27 31 34 37 40, snare\n"
     "42 44 79 86, closed hi-hat\n"
     "46 78 83 85, open hi-hat\n"
     "43, low tom\n"
     "47, mid tom\n"
     "48, high tom\n"
     "49 55 57 59, crash\n"
     "51 52 53, ride\n"                              },
    {"alesis",           "Alesis Nitro Max",                                                  "Nitro Max Drum Module User Guide, default MIDI notes (Alesis)",
     "36, kick\n"
     "38 40, snare\n"
     "42 44, closed hi-hat\n"
     "46 21 23, open hi-hat\n"
     "43 39 41 58, low tom\n"
     "45 47, mid tom\n"
     "48 50, high tom\n"
     "49 57, crash\n"
     "51, ride\n"                                                                                                                                                     },
    {"hydrogen",         "Hydrogen's GMRockKit",
     "midiOutNote of each instrument in the kit's drumkit.xml (hydrogen-music/hydrogen)",                                                                      "36, kick\n"
     "38 37 39 40 56, snare\n"
     "42 44, closed hi-hat\n"
     "46 82, open hi-hat\n"
     "41, low tom\n"
     "43, mid tom\n"
     "45, high tom\n"
     "49 57, crash\n"
     "51 59 81, ride\n"                                                      },
};

const struct drum_map_entry *drum_map_entries(size_t *count)
{
    *count = sizeof entries / sizeof entries[0];
    return entries;
}
