/* A thread that does something small again and again.
 *
 * It takes no signal: handlers run in other threads. What it calls must not use the log, which is one thread's. */
#ifndef DRUMLINE_BASE_TICKER_H
#define DRUMLINE_BASE_TICKER_H

#include "base/error.h"

struct ticker;

/* Calls `tick(context)` every `seconds`, first after so many, until it returns false or the ticker is stopped. NULL and the
 * error set where the system has no thread to give. */
struct ticker *ticker_start(double seconds, bool (*tick)(void *context), void *context, struct error *error);

/* Waits for the call under way, ends the thread and frees. NULL is fine. */
void ticker_stop(struct ticker *ticker);

#endif
