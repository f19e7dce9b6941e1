#include "data/midi/drum_notes.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DRUM_BIT = 1 << MIDI_DRUM_CHANNEL };

/* What the file says about one channel. */
struct channel_facts {
    size_t notes;
    size_t known, kicks, snares, hats; /* notes of any drum of the map, and of these */
    size_t one_pitch;                  /* notes of the pitch of the first note */
    uint8_t first_pitch;
    bool named_drums, named_click, named_melodic;
    const char *track; /* a name, or NULL */
};

bool drum_channel_parse(int *channel, const char *text, struct error *error)
{
    char *end;
    if (strcasecmp(text, "auto") == 0 || strcasecmp(text, "all") == 0) {
        *channel = strcasecmp(text, "all") == 0 ? CHANNEL_ALL : CHANNEL_AUTO;
        return true;
    }
    long number = isdigit((unsigned char)text[0]) ? strtol(text, &end, 10) : 0;
    if (number < 1 || number > NUM_CHANNELS || *end != '\0')
        return error_set(error, "'%s' is not auto, all, or a channel from 1 to %d", text, NUM_CHANNELS);
    *channel = (int)number;
    return true;
}

/* Whether `text` holds `word`, in any case. */
static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (; *text != '\0'; text++)
        if (strncasecmp(text, word, length) == 0)
            return true;
    return false;
}

static bool has_any(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (has_word(text, *words))
            return true;
    return false;
}

static bool names_drums(const char *text)
{
    static const char *const words[] = {"drum",     "perc",    "kick",      "snare",     "hi-hat",
                                        "hihat",    "hi hat",  "cymbal",    "tom-tom",   "beatbox",
                                        "batterie", "bateria", "schlagz",   "superior",  "addictive",
                                        "bfd",      "groove",  "breakbeat", "overheads", NULL};
    return has_any(text, words);
}

static bool names_click(const char *text)
{
    static const char *const words[] = {"click", "metro", "count", "guide", "cue", NULL};
    return has_any(text, words);
}

static bool names_melodic(const char *text)
{
    static const char *const words[] = {"piano", "bass",  "guitar", "gtr",   "string", "synth", "organ",
                                        "vocal", "melod", "lead",   "brass", "sax",    "flute", "violin",
                                        "keys",  "harp",  "choir",  "chord", "pad",    "voice", NULL};
    return has_any(text, words);
}

static void take_name(struct channel_facts *facts, const char *name)
{
    if (name[0] == '\0')
        return;
    bool drums = names_drums(name);
    if (!facts->track || drums)
        facts->track = name;
    facts->named_drums = facts->named_drums || drums;
    facts->named_click = facts->named_click || (!drums && names_click(name));
    facts->named_melodic = facts->named_melodic || (!drums && names_melodic(name));
}

static const char *track_name(const struct midi *midi, size_t onset)
{
    return midi->onset_tracks && midi->onset_tracks[onset] < midi->num_tracks
               ? midi->tracks[midi->onset_tracks[onset]].name
               : "";
}

static void collect(struct channel_facts facts[NUM_CHANNELS], const struct midi *midi, const struct drum_map *map)
{
    memset(facts, 0, NUM_CHANNELS * sizeof *facts);
    const char *last_name[NUM_CHANNELS] = {0};
    for (size_t i = 0; i < midi->num_onsets; i++) {
        const struct midi_onset *onset = &midi->onsets[i];
        struct channel_facts *own = &facts[onset->channel];
        const char *name = track_name(midi, i);
        int drum = drum_class_of_pitch(map, onset->pitch);
        if (own->notes++ == 0)
            own->first_pitch = onset->pitch;
        own->one_pitch += onset->pitch == own->first_pitch;
        own->known += drum != DRUM_NONE;
        own->kicks += drum == 0;
        own->snares += drum == 1;
        own->hats += drum == 2 || drum == 3;
        if (name != last_name[onset->channel])
            take_name(own, name);
        last_name[onset->channel] = name;
    }
}

/* The pitches of a kit in use: nearly all are known, and kick, snare and hi-hat are each one in twenty. */
static bool looks_like_a_kit(const struct channel_facts *facts)
{
    return facts->notes > 0 && 10 * facts->known >= 9 * facts->notes && 20 * facts->kicks >= facts->notes &&
           20 * facts->snares >= facts->notes && 20 * facts->hats >= facts->notes;
}

static uint16_t channels_in_use(const struct channel_facts facts[NUM_CHANNELS])
{
    uint16_t channels = 0;
    for (int c = 0; c < NUM_CHANNELS; c++)
        if (facts[c].notes > 0)
            channels = (uint16_t)(channels | 1U << c);
    return channels;
}

static uint16_t channels_named_drums(const struct channel_facts facts[NUM_CHANNELS])
{
    uint16_t channels = 0;
    for (int c = 0; c < NUM_CHANNELS; c++)
        if (facts[c].notes > 0 && facts[c].named_drums)
            channels = (uint16_t)(channels | 1U << c);
    return channels;
}

/* Without channel 10: a channel alone that looks like a kit, or lies in a file of a drummer's name, and of which nothing
 * says that it is melodic. */
