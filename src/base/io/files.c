#include "base/io/files.h"

#include "base/array.h"
#include "base/descriptor.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

char *path_join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    bool needs_slash = length > 0 && folder[length - 1] != '/';
    return format_text("%s%s%s", folder, needs_slash ? "/" : "", name);
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *path_folder(const char *path)
{
    const char *name = path_name(path);
    return name == path ? format_text(".") : format_text("%.*s", (int)(name - path), path);
}

bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

bool folder_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool path_look(bool *is_there, const char *path, struct error *error)
{
    struct stat status;
    *is_there = stat(path, &status) == 0;
    return *is_there || errno == ENOENT || errno == ENOTDIR || error_set_errno(error, errno, "%s: can't access", path);
}

bool folder_check(const char *path, struct error *error)
{
    struct stat status;
    if (stat(path, &status) == 0)
        return S_ISDIR(status.st_mode) || error_set(error, "%s: is a file, not a folder", path);
    if (errno == ENOENT || errno == ENOTDIR)
        return error_set(error, "%s: no such folder", path);
    return error_set_errno(error, errno, "%s: can't access the folder", path);
}

/* Other ranks may make the same folders at the same time, so an existing one is not an error. */
static bool make_one_folder(const char *path, struct error *error)
{
    if (mkdir(path, 0777) == 0)
        return true;
    int error_number = errno;
    struct stat status;
    bool is_seen = stat(path, &status) == 0;
    if (is_seen && S_ISDIR(status.st_mode))
        return true;
    if (is_seen)
        return error_set(error, "%s: exists, but is not a folder", path);
    if (error_number == EEXIST)
        error_number = errno; /* a link to nothing, or it can't be seen */
    return error_set_errno(error, error_number, "%s: can't make the folder", path);
}

bool folder_make(const char *path, struct error *error)
{
    if (path[0] == '\0')
        return error_set(error, "the name of a folder is empty");
    char *part = format_text("%s", path);
    bool ok = true;
    for (char *slash = strchr(part + 1, '/'); ok && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        ok = make_one_folder(part, error);
        *slash = '/';
    }
    ok = ok && make_one_folder(part, error);
    free(part);
    if (ok && access(path, W_OK | X_OK) != 0)
        ok = error_set_errno(error, errno, "%s: can't write into the folder", path);
    return ok;
}

bool folder_is_empty(bool *empty, const char *path, struct error *error)
{
    DIR *stream = opendir(path);
    *empty = true;
    if (!stream)
        return errno == ENOENT || error_set_errno(error, errno, "%s", path);
    errno = 0;
    for (struct dirent *entry = readdir(stream); entry && *empty; entry = readdir(stream))
        *empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    int error_number = errno;
    closedir(stream);
    return error_number == 0 || error_set_errno(error, error_number, "%s", path);
}

/* Paths, growing; used for the files found and for the folders still to be read. */
struct path_stack {
    char **paths;
    size_t count, capacity;
};

/* Takes `path`, also on failure. */
static bool push(struct path_stack *stack, char *path, struct error *error)
{
    char **paths = array_grow(stack->paths, &stack->capacity, stack->count, 1, sizeof *paths);
    if (!paths) {
        free(path);
        return error_set_no_memory(error, "no memory for a list of %zu files", stack->count);
    }
    stack->paths = paths;
    stack->paths[stack->count++] = path;
    return true;
}

static void free_stack(struct path_stack *stack)
{
    for (size_t i = 0; i < stack->count; i++)
        free(stack->paths[i]);
    free(stack->paths);
}

/* A folder, however it is reached. */
struct folder_id {
    dev_t device;
    ino_t inode;
};

/* What file_list_make works on. */
struct listing {
    const char *folder;
    const char *const *suffixes;
    bool recursive;
    struct path_stack files, folders, links; /* links: to folders */
    struct folder_id *seen;                  /* [num_seen], owned: the folders that were entered */
    size_t num_seen, seen_capacity;
    struct skipped_path *skipped;
    size_t num_skipped, skipped_capacity;
};

/* Takes `path`, also on failure. */
static bool skip(struct listing *listing, char *path, enum path_skip reason, int error_number, struct error *error)
{
    struct skipped_path *skipped =
        array_grow(listing->skipped, &listing->skipped_capacity, listing->num_skipped, 1, sizeof *skipped);
    if (!skipped) {
        free(path);
        return error_set_no_memory(error, "no memory for a list of %zu files", listing->num_skipped);
    }
    listing->skipped = skipped;
    skipped[listing->num_skipped++] = (struct skipped_path){path, reason, error_number};
    return true;
}

