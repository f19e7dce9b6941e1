/* Shared libraries that are loaded when they are first needed. Programs start without them (FluidSynth alone brings some
 * seventy others along), and run where they are not installed. */
#ifndef DRUMLINE_RENDER_LIBRARY_H
#define DRUMLINE_RENDER_LIBRARY_H

#include "base/error.h"

#include <stddef.h>

/* A function of the library, and where the pointer to it goes: a pointer to a function of its type. */
struct library_symbol {
    const char *name;
    void *pointer;
};

/* Loads `soname` by the loader's own search and fills in the pointers. The library stays loaded; loading it again costs
 * little. Fails where it is not installed, and says which of Debian's packages has it, or lacks one of the symbols. */
bool library_load(const char *soname, const char *debian_package, const struct library_symbol *symbols, size_t count,
                  struct error *error);

#endif
