/* MIDI files byte by byte, for tests that need what no writer would write. */
#ifndef DRUMLINE_TESTS_DATA_MIDI_BYTES_H
#define DRUMLINE_TESTS_DATA_MIDI_BYTES_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MIDI_BYTES_MAX = 4096 };

struct midi_bytes {
    uint8_t bytes[MIDI_BYTES_MAX];
    size_t size;
    size_t track; /* where the open track's chunk begins */
};

static inline void midi_bytes_put(struct midi_bytes *file, const void *bytes, size_t count)
{
    assert(file->size + count <= MIDI_BYTES_MAX);
    memcpy(file->bytes + file->size, bytes, count);
    file->size += count;
}

/* PUT(&file, 0x00, 0x90, 36, 100) */
#define PUT(file, ...) midi_bytes_put(file, (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})

static inline void midi_bytes_start(struct midi_bytes *file, int format, int num_tracks, int division)
{
    file->size = 0;
    PUT(file, 'M', 'T', 'h', 'd', 0, 0, 0, 6, (uint8_t)(format >> 8), (uint8_t)format, (uint8_t)(num_tracks >> 8),
        (uint8_t)num_tracks, (uint8_t)(division >> 8), (uint8_t)division);
}

static inline void midi_bytes_start_track(struct midi_bytes *file)
{
    file->track = file->size;
    PUT(file, 'M', 'T', 'r', 'k', 0, 0, 0, 0);
}

/* Sets the chunk's length. */
static inline void midi_bytes_close_track(struct midi_bytes *file)
{
    size_t length = file->size - file->track - 8;
    for (int i = 0; i < 4; i++)
        file->bytes[file->track + 4 + (size_t)i] = (uint8_t)(length >> (24 - 8 * i));
}

static inline void midi_bytes_end_track(struct midi_bytes *file)
{
    PUT(file, 0, 0xff, 0x2f, 0);
    midi_bytes_close_track(file);
}

static inline void midi_bytes_delta(struct midi_bytes *file, uint32_t delta)
{
    for (int shift = 21; shift > 0; shift -= 7)
        if (delta >> shift)
            PUT(file, (uint8_t)(0x80 | (delta >> shift & 0x7f)));
    PUT(file, (uint8_t)(delta & 0x7f));
}

static inline void midi_bytes_note(struct midi_bytes *file, uint32_t delta, int channel, int pitch, int velocity)
{
    midi_bytes_delta(file, delta);
    PUT(file, (uint8_t)(0x90 | channel), (uint8_t)pitch, (uint8_t)velocity);
}

static inline void midi_bytes_time_signature(struct midi_bytes *file, uint32_t delta, int numerator, int exponent)
{
    midi_bytes_delta(file, delta);
    PUT(file, 0xff, 0x58, 4, (uint8_t)numerator, (uint8_t)exponent, 24, 8);
}

static inline void midi_bytes_tempo(struct midi_bytes *file, uint32_t delta, uint32_t tempo)
{
    midi_bytes_delta(file, delta);
    PUT(file, 0xff, 0x51, 3, (uint8_t)(tempo >> 16), (uint8_t)(tempo >> 8), (uint8_t)tempo);
}

/* Writes them to a file; false where that fails. */
static inline int midi_bytes_save(const struct midi_bytes *file, const char *path)
{
    FILE *stream = fopen(path, "wb");
    if (stream == NULL)
        return 0;
    size_t written = fwrite(file->bytes, 1, file->size, stream);
    return fclose(stream) == 0 && written == file->size;
}

#endif