static bool has_suffix(const char *name, const char *const *suffixes)
{
    size_t length = strlen(name);
    for (; *suffixes; suffixes++) {
        size_t suffix_length = strlen(*suffixes);
        if (length >= suffix_length && strcasecmp(name + length - suffix_length, *suffixes) == 0)
            return true;
    }
    return false;
}

/* What an entry is, with links followed. */
struct entry_kind {
    bool is_folder, is_regular, is_link;
    int error_number; /* why it can't be seen, else 0 */
};

/* Most file systems report it with the name, without a system call. */
static struct entry_kind kind_of_entry(DIR *stream, const struct dirent *entry)
{
    struct entry_kind kind = {.is_link = entry->d_type == DT_LNK};
    struct stat status;
    mode_t mode = entry->d_type == DT_DIR ? S_IFDIR : entry->d_type == DT_REG ? S_IFREG : 0;
    if (entry->d_type == DT_UNKNOWN && fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        kind.is_link = S_ISLNK(status.st_mode);
    if ((entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) &&
        fstatat(dirfd(stream), entry->d_name, &status, 0) == 0)
        mode = status.st_mode;
    else if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN)
        kind.error_number = errno;
    kind.is_folder = S_ISDIR(mode);
    kind.is_regular = S_ISREG(mode);
    return kind;
}

static enum path_skip reason_to_skip(const struct entry_kind *kind)
{
    if (kind->error_number == 0)
        return kind->is_folder ? PATH_FOLDER : PATH_NOT_REGULAR;
    bool leads_nowhere = kind->error_number == ENOENT || kind->error_number == ENOTDIR || kind->error_number == ELOOP;
    return kind->is_link && leads_nowhere ? PATH_BROKEN_LINK : PATH_UNREADABLE;
}

/* Sorts one entry of `relative` (below the listed folder, "" for itself) into files or folders, or skips it. */
static bool take_entry(struct listing *listing, DIR *stream, const char *relative, const struct dirent *entry,
                       struct error *error)
{
    const char *name = entry->d_name;
    if (name[0] == '.')
        return true;
    struct entry_kind kind = kind_of_entry(stream, entry);
    if (listing->recursive && kind.is_folder)
        return push(kind.is_link ? &listing->links : &listing->folders, path_join(relative, name), error);
    /* What can't be seen might be a folder to search, but not where it leads nowhere. */
    bool may_be_folder = listing->recursive && reason_to_skip(&kind) == PATH_UNREADABLE;
    if (!has_suffix(name, listing->suffixes) && !may_be_folder)
        return true;
    char *path = path_join(relative, name);
    if (!kind.is_regular)
        return skip(listing, path, reason_to_skip(&kind), kind.error_number, error);
    return push(&listing->files, path, error);
}

static bool read_entries(struct listing *listing, DIR *stream, const char *relative, const char *path,
                         struct error *error)
{
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry && errno != 0 && *relative)
            return skip(listing, format_text("%s", relative), PATH_UNREADABLE_FOLDER, errno, error);
        if (!entry)
            return errno == 0 || error_set_errno(error, errno, "%s: can't read the folder", path);
        if (!take_entry(listing, stream, relative, entry, error))
            return false;
    }
}

/* Notes that the folder is entered. *is_new is false where it was before, by another link or as a folder. */
static bool enter_folder(bool *is_new, struct listing *listing, DIR *stream, struct error *error)
{
    struct stat status;
    *is_new = true;
    if (fstat(dirfd(stream), &status) != 0)
        return true;
    for (size_t i = 0; i < listing->num_seen; i++)
        if (listing->seen[i].device == status.st_dev && listing->seen[i].inode == status.st_ino) {
            *is_new = false;
            return true;
        }
    struct folder_id *seen = array_grow(listing->seen, &listing->seen_capacity, listing->num_seen, 1, sizeof *seen);
    if (!seen)
        return error_set_no_memory(error, "no memory for a list of %zu folders", listing->num_seen);
    listing->seen = seen;
    seen[listing->num_seen++] = (struct folder_id){status.st_dev, status.st_ino};
    return true;
}

