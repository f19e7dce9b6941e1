#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>

void *array_grow(void *elements, size_t *capacity, size_t count, size_t more, size_t element_size)
{
    enum { FIRST_CAPACITY = 64 };
    size_t most = SIZE_MAX / 2 / element_size;
    if (elements && *capacity - count >= more)
        return elements;
    if (count > most || more > most - count)
        return NULL;
    size_t larger = *capacity + *capacity / 2 < most ? *capacity + *capacity / 2 : most;
    if (larger < count + more)
        larger = count + more;
    if (larger < FIRST_CAPACITY && FIRST_CAPACITY <= most)
        larger = FIRST_CAPACITY;
    void *grown = realloc(elements, larger * element_size);
    if (grown)
        *capacity = larger;
    return grown;
}

int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}
