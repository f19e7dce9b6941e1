/* Pictures and audio of a set of MIDI files that has been written, beside them and by their names, on several threads. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_RENDER_OUTPUTS_H
#define DRUMLINE_PROGRAMS_GENERATE_RENDER_OUTPUTS_H

#include "programs/common/renderings.h"
#include "programs/generate/output.h"

struct render_outputs_request {
    bool wanted[NUM_RENDERINGS];
    bool dark;          /* pictures */
    bool sheet;         /* also one picture of all: "..._sheet.png" */
    int sheet_columns;  /* of that one */
    const char *before; /* the file of which outputs are changed copies: pictures show both. NULL: there is none */
    const struct drum_map *input_map; /* that it was read with */
    const char *soundfont;            /* NULL: as audio_renderer_make finds one */
    int threads;
};

/* Whether anything is wanted. */
bool render_outputs_any(const struct render_outputs_request *request);

/* Fails where what is wanted can't be made here: a library or a sound font is missing. To be asked before anything is
 * generated. */
bool render_outputs_check(const struct render_outputs_request *request, struct error *error);

/* Makes NAME.png, NAME.svg, NAME.wav and NAME.ogg of each NAME.mid of the set, as wanted. Fails with the first file that
 * can't be made; the MIDI files, and what was made before, stay. */
bool render_outputs(const struct generate_output *output, const struct render_outputs_request *request,
                    struct error *error);

#endif
