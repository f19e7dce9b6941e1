#include "base/hdf5/error.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_SIZE = 256 };

/* The first call of a walk upwards is for the innermost function. */
static herr_t take_innermost(unsigned depth, const H5E_error2_t *entry, void *data)
{
    if (depth == 0 && entry->desc)
        snprintf(data, REASON_SIZE, "%s", entry->desc);
    return 0;
}

/* HDF5's innermost reason, or "". What comes from the system is cut down to the system's own words. */
static const char *innermost_reason(char reason[REASON_SIZE])
{
    static const char marker[] = "error message = '";
    reason[0] = '\0';
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, reason);
    char *message = strstr(reason, marker);
    if (!message)
        return reason;
    message += strlen(marker);
    message[strcspn(message, "'")] = '\0';
    return message;
}

static bool set_message(struct error *error, const char *path, const char *what, const char *reason)
{
    if (*reason)
        return error_set(error, "%s: %s (%s)", path, what, reason);
    return error_set(error, "%s: %s", path, what);
}

bool hdf5_fail(struct error *error, const char *path, const char *what)
{
    char reason[REASON_SIZE];
    return set_message(error, path, what, innermost_reason(reason));
}

void hdf5_file_name(hid_t file, char name[HDF5_FILE_NAME_SIZE])
{
    if (H5Fget_name(file, name, HDF5_FILE_NAME_SIZE) < 0)
        snprintf(name, HDF5_FILE_NAME_SIZE, "an HDF5 file");
}

bool hdf5_fail_at(struct error *error, hid_t file, const char *object, const char *what)
{
    char buffer[REASON_SIZE], name[HDF5_FILE_NAME_SIZE];
    const char *reason = innermost_reason(buffer);
    hdf5_file_name(file, name);
    char *place = format_text("%s: %s", name, object);
    set_message(error, place, what, reason);
    free(place);
    return false;
}

bool hdf5_refuse_at(struct error *error, hid_t file, const char *object, const char *what)
{
    char name[HDF5_FILE_NAME_SIZE];
    hdf5_file_name(file, name);
    return error_set(error, "%s: %s: %s", name, object, what);
}
