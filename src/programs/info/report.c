#include "programs/info/report.h"

#include "base/io/atomic_file.h"
#include "base/io/files.h"
#include "programs/info/info.h"
#include "programs/info/kinds.h"
#include "programs/info/report_pages.h"
#include "run/metrics_history.h"
#include "run/sweep_folder.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct page {
    const char *kind; /* as info_kind names it */
    bool (*put)(FILE *out, const char *path, const struct report_options *options, struct error *error);
} pages[] = {
    {"run",        report_put_run    },
    {"dataset",    report_put_dataset},
    {"sweep",      report_put_sweep  },
    {"checkpoint", report_put_model  },
};

static const struct page *page_of(const char *kind)
{
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(pages[i].kind, kind) == 0)
            return &pages[i];
    return NULL;
}

static bool write_page(const struct page *page, const char *what, const char *path,
                       const struct report_options *options, struct error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return error_set(error, "%s: out of memory", path);
    bool ok = page->put(out, what, options, error);
    if (fclose(out) != 0)
        ok = ok && error_set(error, "%s: out of memory", path);
    ok = ok && atomic_file_write(path, text, size, error);
    free(text);
    return ok;
}

bool report_write(const char *what, const char *path, const struct report_options *options, struct error *error)
{
    char *whole;
    const char *kind = info_kind(what, &whole, error);
    if (!kind)
        return false;
    const struct page *page = page_of(kind);
    bool ok =
        page ? write_page(page, whole, path, options, error)
             : error_set(error, "%s: is a %s: --report makes a page of a run, a folder of runs, a data set or a model",
                         what, strcmp(kind, "midi") == 0 ? "MIDI file" : kind);
    free(whole);
    return ok;
}

bool report_print_csv(FILE *out, const char *run_dir, struct error *error)
{
    struct metrics_history history;
    if (!folder_exists(run_dir) || !sweep_folder_is_run(run_dir))
        return error_set(error, "%s: is not a run folder: --csv prints a run's metrics", run_dir);
    if (!metrics_history_read(&history, run_dir, error))
        return false;
    fprintf(out, "step");
    for (size_t column = 0; column < history.num_columns; column++)
        fprintf(out, ",%s", history.names[column]);
    fprintf(out, "\r\n");
    for (size_t row = 0; row < history.num_rows; row++) {
        fprintf(out, "%" PRId64, history.steps[row]);
        for (size_t column = 0; column < history.num_columns; column++) {
            double value = history.values[row * history.num_columns + column];
            if (isnan(value))
                fprintf(out, ",");
            else
                fprintf(out, ",%.9g", value);
        }
        fprintf(out, "\r\n");
    }
    metrics_history_free(&history);
    return true;
}
