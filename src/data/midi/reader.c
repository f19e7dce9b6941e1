#include "data/midi/reader.h"

#include "base/io/files.h"

#include <smf.h>
#include <stdlib.h>
#include <string.h>

enum { NOTE_ON = 0x90, META = 0xff, META_TEMPO = 0x51, META_TIME_SIGNATURE = 0x58 };

/* libsmf prints its complaints through glib. They go here instead, so that an error message can include the last of them. */
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
    midi->onset_tracks = calloc(midi->num_onsets + 1, 1);
    midi->tempos = calloc(midi->num_tempos + 1, sizeof *midi->tempos);
    midi->time_signatures = calloc(midi->num_time_signatures + 1, sizeof *midi->time_signatures);
    if (midi->onsets == NULL || midi->onset_tracks == NULL || midi->tempos == NULL || midi->time_signatures == NULL)
        return error_set_no_memory(error, "no memory for %zu notes", midi->num_onsets);
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
        if ((bytes[0] & 0xf0) == NOTE_ON) {
            midi->onset_tracks[midi->num_onsets] = (uint8_t)(event->track_number - 1);
            midi->onsets[midi->num_onsets++] =
                (struct midi_onset){tick, (uint8_t)(bytes[0] & 0x0f), bytes[1], bytes[2]};
        } else if (bytes[0] == META && bytes[1] == META_TEMPO)
            midi->tempos[midi->num_tempos++] =
                (struct midi_tempo){tick, (uint32_t)bytes[3] << 16 | (uint32_t)bytes[4] << 8 | bytes[5]};
        else if (bytes[0] == META && bytes[1] == META_TIME_SIGNATURE)
            midi->time_signatures[midi->num_time_signatures++] =
                (struct midi_time_signature){tick, bytes[3], (uint8_t)(1U << bytes[4])};
    }
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
        ok = true;
    }
    if (smf != NULL)
        delete_smf(smf);
    stop_listening(&complaint);
    return ok;
}

bool midi_parse(struct midi *midi, const uint8_t *bytes, size_t size, bool strict, enum midi_fault *fault,
                struct error *error)
{
    enum midi_fault ignored;
    struct midi_copy copy;
    *midi = (struct midi){0};
    if (!midi_check(&copy, &midi->repairs, bytes, size, strict, fault ? fault : &ignored, error))
        return false;
    bool ok = load_copy(midi, &copy, error);
    if (ok) {
        midi->tracks = copy.tracks;
        midi->num_tracks = copy.num_tracks;
        midi->channels = copy.channels;
        copy.tracks = NULL;
    }
    midi_copy_free(&copy);
    if (!ok) {
        midi_free(midi);
        if (fault)
            *fault = MIDI_DAMAGED;
    }
    return ok;
}

bool midi_load(struct midi *midi, const char *path, bool strict, enum midi_fault *fault, struct error *error)
{
    uint8_t *bytes = NULL;
    size_t size;
    *midi = (struct midi){0};
    if (!file_read(&bytes, &size, path, MIDI_MAX_BYTES, error)) {
        if (fault)
            *fault = MIDI_UNREADABLE;
        return false;
    }
    bool ok = midi_parse(midi, bytes, size, strict, fault, error);
    free(bytes);
    return ok || error_prefix(error, "%s", path);
}
