/* The music of a report: samples and an interpolation from a checkpoint of the run, as drum rolls with players. */
#ifndef DRUMLINE_PROGRAMS_INFO_REPORT_MUSIC_H
#define DRUMLINE_PROGRAMS_INFO_REPORT_MUSIC_H

#include <stdio.h>

/* `soundfont` may be NULL: as audio_renderer_make finds one. Where there is no checkpoint, or no audio can be made, the page
 * says so. */
void report_put_music(FILE *out, const char *run_dir, const char *soundfont);

#endif
