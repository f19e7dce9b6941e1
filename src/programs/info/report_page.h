/* What every report's page begins and ends with, and facts: small boxes with a label. */
#ifndef DRUMLINE_PROGRAMS_INFO_REPORT_PAGE_H
#define DRUMLINE_PROGRAMS_INFO_REPORT_PAGE_H

#include <jansson.h>

#include <stdio.h>

/* Up to and with the heading, which is the title. With `refresh` above 0 the page reloads itself after so many seconds. */
void report_put_head(FILE *out, const char *title, double refresh);

/* The date, the script, and the end. */
void report_put_foot(FILE *out);

/* Between <div class="facts"> and </div>. The text is escaped. */
void report_put_fact(FILE *out, const char *label, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The hparams of a description of a checkpoint, with those marked that are not the config's; nothing where it is NULL. */
void report_put_hparams(FILE *out, const json_t *checkpoint);

/* A paragraph for each message of the object's "damage". */
void report_put_damage(FILE *out, const json_t *object);

#endif