static bool read_folder(struct listing *listing, const char *relative, struct error *error)
{
    char *path = *relative ? path_join(listing->folder, relative) : format_text("%s", listing->folder);
    DIR *stream = opendir(path);
    bool ok, is_new;
    if (stream)
        ok = enter_folder(&is_new, listing, stream, error) &&
             (!is_new || read_entries(listing, stream, relative, path, error));
    else if (*relative)
        ok = skip(listing, format_text("%s", relative), PATH_UNREADABLE_FOLDER, errno, error);
    else
        ok = error_set_errno(error, errno, "%s: can't read the folder", path);
    if (stream)
        closedir(stream);
    free(path);
    return ok;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int compare_skipped(const void *a, const void *b)
{
    const struct skipped_path *left = a, *right = b;
    return strcmp(left->path, right->path);
}

static int compare_backwards(const void *a, const void *b)
{
    return compare_paths(b, a);
}

/* Folders come before links to folders, and these in their order, so that the names found do not depend on that of the
 * disk. NULL where there is none left. */
static char *next_folder(struct listing *listing)
{
    if (listing->folders.count > 0)
        return listing->folders.paths[--listing->folders.count];
    if (listing->links.count == 0)
        return NULL;
    qsort(listing->links.paths, listing->links.count, sizeof *listing->links.paths, compare_backwards);
    return listing->links.paths[--listing->links.count];
}

bool file_list_make(struct file_list *list, const char *folder, bool recursive, const char *const *suffixes,
                    struct error *error)
{
    struct listing listing = {.folder = folder, .suffixes = suffixes, .recursive = recursive};
    *list = (struct file_list){0};
    char *relative = format_text("%s", "");
    bool ok = true;
    while (ok && relative) {
        ok = read_folder(&listing, relative, error);
        free(relative);
        relative = next_folder(&listing);
    }
    free(relative);
    free_stack(&listing.folders);
    free_stack(&listing.links);
    free(listing.seen);
    if (listing.files.count > 0)
        qsort(listing.files.paths, listing.files.count, sizeof *listing.files.paths, compare_paths);
    if (listing.num_skipped > 0)
        qsort(listing.skipped, listing.num_skipped, sizeof *listing.skipped, compare_skipped);
    *list = (struct file_list){listing.files.paths, listing.files.count, listing.skipped, listing.num_skipped};
    if (!ok)
        file_list_free(list);
    return ok;
}

const char *path_skip_text(enum path_skip reason)
{
    static const char *const texts[] = {
        [PATH_FOLDER] = "is a folder",
        [PATH_BROKEN_LINK] = "broken link",
        [PATH_NOT_REGULAR] = "not a regular file",
        [PATH_UNREADABLE] = "can't access",
        [PATH_UNREADABLE_FOLDER] = "can't read the folder",
    };
    return texts[reason];
}

void file_list_free(struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    for (size_t i = 0; i < list->num_skipped; i++)
        free(list->skipped[i].path);
    free(list->paths);
    free(list->skipped);
    *list = (struct file_list){0};
}

/* Opens a regular file. Without O_NONBLOCK, opening a FIFO that has no writer would wait forever. */
static bool open_regular(int *descriptor, size_t *size, const char *path, size_t max_size, struct error *error)
{
    *descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (*descriptor < 0)
        return error_set_errno(error, errno, "%s: can't open", path);
    struct stat status;
    bool ok = true;
    if (fstat(*descriptor, &status) != 0)
        ok = error_set_errno(error, errno, "%s: can't read", path);
    else if (!S_ISREG(status.st_mode))
        ok = error_set(error, "%s: %s", path, S_ISDIR(status.st_mode) ? "is a folder" : "is not a regular file");
    else if ((uintmax_t)status.st_size > max_size)
        ok = error_set(error, "%s: is %jd bytes long; at most %zu are read", path, (intmax_t)status.st_size, max_size);
    if (!ok) {
        close(*descriptor);
        return false;
    }
    *size = (size_t)status.st_size;
    return true;
}

bool file_read(uint8_t **bytes, size_t *size, const char *path, size_t max_size, struct error *error)
{
    int descriptor, reason;
    size_t capacity = 0, used = 0;
    uint8_t *buffer = NULL;
    bool ok = false;
    if (!open_regular(&descriptor, &capacity, path, max_size, error))
        return false;
    buffer = malloc(capacity + 1);
    if (!buffer) {
        error_set_no_memory(error, "%s: no memory for its %zu bytes", path, capacity);
        goto done;
    }
    /* Fewer bytes than it had a moment ago: it was cut meanwhile. */
    reason = descriptor_read(&used, descriptor, buffer, capacity);
    if (reason != 0) {
        error_set_errno(error, reason, "%s: can't read", path);
        goto done;
    }
    buffer[used] = 0;
    *bytes = buffer;
    *size = used;
    buffer = NULL;
    ok = true;
done:
    free(buffer);
    close(descriptor);
    return ok;
}
