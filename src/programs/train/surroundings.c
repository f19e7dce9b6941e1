#include "programs/train/surroundings.h"

#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "programs/common/blas_threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* The first line, without spaces at its end, as far as it fits. */
static void copy_line(char *out, size_t size, const char *text)
{
    size_t length = strcspn(text, "\r\n");
    while (length > 0 && text[length - 1] == ' ')
        length--;
    snprintf(out, size, "%.*s", (int)(length < size ? length : size - 1), text);
}

/* As Linux names it; elsewhere the kind of machine. */
static void find_processor(char *out, size_t size)
{
    static const char key[] = "model name";
    struct utsname system;
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "re");
    out[0] = '\0';
    while (file && !out[0] && fgets(line, sizeof line, file)) {
        const char *value = strncmp(line, key, sizeof key - 1) == 0 ? strchr(line, ':') : NULL;
        if (value)
            copy_line(out, size, value + 1 + strspn(value + 1, " "));
    }
    if (file)
        fclose(file);
    if (!out[0])
        snprintf(out, size, "%.*s", (int)size - 1, uname(&system) == 0 ? system.machine : "unknown");
}

void surroundings_find(struct surroundings *surroundings, const struct comm *comm, const char *data_set)
{
    *surroundings = (struct surroundings){{0}, "", "", ""};
    copy_line(surroundings->mpi, sizeof surroundings->mpi, comm_library(comm));
    char *comma = strchr(surroundings->mpi, ',');
    if (comma)
        *comma = '\0'; /* Open MPI goes on with who built it */
    copy_line(surroundings->blas, sizeof surroundings->blas, blas_description());
    find_processor(surroundings->processor, sizeof surroundings->processor);
    surroundings->about = (struct run_surroundings){
        .version = drumline_version(),
        .mpi = surroundings->mpi,
        .blas = surroundings->blas,
        .processor = surroundings->processor,
        .host = comm_host(comm),
        .num_ranks = comm_size(comm),
        .data_set = data_set,
    };
}

void surroundings_log(const struct surroundings *surroundings, const struct hparams *hparams,
                      const struct config *config)
{
    const struct run_surroundings *about = &surroundings->about;
    struct hparams usual;
    struct error ignored;
    log_info("drumline %s, %s, %s; rank 0 on %s, %s", about->version, about->mpi, about->blas, about->host,
             about->processor);
    if (!hparams_make(&usual, config, NULL, &ignored))
        return;
    json_t *changes = hparams_changes(hparams, &usual), *change;
    char *list = format_text("%s", "");
    size_t i;
    json_array_foreach(changes, i, change)
    {
        char *longer = format_text("%s%s%s", list, i > 0 ? "," : " with ", json_string_value(change));
        free(list);
        list = longer;
    }
    log_info("data set %s; hparams of %s%s", about->data_set, config->name, list);
    free(list);
    json_decref(changes);
}
