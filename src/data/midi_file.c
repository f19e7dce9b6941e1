#include "data/midi_file.h"

#include "base/atomic_file.h"
#include "base/files.h"

#include <math.h>
#include <smf.h>
#include <stdlib.h>
#include <string.h>

enum { NOTE_ON = 0x90, NOTE_OFF = 0x80, META = 0xff, META_TEMPO = 0x51, META_TIME_SIGNATURE = 0x58 };

/* libsmf prints its complaints through glib. They go here instead, so that a refusal can tell the last of them. */
struct complaint {
    char text[256];
    guint handler;
};

static void take_complaint(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer user)
{
    struct complaint *complaint = user;
    (void)domain;
    if ((level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING)) == 0)
        return;
    size_t length = strlen(message);
    if (length >= sizeof complaint->text)
        length = sizeof complaint->text - 1;
    memcpy(complaint->text, message, length);
    complaint->text[length] = '\0';
}

static void listen_to_libsmf(struct complaint *complaint)
{
    complaint->text[0] = '\0';
    complaint->handler = g_log_set_handler("libsmf", G_LOG_LEVEL_MASK, take_complaint, complaint);
}

static void stop_listening(struct complaint *complaint)
{
    g_log_remove_handler("libsmf", complaint->handler);
}

/* smf_delete alone searches a track's whole list for each event that it frees: minutes for a large file. */
static void delete_smf(smf_t *smf)
{
    for (int number = 1; number <= smf->number_of_tracks; number++) {
        smf_track_t *track = smf_get_track_by_number(smf, number);
        for (guint i = 0; i < track->events_array->len; i++) {
            smf_event_t *event = g_ptr_array_index(track->events_array, i);
            free(event->midi_buffer);
            free(event);
        }
        g_ptr_array_set_size(track->events_array, 0);
        track->number_of_events = 0;
    }
    smf_delete(smf);
}

static bool count_events(struct midi *midi, const smf_t *smf, struct error *error)
{
    for (int number = 1; number <= smf->number_of_tracks; number++) {
        smf_track_t *track = smf_get_track_by_number(smf, number);
        for (int i = 1; i <= track->number_of_events; i++) {
            const uint8_t *bytes = smf_track_get_event_by_number(track, i)->midi_buffer;
            midi->num_onsets += (bytes[0] & 0xf0) == NOTE_ON;
            midi->num_tempos += bytes[0] == META && bytes[1] == META_TEMPO;
            midi->num_time_signatures += bytes[0] == META && bytes[1] == META_TIME_SIGNATURE;
        }
    }
    midi->onsets = calloc(midi->num_onsets + 1, sizeof *midi->onsets);
    midi->tempos = calloc(midi->num_tempos + 1, sizeof *midi->tempos);
    midi->time_signatures = calloc(midi->num_time_signatures + 1, sizeof *midi->time_signatures);
    if (midi->onsets == NULL || midi->tempos == NULL || midi->time_signatures == NULL)
        return error_set(error, "no memory for %zu notes", midi->num_onsets);
    midi->num_onsets = midi->num_tempos = midi->num_time_signatures = 0;
    return true;
}

/* smf_get_next_event merges the tracks by time, the earlier track first. */
static void take_events(struct midi *midi, smf_t *smf)
{
    const smf_event_t *event;
    smf_rewind(smf);
    while ((event = smf_get_next_event(smf)) != NULL) {
        const uint8_t *bytes = event->midi_buffer;
        uint32_t tick = (uint32_t)event->time_pulses;
        if ((bytes[0] & 0xf0) == NOTE_ON)
            midi->onsets[midi->num_onsets++] =
                (struct midi_onset){tick, (uint8_t)(bytes[0] & 0x0f), bytes[1], bytes[2]};
        else if (bytes[0] == META && bytes[1] == META_TEMPO)
            midi->tempos[midi->num_tempos++] =
                (struct midi_tempo){tick, (uint32_t)bytes[3] << 16 | (uint32_t)bytes[4] << 8 | bytes[5]};
        else if (bytes[0] == META && bytes[1] == META_TIME_SIGNATURE)
            midi->time_signatures[midi->num_time_signatures++] =
                (struct midi_time_signature){tick, bytes[3], (uint8_t)(1U << bytes[4])};
    }
}

static void leave_out_melodic(struct midi *midi)
{
    bool has_drum_channel = false;
    for (size_t i = 0; i < midi->num_onsets; i++)
        has_drum_channel = has_drum_channel || midi->onsets[i].channel == MIDI_DRUM_CHANNEL;
    if (!has_drum_channel)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < midi->num_onsets; i++)
        if (midi->onsets[i].channel == MIDI_DRUM_CHANNEL)
            midi->onsets[kept++] = midi->onsets[i];
    midi->num_melodic = midi->num_onsets - kept;
    midi->num_onsets = kept;
}

