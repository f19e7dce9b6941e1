/* Arrays that grow. */
#ifndef DRUMLINE_BASE_ARRAY_H
#define DRUMLINE_BASE_ARRAY_H

#include <stddef.h>

/* Makes room for `more` elements behind the `count` that there are. Returns the array, moved where it had to grow, with
 * *capacity updated; NULL where there is no memory, with array and *capacity as they were. `elements` may be NULL where
 * *capacity is 0. The array is freed with free(). */
void *array_grow(void *elements, size_t *capacity, size_t count, size_t more, size_t element_size);

/* For qsort and bsearch: doubles in rising order. None of them may be NaN. */
int compare_doubles(const void *left, const void *right);

#endif
