#include "run/model_files.h"

#include "base/io/files.h"
#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FOLDERS = 32 };

struct search {
    const char *config;
    char *found;                /* the caller's */
    char *folders[MAX_FOLDERS]; /* where it was not; owned */
    int num_folders;
    bool failed; /* the system can't say whether it is in one of them: another must not be taken in its place */
    struct error *reason; /* why; not owned */
};

/* Takes ownership of the folder's name. */
static void look_into(struct search *search, char *folder)
{
    bool is_there;
    if (search->found || search->failed || search->num_folders == MAX_FOLDERS) {
        free(folder);
        return;
    }
    char *name = format_text("%s.h5", search->config), *path = path_join(folder, name);
    free(name);
    search->folders[search->num_folders++] = folder;
    search->failed = !path_look(&is_there, path, search->reason);
    if (!search->failed && is_there)
        search->found = path;
    else
        free(path);
}

static void look_into_list(struct search *search, const char *list)
{
    while (*list) {
        size_t length = strcspn(list, ":");
        if (length > 0)
            look_into(search, format_text("%.*s", (int)length, list));
        list += length + (list[length] == ':');
    }
}

/* The program's own file with all links followed; the caller's, or NULL. */
static char *program_path(const char *program)
{
    const char *list = getenv("PATH");
    if (strchr(program, '/') || !list)
        return realpath(program, NULL);
    char *found = NULL;
    while (!found && *list) {
        size_t length = strcspn(list, ":");
        char *folder = format_text("%.*s", (int)length, length > 0 ? list : "."), *path = path_join(folder, program);
        if (access(path, X_OK) == 0)
            found = realpath(path, NULL);
        free(path);
        free(folder);
        list += length + (list[length] == ':');
    }
    return found;
}

static void look_beside(struct search *search, const char *program)
{
    static const char *const places[] = {"../share/drumline/models", "../../../models"};
    char *path = program_path(program);
    char *slash = path ? strrchr(path, '/') : NULL;
    if (slash) {
        *slash = '\0';
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            char *place = path_join(path, places[i]), *tidy = realpath(place, NULL);
            if (tidy)
                look_into(search, tidy);
            free(place);
        }
    }
    free(path);
}

static void refuse(const struct search *search, struct error *error)
{
    char *places = format_text("%s", "");
    for (int i = 0; i < search->num_folders; i++) {
        char *longer = format_text("%s%s%s", places, i > 0 ? ", " : "", search->folders[i]);
        free(places);
        places = longer;
    }
    error_set(error,
              "there is no model file %s.h5%s%.300s: give --models_dir, or a model of your own with --run_dir or "
              "--checkpoint_file",
              search->config, search->num_folders > 0 ? " in " : "", places);
    free(places);
}

char *model_files_find(const char *config, const char *models_dir, const char *program, struct error *error)
{
    struct search search = {.config = config, .reason = error};
    const char *list = getenv(MODEL_FILES_VARIABLE);
    if (models_dir)
        look_into(&search, format_text("%s", models_dir));
    if (list)
        look_into_list(&search, list);
    if (program)
        look_beside(&search, program);
    if (!search.found && !search.failed)
        refuse(&search, error);
    for (int i = 0; i < search.num_folders; i++)
        free(search.folders[i]);
    return search.found;
}
