/* Text from outside in an HTML page. */
#ifndef DRUMLINE_PROGRAMS_INFO_REPORT_TEXT_H
#define DRUMLINE_PROGRAMS_INFO_REPORT_TEXT_H

#include <stdio.h>

/* Text with HTML's special characters escaped: for elements and for attributes in double quotes. */
void report_put_text(FILE *out, const char *text);

#endif
