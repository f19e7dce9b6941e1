#include "data/midi/drum_map.h"

#include "base/io/files.h"
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MAP_BYTES = 1 << 16, FIRST_NAMED_PITCH = 27 };

static const char *const drum_names[NUM_DRUMS] = {"kick",    "snare",    "closed hi-hat", "open hi-hat", "low tom",
                                                  "mid tom", "high tom", "crash",         "ride"};

/* General MIDI 1 has 35 to 81; General MIDI 2 adds the others. */
static const char *const pitch_names[] = {
    "High Q",          "Slap",           "Scratch Push",       "Scratch Pull",  "Sticks",         "Square Click",
    "Metronome Click", "Metronome Bell", "Acoustic Bass Drum", "Bass Drum 1",   "Side Stick",     "Acoustic Snare",
    "Hand Clap",       "Electric Snare", "Low Floor Tom",      "Closed Hi-Hat", "High Floor Tom", "Pedal Hi-Hat",
    "Low Tom",         "Open Hi-Hat",    "Low-Mid Tom",        "Hi-Mid Tom",    "Crash Cymbal 1", "High Tom",
    "Ride Cymbal 1",   "Chinese Cymbal", "Ride Bell",          "Tambourine",    "Splash Cymbal",  "Cowbell",
    "Crash Cymbal 2",  "Vibraslap",      "Ride Cymbal 2",      "Hi Bongo",      "Low Bongo",      "Mute Hi Conga",
    "Open Hi Conga",   "Low Conga",      "High Timbale",       "Low Timbale",   "High Agogo",     "Low Agogo",
    "Cabasa",          "Maracas",        "Short Whistle",      "Long Whistle",  "Short Guiro",    "Long Guiro",
    "Claves",          "Hi Wood Block",  "Low Wood Block",     "Mute Cuica",    "Open Cuica",     "Mute Triangle",
    "Open Triangle",   "Shaker",         "Jingle Bell",        "Belltree",      "Castanets",      "Mute Surdo",
    "Open Surdo",
};

enum { NUM_NAMED_PITCHES = sizeof pitch_names / sizeof pitch_names[0] };

const char *drum_name(int drum)
{
    assert(drum >= 0 && drum < NUM_DRUMS);
    return drum_names[drum];
}

const char *drum_pitch_name(uint8_t pitch)
{
    return pitch >= FIRST_NAMED_PITCH && pitch < FIRST_NAMED_PITCH + NUM_NAMED_PITCHES
               ? pitch_names[pitch - FIRST_NAMED_PITCH]
               : NULL;
}

