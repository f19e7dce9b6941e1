#include "dist/openmpi_defaults.h"

#include "base/io/files.h"
#include "dist/launcher.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum { PARAMETERS_MAX = 1 << 20 }; /* bytes of a parameter file */

/* How the variables begin by which somebody else has chosen, or may have: a file that is named here is not read. */
static const char *const chosen[] = {
    "OMPI_MCA_pml=",
    "OMPI_MCA_btl=",
    "OMPI_MCA_mtl=",
    "OMPI_MCA_mca_base_param_",
    "OMPI_MCA_mca_param_files=",
    "OMPI_MCA_mca_base_envar_file_",
    "OMPI_MCA_mca_base_override_",
    "OPAL_PREFIX=", /* the installation was moved, and its files with it */
    "OPAL_SYSCONFDIR=",
};

static bool somebody_has_chosen(void)
{
    for (char **variable = environ; variable && *variable; variable++)
        for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++)
            if (strncmp(*variable, chosen[i], strlen(chosen[i])) == 0)
                return true;
    return false;
}

static bool on_one_host(void)
{
    const char *all = getenv("OMPI_COMM_WORLD_SIZE"), *local = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
    return all && local && strcmp(all, local) == 0 && !launcher_besides_openmpi();
}

/* A list of what is not wanted, without what ranks of one host need. */
static bool leaves_shared_memory(char *list)
{
    static const char *const needed[] = {"ob1", "self", "sm", "vader"};
    char *rest;
    if (*list != '^')
        return false;
    for (char *name = strtok_r(list + 1, ", \t", &rest); name; name = strtok_r(NULL, ", \t", &rest))
        for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
            if (strcmp(name, needed[i]) == 0)
                return false;
    return true;
}

static char *trimmed(char *text)
{
    static const char blank[] = " \t\r";
    text += strspn(text, blank);
    size_t length = strlen(text);
    while (length > 0 && strchr(blank, text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* False where the line chooses. Clears *sets_btl where it leaves out btls. */
static bool take_line(char *line, bool *sets_btl)
{
    line = trimmed(line);
    if (*line == '-')
        return false;
    char *equals = strchr(line, '=');
    if (!equals || *line == '#')
        return true;
    *equals = '\0';
    const char *name = trimmed(line);
    bool is_btl = strcmp(name, "btl") == 0;
    if (!is_btl && strcmp(name, "pml") != 0 && strcmp(name, "mtl") != 0)
        return true;
    if (is_btl)
        *sets_btl = false;
    return leaves_shared_memory(trimmed(equals + 1));
}

static bool is_missing(const char *path)
{
    return access(path, F_OK) != 0 && errno == ENOENT;
}

/* The same for a file, which need not be there. One that can't be read may say anything. Frees `path`. */
static bool take_file(char *path, bool *sets_btl)
{
    struct error error;
    uint8_t *bytes = NULL;
    size_t size;
    bool leaves = is_missing(path);
    if (!leaves && file_read(&bytes, &size, path, PARAMETERS_MAX, &error)) {
        char *rest;
        leaves = true;
        for (char *line = strtok_r((char *)bytes, "\n", &rest); line && leaves; line = strtok_r(NULL, "\n", &rest))
            leaves = take_line(line, sets_btl);
    }
    free(bytes);
    free(path);
    return leaves;
}

static bool overrides_environment(const char *system_folder)
{
    char *path = path_join(system_folder, "openmpi-mca-params-override.conf");
    bool overrides = !is_missing(path);
    free(path);
    return overrides;
}

struct openmpi_defaults openmpi_defaults_choose(const char *system_folder)
{
    const char *home = getenv("HOME");
    bool sets_btl = true;
    if (!system_folder || !home || !on_one_host() || somebody_has_chosen() || overrides_environment(system_folder) ||
        !take_file(path_join(home, ".openmpi/mca-params.conf"), &sets_btl) ||
        !take_file(path_join(system_folder, "openmpi-mca-params.conf"), &sets_btl))
        return (struct openmpi_defaults){0};
    return (struct openmpi_defaults){.pml = "ob1", .btl = sets_btl ? "^uct,openib,ofi,usnic" : NULL};
}

struct openmpi_defaults openmpi_defaults_set(void)
{
    struct openmpi_defaults defaults = {0};
#if defined(DRUMLINE_OPENMPI_FOLDER)
    defaults = openmpi_defaults_choose(DRUMLINE_OPENMPI_FOLDER);
    if (defaults.pml && setenv("OMPI_MCA_pml", defaults.pml, 0) != 0)
        defaults.pml = NULL;
    if (defaults.btl && setenv("OMPI_MCA_btl", defaults.btl, 0) != 0)
        defaults.btl = NULL;
#endif
    return defaults;
}
