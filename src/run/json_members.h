/* Members of JSON objects that came from outside, with a default where one is missing or of another type, and text that is
 * safe to print. */
#ifndef DRUMLINE_RUN_JSON_MEMBERS_H
#define DRUMLINE_RUN_JSON_MEMBERS_H

#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>

/* A new JSON string of `text`, which may hold any bytes: where it is not valid UTF-8 or has control characters, every byte
 * but printable ASCII becomes '?'. */
json_t *json_clean_text(const char *text);

/* The member as an integer; 0 where it is missing or no number; clamped to about +-9e18. */
int64_t member_int(const json_t *object, const char *key);

/* The member as a training step: clamped to 0..UINT32_MAX, so that sums and differences of steps are numbers too. */
int64_t member_step(const json_t *object, const char *key);

/* The member as a number; 0 where it is missing or no number. */
double member_number(const json_t *object, const char *key);

/* The member as text, owned by `object`; "" where it is missing, no string or unsafe to print. */
const char *member_string(const json_t *object, const char *key);

#endif
