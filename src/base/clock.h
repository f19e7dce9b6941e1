/* Time and date. */
#ifndef DRUMLINE_BASE_CLOCK_H
#define DRUMLINE_BASE_CLOCK_H

/* Seconds of a monotonic clock: for durations. */
double clock_seconds(void);

/* Seconds since 1970 of the system's clock, which may be set. */
double date_seconds(void);

/* Now in UTC as "2026-01-31T12:00:00Z". */
void date_now(char text[32]);

/* The date `seconds` from now; at most some hundred years. */
void date_after(double seconds, char text[32]);

/* "1:02:05", hours first; "?" for a number below 0, or so large that it makes no sense. Returns text. */
enum { DURATION_TEXT_SIZE = 32 };
const char *duration_text(char text[DURATION_TEXT_SIZE], double seconds);

#endif
