#include "base/clock.h"

#include <stdio.h>
#include <time.h>

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double date_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void date_now(char text[32])
{
    date_after(0, text);
}

void date_after(double seconds, char text[32])
{
    time_t moment = (time_t)(date_seconds() + seconds);
    struct tm parts = {0};
    gmtime_r(&moment, &parts);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

const char *duration_text(char text[DURATION_TEXT_SIZE], double seconds)
{
    const double most = 1e12;
    long long whole = seconds >= 0 && seconds < most ? (long long)seconds : -1;
    if (whole < 0)
        snprintf(text, DURATION_TEXT_SIZE, "?");
    else
        snprintf(text, DURATION_TEXT_SIZE, "%lld:%02d:%02d", whole / 3600, (int)(whole / 60 % 60), (int)(whole % 60));
    return text;
}