void drum_pitch_label(char label[DRUM_PITCH_LABEL_SIZE], uint8_t pitch)
{
    static const char *const notes[] = {"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};
    const char *name = drum_pitch_name(pitch);
    if (name)
        snprintf(label, DRUM_PITCH_LABEL_SIZE, "%s", name);
    else
        snprintf(label, DRUM_PITCH_LABEL_SIZE, "%s%d", notes[pitch % 12], pitch / 12 - 1);
}

int drum_class_of_pitch(const struct drum_map *map, uint8_t pitch)
{
    assert(pitch < NUM_PITCHES);
    return map->classes[pitch];
}

/* The next character of `text` that is a letter or digit, as a small letter; *text moves behind it. 0 at the end. */
static int next_sign(const char **text)
{
    while (**text != '\0' && !isalnum((unsigned char)**text))
        ++*text;
    return **text == '\0' ? 0 : tolower((unsigned char)*(*text)++);
}

/* Whether both are the same words, whatever case, spaces and hyphens they are written with. */
static bool same_words(const char *a, const char *b)
{
    int sign;
    do {
        sign = next_sign(&a);
        if (sign != next_sign(&b))
            return false;
    } while (sign != 0);
    return true;
}

static int find_class(const char *text)
{
    for (int drum = 0; drum < NUM_DRUMS; drum++)
        if (same_words(text, drum_names[drum]))
            return drum;
    return DRUM_NONE;
}

static int find_named_pitch(const char *text)
{
    for (int i = 0; i < NUM_NAMED_PITCHES; i++)
        if (same_words(text, pitch_names[i]))
            return FIRST_NAMED_PITCH + i;
    return -1;
}

static bool add_pitch(struct drum_map *map, int pitch, int drum, struct error *error)
{
    if (map->classes[pitch] != DRUM_NONE)
        return error_set(error, "pitch %d is listed twice", pitch);
    map->classes[pitch] = (int8_t)drum;
    if (map->written[drum] == DRUM_NOT_WRITTEN)
        map->written[drum] = (uint8_t)pitch;
    return true;
}

/* Numbers with spaces between them, or one name. */
static bool add_pitches(struct drum_map *map, const char *text, int drum, struct error *error)
{
    int named = find_named_pitch(text);
    if (named >= 0)
        return add_pitch(map, named, drum, error);
    bool any = false;
    for (;;) {
        char *end;
        text += strspn(text, " \t");
        if (*text == '\0')
            return any || error_set(error, "no pitch before the comma");
        long pitch = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : -1;
        if (pitch < 0 || pitch >= NUM_PITCHES || (*end != '\0' && *end != ' ' && *end != '\t'))
            return error_set(error, "'%s' is neither pitches from 0 to 127 nor General MIDI's name of one", text);
        if (!add_pitch(map, (int)pitch, drum, error))
            return false;
        text = end;
        any = true;
    }
}

/* `line` is changed. */
static bool parse_line(struct drum_map *map, char *line, struct error *error)
{
    line[strcspn(line, "#\r")] = '\0';
    if (line[strspn(line, " \t")] == '\0')
        return true;
    char *comma = strchr(line, ',');
    if (!comma)
        return error_set(error, "no comma: a line is PITCHES, CLASS");
    *comma = '\0';
    if (same_words(line, "pitch") || same_words(line, "pitches"))
        return true; /* names of columns */
    int drum = find_class(comma + 1);
    if (drum == DRUM_NONE)
        return error_set(
            error,
            "'%s' is not one of the nine drums (kick, snare, closed hi-hat, open hi-hat, low tom, mid tom, "
            "high tom, crash, ride)",
            comma + 1 + strspn(comma + 1, " \t"));
    return add_pitches(map, line, drum, error);
}

bool drum_map_parse(struct drum_map *map, const char *name, const char *text, struct error *error)
{
    char line[1024];
    int number = 0;
    snprintf(map->name, sizeof map->name, "%s", name);
    memset(map->classes, DRUM_NONE, sizeof map->classes);
    memset(map->written, DRUM_NOT_WRITTEN, sizeof map->written);
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        number++;
        if (length >= sizeof line)
            return error_set(error, "line %d is longer than %zu bytes", number, sizeof line - 1);
        memcpy(line, text, length);
        line[length] = '\0';
        if (!parse_line(map, line, error))
            return error_prefix(error, "line %d", number);
        text += length + (text[length] == '\n');
    }
    for (int drum = 0; drum < NUM_DRUMS; drum++)
        if (map->written[drum] != DRUM_NOT_WRITTEN)
            return true;
    return error_set(error, "lists no pitch");
}

void drum_map_builtin(struct drum_map *map, const char *name)
{
    size_t count;
    struct error error;
    const struct drum_map_entry *entries = drum_map_entries(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].name, name) == 0 && drum_map_parse(map, name, entries[i].text, &error))
            return;
    abort(); /* no such map, or a mistake in its table */
}