static bool load_copy(struct midi *midi, const struct midi_copy *copy, struct error *error)
{
    struct complaint complaint;
    bool ok = false;
    listen_to_libsmf(&complaint);
    smf_t *smf = smf_load_from_memory(copy->bytes, (int)copy->size);
    if (smf == NULL) {
        error_set(error, "libsmf can't read it: %s", complaint.text[0] != '\0' ? complaint.text : "no reason given");
    } else if (count_events(midi, smf, error)) {
        midi->ppq = (uint32_t)smf->ppqn;
        midi->end_tick = copy->end_tick;
        take_events(midi, smf);
        leave_out_melodic(midi);
        ok = true;
    }
    if (smf != NULL)
        delete_smf(smf);
    stop_listening(&complaint);
    return ok;
}

bool midi_parse(struct midi *midi, const uint8_t *bytes, size_t size, enum midi_fault *fault, struct error *error)
{
    enum midi_fault ignored;
    struct midi_copy copy;
    *midi = (struct midi){0};
    if (!midi_check(&copy, bytes, size, fault != NULL ? fault : &ignored, error))
        return false;
    bool ok = load_copy(midi, &copy, error);
    free(copy.bytes);
    if (!ok) {
        midi_free(midi);
        if (fault != NULL)
            *fault = MIDI_DAMAGED;
    }
    return ok;
}

bool midi_load(struct midi *midi, const char *path, enum midi_fault *fault, struct error *error)
{
    uint8_t *bytes = NULL;
    size_t size;
    *midi = (struct midi){0};
    if (!file_read(&bytes, &size, path, MIDI_MAX_BYTES, error)) {
        if (fault != NULL)
            *fault = MIDI_UNREADABLE;
        return false;
    }
    bool ok = midi_parse(midi, bytes, size, fault, error);
    free(bytes);
    return ok || error_prefix(error, "%s", path);
}

void midi_free(struct midi *midi)
{
    free(midi->onsets);
    free(midi->tempos);
    free(midi->time_signatures);
    *midi = (struct midi){0};
}

double midi_qpm(uint32_t microseconds_per_quarter)
{
    return 60e6 / microseconds_per_quarter;
}

uint32_t midi_tempo_of_qpm(double qpm)
{
    double tempo = 60e6 / qpm;
    if (!(tempo >= 1))
        return tempo < 1 ? 1 : MIDI_DEFAULT_TEMPO;
    return tempo > MIDI_LONGEST_TEMPO ? MIDI_LONGEST_TEMPO : (uint32_t)lround(tempo);
}

/* One event to be written. At one tick meta events come first, then note-offs, then note-ons, so that a note that ends
 * where the next of its pitch begins does not cut that one off. */
struct written_event {
    uint32_t tick;
    uint32_t order; /* kind, then place in the list: makes the sort's result unique */
    uint8_t bytes[7];
    uint8_t count;
};

static int compare_events(const void *left, const void *right)
{
    const struct written_event *a = left, *b = right;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static uint32_t note_end(const struct midi *midi, size_t number)
{
    const struct midi_onset *onset = &midi->onsets[number];
    uint32_t sixteenth = midi->ppq / 4 > 0 ? midi->ppq / 4 : 1;
    uint32_t end = onset->tick + sixteenth;
    for (size_t i = number + 1; i < midi->num_onsets && midi->onsets[i].tick < end; i++)
        if (midi->onsets[i].tick > onset->tick && midi->onsets[i].pitch == onset->pitch &&
            midi->onsets[i].channel == onset->channel)
            end = midi->onsets[i].tick;
    return end;
}

static uint8_t exponent_of_two(uint8_t value)
{
    uint8_t exponent = 0;
    while (value >>= 1)
        exponent++;
    return exponent;
}

static size_t fill_events(struct written_event *events, const struct midi *midi)
{
    enum { ORDER_TIME_SIGNATURE = 0, ORDER_TEMPO = 1 << 28, ORDER_OFF = 2 << 28, ORDER_ON = 3 << 28 };
    size_t count = 0;
    for (size_t i = 0; i < midi->num_time_signatures; i++) {
        const struct midi_time_signature *signature = &midi->time_signatures[i];
        uint8_t exponent = exponent_of_two(signature->denominator);
        events[count++] = (struct written_event){
            signature->tick,
            ORDER_TIME_SIGNATURE + (uint32_t)i,
            {META, META_TIME_SIGNATURE, 4, signature->numerator, exponent, 24, 8},
            7
        };
    }
    for (size_t i = 0; i < midi->num_tempos; i++) {
        uint32_t tempo = midi->tempos[i].microseconds_per_quarter;
        events[count++] = (struct written_event){
            midi->tempos[i].tick,
            ORDER_TEMPO + (uint32_t)i,
            {META, META_TEMPO, 3, (uint8_t)(tempo >> 16), (uint8_t)(tempo >> 8), (uint8_t)tempo},
            6
        };
    }
    for (size_t i = 0; i < midi->num_onsets; i++) {
        const struct midi_onset *onset = &midi->onsets[i];
        uint8_t on = (uint8_t)(NOTE_ON | onset->channel), off = (uint8_t)(NOTE_OFF | onset->channel);
        events[count++] = (struct written_event){
            onset->tick, ORDER_ON + (uint32_t)i, {on, onset->pitch, onset->velocity},
                3
        };
        events[count++] = (struct written_event){
            note_end(midi, i), ORDER_OFF + (uint32_t)i, {off, onset->pitch, 64},
                 3
        };
    }
    qsort(events, count, sizeof *events, compare_events);
    return count;
}

/* libsmf owns what has been added to the track. */
static bool add_events(smf_track_t *track, const struct written_event *events, size_t count, const char *track_name,
                       uint32_t end_tick)
{
    smf_event_t *name = smf_event_new_textual(3, track_name);
    if (name == NULL)
        return false;
    smf_track_add_event_pulses(track, name, 0);
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[sizeof events[i].bytes];
        memcpy(bytes, events[i].bytes, sizeof bytes);
        smf_event_t *event = smf_event_new_from_pointer(bytes, events[i].count);
        if (event == NULL)
            return false;
        smf_track_add_event_pulses(track, event, (int)events[i].tick);
    }
    uint32_t last_tick = count > 0 ? events[count - 1].tick : 0;
    return smf_track_add_eot_pulses(track, (int)(end_tick > last_tick ? end_tick : last_tick)) == 0;
}

