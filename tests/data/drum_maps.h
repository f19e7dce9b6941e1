/* The built-in drum maps by name, for tests. */
#ifndef DRUMLINE_TESTS_DATA_DRUM_MAPS_H
#define DRUMLINE_TESTS_DATA_DRUM_MAPS_H

#include "data/midi/drum_map.h"

static inline struct drum_map builtin_map(const char *name)
{
    struct drum_map map;
    drum_map_builtin(&map, name);
    return map;
}

/* A pointer that lasts as long as the block it stands in. */
#define MAP(name) (&(struct drum_map[]){builtin_map(name)}[0])

#endif