static uint16_t lone_channel(struct drum_finding *finding, const struct channel_facts facts[NUM_CHANNELS],
                             const struct midi *midi, uint16_t used, const char *path)
{
    int c = 0;
    if (used == 0 || (used & (used - 1)) != 0)
        return 0;
    while ((used >> c & 1) == 0)
        c++;
    uint8_t program = midi->channels.programs[c];
    if (facts[c].named_melodic || facts[c].named_click || (program != NO_PROGRAM && program != 0))
        return 0;
    if (looks_like_a_kit(&facts[c]))
        finding->evidence = DRUMS_BY_PITCHES;
    else if (path && names_drums(path) && !names_melodic(path) && 2 * facts[c].known >= facts[c].notes)
        finding->evidence = DRUMS_BY_NAME;
    else
        return 0;
    return used;
}

/* Beside channel 10: a click there, and the kit elsewhere; or drums on both. */
static uint16_t with_channel_10(struct drum_finding *finding, const struct channel_facts facts[NUM_CHANNELS],
                                uint16_t rhythm, uint16_t named)
{
    const struct channel_facts *ten = &facts[MIDI_DRUM_CHANNEL];
    uint16_t others = (uint16_t)(named & ~DRUM_BIT);
    bool is_click = !ten->named_drums && (ten->named_click || ten->one_pitch == ten->notes);
    finding->evidence = DRUMS_BY_CHANNEL;
    if (others != 0 && is_click) {
        finding->evidence = DRUMS_BY_NAME;
        finding->replaced = true;
        return (uint16_t)(others | (rhythm & ~DRUM_BIT));
    }
    return (uint16_t)(DRUM_BIT | rhythm | others);
}

static uint16_t find_channels(struct drum_finding *finding, const struct channel_facts facts[NUM_CHANNELS],
                              const struct midi *midi, const char *path)
{
    uint16_t used = channels_in_use(facts), named = channels_named_drums(facts);
    uint16_t rhythm = midi->channels.rhythm & used;
    bool has_ten = (used & DRUM_BIT) != 0 && (midi->channels.melodic & DRUM_BIT) == 0;
    if (has_ten)
        return with_channel_10(finding, facts, rhythm, named);
    if (rhythm != 0) {
        finding->evidence = DRUMS_BY_PART;
        return rhythm | named;
    }
    if (named != 0) {
        finding->evidence = DRUMS_BY_NAME;
        return named;
    }
    return lone_channel(finding, facts, midi, used, path);
}

static void describe(struct drum_finding *finding, const struct channel_facts facts[NUM_CHANNELS])
{
    size_t used = 0, size = sizeof finding->words;
    if (finding->evidence == DRUMS_BY_CHOICE || finding->channels == DRUM_BIT)
        return;
    for (int c = 0; c < NUM_CHANNELS && used < size; c++)
        if (finding->channels >> c & 1)
            used += (size_t)snprintf(finding->words + used, size - used, "%s channel %d%s%.40s%s",
                                     used == 0 ? "drums are taken from" : ",", c + 1, facts[c].track ? " (track '" : "",
                                     facts[c].track ? facts[c].track : "", facts[c].track ? "')" : "");
    if (finding->replaced && used < size)
        snprintf(finding->words + used, size - used, ", and %zu note%s on channel 10 %s skipped as a click",
                 facts[MIDI_DRUM_CHANNEL].notes, PLURAL(facts[MIDI_DRUM_CHANNEL].notes),
                 facts[MIDI_DRUM_CHANNEL].notes == 1 ? "is" : "are");
}

static void keep(struct midi *midi, struct drum_finding *finding, const struct drum_choice *choice)
{
    size_t kept = 0;
    for (size_t i = 0; i < midi->num_onsets; i++) {
        if (!(finding->channels >> midi->onsets[i].channel & 1) ||
            (choice->track && !has_word(track_name(midi, i), choice->track)))
            continue;
        midi->onsets[kept] = midi->onsets[i];
        if (midi->onset_tracks)
            midi->onset_tracks[kept] = midi->onset_tracks[i];
        kept++;
    }
    finding->num_skipped = midi->num_onsets - kept;
    midi->num_onsets = kept;
}

void drum_notes_keep(struct midi *midi, struct drum_finding *finding, const struct drum_choice *choice,
                     const struct drum_map *map, const char *path)
{
    struct channel_facts facts[NUM_CHANNELS];
    *finding = (struct drum_finding){.evidence = DRUMS_UNKNOWN};
    if (midi->num_onsets == 0) {
        finding->evidence = DRUMS_BY_CHANNEL;
        return;
    }
    collect(facts, midi, map);
    if (choice->channel != CHANNEL_AUTO || choice->channels != 0 || choice->track) {
        finding->evidence = DRUMS_BY_CHOICE;
        unsigned channels = choice->channel > 0 ? 1U << (choice->channel - 1) : UINT16_MAX;
        finding->channels = choice->channels != 0 ? choice->channels : (uint16_t)channels;
    } else {
        finding->channels = find_channels(finding, facts, midi, path);
        if (finding->channels == 0)
            finding->evidence = DRUMS_UNKNOWN;
    }
    if (finding->evidence == DRUMS_UNKNOWN)
        return;
    keep(midi, finding, choice);
    describe(finding, facts);
}