/* "general, roland ..." */
static void list_names(char *text, size_t size)
{
    size_t count, used = 0;
    const struct drum_map_entry *entries = drum_map_entries(&count);
    for (size_t i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", entries[i].name);
}

static bool read_map(struct drum_map *map, const char *path, struct error *error)
{
    uint8_t *bytes;
    size_t size;
    if (!file_read(&bytes, &size, path, MAX_MAP_BYTES, error))
        return false;
    bool ok = memchr(bytes, '\0', size) == NULL || error_set(error, "not a text file: it contains a NUL");
    ok = ok && drum_map_parse(map, path_name(path), (const char *)bytes, error);
    free(bytes);
    return ok || error_prefix(error, "%s", path);
}

bool drum_map_find(struct drum_map *map, const char *name, struct error *error)
{
    size_t count;
    const struct drum_map_entry *entries = drum_map_entries(&count);
    for (size_t i = 0; i < count; i++)
        if (same_words(entries[i].name, name) && !strchr(name, '/')) {
            drum_map_builtin(map, entries[i].name);
            return true;
        }
    bool is_there;
    if (!path_look(&is_there, name, error))
        return false;
    if (is_there)
        return read_map(map, name, error);
    char names[256];
    list_names(names, sizeof names);
    return error_set(error, "'%s' is neither a built-in drum map (%s) nor a file", name, names);
}

char *drum_map_text(const struct drum_map *map)
{
    enum { LINE_BYTES = 32, PITCH_BYTES = 4 };
    size_t capacity = NUM_DRUMS * LINE_BYTES + NUM_PITCHES * PITCH_BYTES + 1, used = 0;
    char *text = format_text("%*s", (int)capacity, "");
    text[0] = '\0';
    for (int drum = 0; drum < NUM_DRUMS; drum++) {
        if (map->written[drum] == DRUM_NOT_WRITTEN)
            continue;
        used += (size_t)snprintf(text + used, capacity - used, "%d", map->written[drum]);
        for (int pitch = 0; pitch < NUM_PITCHES; pitch++)
            if (map->classes[pitch] == drum && pitch != map->written[drum])
                used += (size_t)snprintf(text + used, capacity - used, " %d", pitch);
        used += (size_t)snprintf(text + used, capacity - used, ", %s\n", drum_names[drum]);
    }
    return text;
}

bool drum_map_check_written(const struct drum_map *map, struct error *error)
{
    for (int drum = 0; drum < NUM_DRUMS; drum++)
        if (map->written[drum] == DRUM_NOT_WRITTEN)
            return error_set(error, "drum map '%s' has no pitch for %s: it can't be written with", map->name,
                             drum_names[drum]);
    return true;
}

uint64_t pitch_census_total(const struct pitch_census *census)
{
    uint64_t total = 0;
    for (int pitch = 0; pitch < NUM_PITCHES; pitch++)
        total += census->notes[pitch];
    return total;
}

uint64_t pitch_census_of_class(const struct pitch_census *census, const struct drum_map *map, int drum)
{
    uint64_t count = 0;
    for (int pitch = 0; pitch < NUM_PITCHES; pitch++)
        if (map->classes[pitch] == drum)
            count += census->notes[pitch];
    return count;
}

uint64_t pitch_census_kept(const struct pitch_census *census, const struct drum_map *map)
{
    uint64_t kept = 0;
    for (int drum = 0; drum < NUM_DRUMS; drum++)
        kept += pitch_census_of_class(census, map, drum);
    return kept;
}

static int compare_lost(const void *left, const void *right)
{
    const struct lost_pitch *a = left, *b = right;
    if (a->notes != b->notes)
        return a->notes > b->notes ? -1 : 1;
    return (a->pitch > b->pitch) - (a->pitch < b->pitch);
}

size_t pitch_census_lost(struct lost_pitch lost[NUM_PITCHES], const struct pitch_census *census,
                         const struct drum_map *map)
{
    size_t count = 0;
    for (uint64_t pitch = 0; pitch < NUM_PITCHES; pitch++)
        if (census->notes[pitch] > 0 && map->classes[pitch] == DRUM_NONE)
            lost[count++] = (struct lost_pitch){pitch, census->notes[pitch], census->files[pitch]};
    if (count > 0)
        qsort(lost, count, sizeof *lost, compare_lost);
    return count;
}

static bool has_kick_and_snare(const struct pitch_census *census, const struct drum_map *map)
{
    return pitch_census_of_class(census, map, 0) > 0 && pitch_census_of_class(census, map, 1) > 0;
}

void pitch_census_best_map(struct drum_map *best, const struct pitch_census *census)
{
    size_t count;
    const struct drum_map_entry *entries = drum_map_entries(&count);
    uint64_t most = 0;
    bool most_is_whole = false;
    for (size_t i = 0; i < count; i++) {
        struct drum_map map;
        drum_map_builtin(&map, entries[i].name);
        uint64_t kept = pitch_census_kept(census, &map);
        bool is_whole = has_kick_and_snare(census, &map);
        if (i > 0 && (kept < most || (kept == most && (most_is_whole || !is_whole))))
            continue;
        most = kept;
        most_is_whole = is_whole;
        *best = map;
    }
}
