/* Every hparam and every config, for people: as plain text, or in Markdown as docs/reference.md has it. */
#ifndef DRUMLINE_PROGRAMS_INFO_HPARAMS_PAGE_H
#define DRUMLINE_PROGRAMS_INFO_HPARAMS_PAGE_H

#include <stdbool.h>

/* Prints to standard output. */
void hparams_page_print(bool markdown);

#endif