static bool save_events(const struct written_event *events, size_t count, const struct midi *midi,
                        const char *track_name, const char *path, const char *temporary_path, struct error *error)
{
    struct complaint complaint;
    listen_to_libsmf(&complaint);
    smf_t *smf = smf_new();
    smf_track_t *track = smf != NULL ? smf_track_new() : NULL;
    bool ok = track != NULL;
    if (ok)
        smf_add_track(smf, track);
    ok = ok && smf_set_format(smf, 0) == 0 && smf_set_ppqn(smf, (int)midi->ppq) == 0 &&
         add_events(track, events, count, track_name, midi->end_tick) && smf_save(smf, temporary_path) == 0;
    if (smf != NULL)
        delete_smf(smf);
    stop_listening(&complaint);
    return ok || error_set(error, "%s: can't be written: %s", path,
                           complaint.text[0] != '\0' ? complaint.text : "libsmf gives no reason");
}

static bool check_writable(const struct midi *midi, const char *track_name, const char *path, struct error *error)
{
    bool ok = midi->ppq >= 1 && midi->ppq <= 0x7fff && midi->end_tick <= MIDI_MAX_TICK && strlen(track_name) < 128;
    for (size_t i = 0; i < midi->num_onsets; i++) {
        const struct midi_onset *onset = &midi->onsets[i];
        ok = ok && onset->channel < 16 && onset->pitch < 128 && onset->velocity >= 1 && onset->velocity < 128 &&
             onset->tick < MIDI_MAX_TICK - midi->ppq && (i == 0 || midi->onsets[i - 1].tick <= onset->tick);
    }
    for (size_t i = 0; i < midi->num_tempos; i++)
        ok = ok && midi->tempos[i].tick <= MIDI_MAX_TICK && midi->tempos[i].microseconds_per_quarter >= 1 &&
             midi->tempos[i].microseconds_per_quarter <= MIDI_LONGEST_TEMPO;
    for (size_t i = 0; i < midi->num_time_signatures; i++)
        ok = ok && midi->time_signatures[i].tick <= MIDI_MAX_TICK && midi->time_signatures[i].numerator > 0 &&
             midi->time_signatures[i].denominator > 0;
    return ok || error_set(error, "%s: the performance holds what a MIDI file can't", path);
}

bool midi_save(const struct midi *midi, const char *track_name, const char *path, bool replace, struct error *error)
{
    if (!check_writable(midi, track_name, path, error))
        return false;
    size_t most = 2 * midi->num_onsets + midi->num_tempos + midi->num_time_signatures;
    struct written_event *events = calloc(most + 1, sizeof *events);
    if (events == NULL)
        return error_set(error, "%s: no memory for %zu notes", path, midi->num_onsets);
    size_t count = fill_events(events, midi);
    struct atomic_file file;
    bool ok = atomic_file_start(&file, path, error);
    if (ok) {
        ok = save_events(events, count, midi, track_name, path, file.temporary_path, error);
        if (!ok)
            atomic_file_abandon(&file);
        else
            ok = replace ? atomic_file_commit(&file, error) : atomic_file_commit_new(&file, error);
    }
    free(events);
    return ok;
}
