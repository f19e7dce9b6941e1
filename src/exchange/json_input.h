/* JSON of unknown origin, and what readers of tensors ask of it. */
#ifndef DRUMLINE_EXCHANGE_JSON_INPUT_H
#define DRUMLINE_EXCHANGE_JSON_INPUT_H

#include "exchange/foreign_tensors.h"

#include <jansson.h>
#include <stdint.h>

/* An object or array, for json_decref; NULL, with the error set, where the bytes are not JSON or an object has a key twice. */
json_t *json_input_parse(const uint8_t *bytes, size_t size, struct error *error);

/* Whether it is that string. */
bool json_input_is_text(const json_t *json, const char *text);

/* tensor->dims from an array of integers. */
bool json_input_shape(struct foreign_tensor *tensor, const json_t *shape, const char *name, struct error *error);

#endif
