/* Several names in one message: the first few, and how many more there are. */
#ifndef DRUMLINE_EXCHANGE_LISTING_H
#define DRUMLINE_EXCHANGE_LISTING_H

#include <stddef.h>

enum { LISTING_MAX_SHOWN = 8, LISTING_SIZE = 1024 };

/* All zero is empty. */
struct listing {
    char text[LISTING_SIZE];
    size_t used;
    int count, shown;
};

void listing_add(struct listing *listing, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "a, b, c and 5 more"; nothing may be added afterwards. */
const char *listing_end(struct listing *listing);

#endif
