#include "exchange/listing.h"

#include <stdarg.h>
#include <stdio.h>

enum { END_SIZE = 32 }; /* room for "and N more" */

void listing_add(struct listing *listing, const char *format, ...)
{
    char *at = listing->text + listing->used;
    size_t left = LISTING_SIZE - END_SIZE - listing->used;
    va_list arguments;
    listing->count++;
    if (listing->shown < listing->count - 1 || listing->shown == LISTING_MAX_SHOWN)
        return;
    int comma = snprintf(at, left, "%s", listing->used > 0 ? ", " : "");
    if (comma < 0 || (size_t)comma >= left)
        return;
    va_start(arguments, format);
    int length = vsnprintf(at + comma, left - (size_t)comma, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)comma + (size_t)length >= left) {
        *at = '\0';
        return;
    }
    listing->used += (size_t)comma + (size_t)length;
    listing->shown++;
}

const char *listing_end(struct listing *listing)
{
    if (listing->count > listing->shown)
        snprintf(listing->text + listing->used, LISTING_SIZE - listing->used, "%s%d more",
                 listing->shown > 0 ? " and " : "", listing->count - listing->shown);
    return listing->text;
}
