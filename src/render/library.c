#include "render/library.h"

#include <dlfcn.h>
#include <string.h>

bool library_load(const char *soname, const char *debian_package, const struct library_symbol *symbols, size_t count,
                  struct error *error)
{
    void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return error_set(error, "%s is not installed, or can't be loaded (Debian: apt-get install %s)", soname,
                         debian_package);
    for (size_t i = 0; i < count; i++) {
        void *symbol = dlsym(library, symbols[i].name);
        if (!symbol)
            return error_set(error, "%s: has no function %s: another version is needed", soname, symbols[i].name);
        memcpy(symbols[i].pointer, &symbol, sizeof symbol);
    }
    return true;
}
