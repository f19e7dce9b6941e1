#include "base/hdf5/error.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_SIZE = HDF5_FILE_NAME_SIZE + 512 }; /* the system's reasons have the file's name in them */

/* The first call of a walk upwards is for the innermost function. */
static herr_t take_innermost(unsigned depth, const H5E_error2_t *entry, void *data)
{
    if (depth == 0 && entry->desc)
        snprintf(data, REASON_SIZE, "%s", entry->desc);
    return 0;
}

/* HDF5's innermost reason. */
struct reason {
    char text[REASON_SIZE];
    const char *words; /* in text; "" where there is none */
    int number;        /* errno's, 0 where the system did not fail */
};

/* Offsets that a damaged file leads to are refused by the system too, which is no failure of the system's. */
static bool comes_from_damage(int number)
{
    return number == EINVAL || number == EOVERFLOW;
}

/* What comes from the system is cut down to the system's own words. */
static void find_reason(struct reason *reason)
{
    static const char marker[] = ", error message = '", number_marker[] = "errno = ";
    reason->text[0] = '\0';
    reason->words = reason->text;
    reason->number = 0;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, reason->text);
    char *message = strstr(reason->text, marker);
    if (!message)
        return;
    *message = '\0';
    for (char *found = strstr(reason->text, number_marker); found; found = strstr(found + 1, number_marker))
        reason->number = (int)strtol(found + strlen(number_marker), NULL, 10);
    if (comes_from_damage(reason->number))
        reason->number = 0;
    message += strlen(marker);
    message[strcspn(message, "'")] = '\0';
    reason->words = message;
}

static bool set_message(struct error *error, const char *path, const char *what, const struct reason *reason)
{
    if (*reason->words)
        error_set(error, "%s: %s (%s)", path, what, reason->words);
    else
        error_set(error, "%s: %s", path, what);
    error->number = reason->number;
    return false;
}

bool hdf5_fail(struct error *error, const char *path, const char *what)
{
    struct reason reason;
    find_reason(&reason);
    return set_message(error, path, what, &reason);
}

void hdf5_file_name(hid_t file, char name[HDF5_FILE_NAME_SIZE])
{
    if (H5Fget_name(file, name, HDF5_FILE_NAME_SIZE) < 0)
        snprintf(name, HDF5_FILE_NAME_SIZE, "an HDF5 file");
}

bool hdf5_fail_at(struct error *error, hid_t file, const char *object, const char *what)
{
    char name[HDF5_FILE_NAME_SIZE];
    struct reason reason;
    find_reason(&reason);
    hdf5_file_name(file, name);
    char *place = format_text("%s: %s", name, object);
    set_message(error, place, what, &reason);
    free(place);
    return false;
}

bool hdf5_refuse_at(struct error *error, hid_t file, const char *object, const char *what)
{
    char name[HDF5_FILE_NAME_SIZE];
    hdf5_file_name(file, name);
    return error_set(error, "%s: %s: %s", name, object, what);
}
