/* Which notes of a MIDI file are drums.
 *
 * General MIDI has them on channel 10. Files of drum machines, plug-ins and sequencers have them on others, or a click on
 * channel 10 and the kit elsewhere. A channel counts as drums where something says so: it is channel 10; a GS or XG
 * message or a bank makes it a rhythm part; a track on it has a drummer's name ("Drums", "Kick In"); or, where it is the
 * only one, its pitches are those of a drum kit, with hi-hats, and nothing says that it is something else. Notes of which
 * nothing says that they are drums are not taken for drums unasked. */
#ifndef DRUMLINE_DATA_MIDI_DRUM_NOTES_H
#define DRUMLINE_DATA_MIDI_DRUM_NOTES_H

#include "data/midi/drum_map.h"
#include "data/midi/midi.h"

enum { CHANNEL_AUTO = 0, CHANNEL_ALL = -1 };

/* Which notes are asked for; all zero: no choice. */
struct drum_choice {
    int channel;       /* CHANNEL_AUTO, CHANNEL_ALL, or from 1 to 16, as musicians count */
    uint16_t channels; /* bit c: channel c, from 0, in place of `channel`; 0: as `channel` says */
    const char *track; /* a part of the track's name, in any case; NULL: any track */
};

/* Reads "auto", "all", or a channel from 1 to 16. */
bool drum_channel_parse(int *channel, const char *text, struct error *error);

/* What says that the notes are drums. */
enum drum_evidence {
    DRUMS_BY_CHOICE,  /* --channel or --track */
    DRUMS_BY_CHANNEL, /* channel 10 */
    DRUMS_BY_PART,    /* a GS, XG or bank message */
    DRUMS_BY_NAME,    /* a track's name, or the file's */
    DRUMS_BY_PITCHES, /* the pitches of a kit */
    DRUMS_UNKNOWN,    /* nothing */
    NUM_DRUM_EVIDENCE
};

struct drum_finding {
    enum drum_evidence evidence;
    uint16_t channels;  /* bit c: channel c was taken */
    size_t num_skipped; /* notes on others */
    bool replaced;      /* channel 10 has notes, but the drums are elsewhere */
    char words[192];    /* "drums are taken from channel 1 (track 'Kit')", "" where it is channel 10 as usual */
};

/* Finds the drums by `choice`, and removes all other onsets. `map` says what a kit's pitches are; `path` (NULL: none) may
 * name it. Where nothing says that there are drums (DRUMS_UNKNOWN) all onsets stay. */
void drum_notes_keep(struct midi *midi, struct drum_finding *finding, const struct drum_choice *choice,
                     const struct drum_map *map, const char *path);

#endif
