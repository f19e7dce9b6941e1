/* One piece of work at a time on a thread of its own, for what mostly waits, such as for a disk.
 *
 *     struct background *background = background_start(&error);
 *     background_begin(background, work, context);              the work runs concurrently
 *     while (!background_wait(background, 1)) ...               or background_is_busy, now and then
 *     ... read what the work left in context ...
 *     background_stop(background);
 *
 * All of these functions are for the one thread that made it. From begin until wait or is_busy has returned that the work is
 * done, `context` belongs to the work. The work must not use the log, which its owner may be using at that moment
 * (base/log.h). Signals are left to the other threads: none of their handlers runs in this one. */
#ifndef DRUMLINE_BASE_IO_BACKGROUND_H
#define DRUMLINE_BASE_IO_BACKGROUND_H

#include "base/error.h"

struct background;

/* Starts the thread; NULL and the error set where the system has none to give. */
struct background *background_start(struct error *error);

/* Hands over `work(context)`, waiting first for the work before it. */
void background_begin(struct background *background, void (*work)(void *context), void *context);

bool background_is_busy(struct background *background);

/* Waits for the work's end, at most `seconds`; true where none is going on. */
bool background_wait(struct background *background, double seconds);

/* Waits for the work's end, ends the thread and frees. NULL is fine. */
void background_stop(struct background *background);

#endif
