/* Pictures and audio of a set of MIDI files that has been written: beside them and by their names, made on several threads; and
 * played on an audio device. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_RENDER_OUTPUTS_H
#define DRUMLINE_PROGRAMS_GENERATE_RENDER_OUTPUTS_H

#include "data/midi/drum_notes.h"
#include "programs/common/renderings.h"
#include "programs/generate/output.h"

struct render_outputs_request {
    bool wanted[NUM_RENDERINGS];
    bool dark;          /* pictures */
    bool sheet;         /* also one picture of all: "..._sheet.png" */
    int sheet_columns;  /* of that one */
    const char *before; /* the file of which outputs are changed copies: pictures show both. NULL: there is none */
    const struct drum_map *input_map; /* that it was read with */
    struct drum_choice drums,
        before_drums;      /* which notes of the copies, and of it, are drums: the others are not rendered */
    const char *soundfont; /* NULL: as audio_renderer_make finds one */
    const char *device;    /* the audio device that plays them; NULL: none */
    int threads;
};

/* How many files were made of the set's. */
struct render_outputs_count {
    int files[NUM_RENDERINGS];
};

/* Fails where what is wanted can't be made here: a library, a sound font or the device is missing. To be asked before anything
 * is generated. */
bool render_outputs_check(const struct render_outputs_request *request, struct error *error);

/* Makes NAME.png, NAME.svg, NAME.wav and NAME.ogg of each NAME.mid of the set, as wanted. Fails with the first file that
 * can't be made; the MIDI files, and what was made before, stay. */
bool render_outputs(struct render_outputs_count *count, const struct generate_output *output,
                    const struct render_outputs_request *request, struct error *error);

/* Plays the set, where a device is asked for. A signal that stops it then ends the program (programs/common/playback.h). */
bool render_outputs_play(const struct generate_output *output, const struct render_outputs_request *request,
                         struct error *error);

#endif
