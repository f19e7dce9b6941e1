#include "base/io/atomic_file.h"

#include "base/descriptor.h"
#include "base/host.h"
#include "base/io/files.h"
#include "base/process.h"
#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    SHOWN_NAME = 100, /* bytes of a name that the temporary one keeps: a name may be 255 bytes long */
    SHOWN_HOST = 64,
    STALE_SECONDS = 3600,
    MOST_ATTEMPTS = 8,
};

static void short_host_name(char host[HOST_NAME_SIZE])
{
    host_name(host);
    host[SHOWN_HOST] = '\0';
}

/* ".NAME.HOST.TAG.PID.tmp"; in the place of the end of a long NAME stands its hash, so that names which begin alike stay apart.
 * TAG is base/process.h's: hosts, containers and their processes may have the same names and numbers. Owned by the caller. */
static char *temporary_name(const char *name)
{
    char host[HOST_NAME_SIZE], hash[32] = "", tag[PROCESS_TAG_SIZE];
    short_host_name(host);
    process_make_tag(tag);
    if (strlen(name) > SHOWN_NAME)
        snprintf(hash, sizeof hash, "~%016" PRIx64, (uint64_t)XXH3_64bits(name, strlen(name)));
    return format_text(".%.*s%s.%s.%s.%ld.tmp", SHOWN_NAME, name, hash, host, tag, (long)getpid());
}

static bool cant_write(const char *path, int reason, struct error *error)
{
    return error_set_errno(error, reason, "%s: can't write", path);
}

static void close_descriptor(struct atomic_file *file)
{
    if (file->temporary_path && file->descriptor >= 0)
        close(file->descriptor);
    file->descriptor = -1;
}

static void forget(struct atomic_file *file)
{
    close_descriptor(file);
    free(file->path);
    free(file->temporary_path);
    *file = (struct atomic_file){0};
}

/* Chooses a name and creates the file. False with errno in *reason; EEXIST where another name may do. */
static bool create(struct atomic_file *file, const char *path, int *reason, struct error *error)
{
    char *folder = path_folder(path), *temporary = temporary_name(path_name(path));
    file->temporary_path = path_join(folder, temporary);
    free(temporary);
    free(folder);
    file->descriptor = open(file->temporary_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file->descriptor >= 0)
        return true;
    *reason = errno;
    free(file->temporary_path);
    file->temporary_path = NULL;
    return cant_write(path, *reason, error);
}

bool atomic_file_start(struct atomic_file *file, const char *path, struct error *error)
{
    int reason = 0, attempts = 0;
    *file = (struct atomic_file){0};
    if (*path_name(path) == '\0')
        return error_set(error, "'%s': is not the name of a file", path);
    if (strlen(path) >= PATH_MAX)
        return error_set_errno(error, ENAMETOOLONG, "%s", path);
    while (!create(file, path, &reason, error))
        if (reason != EEXIST || ++attempts == MOST_ATTEMPTS)
            return false;
    file->path = format_text("%s", path);
    return true;
}

bool atomic_file_put(struct atomic_file *file, const void *bytes, size_t size, struct error *error)
{
    int reason = descriptor_write(file->descriptor, bytes, size);
    return reason == 0 || cant_write(file->path, reason, error);
}

void atomic_file_abandon(struct atomic_file *file)
{
    if (file->temporary_path)
        unlink(file->temporary_path);
    forget(file);
}

bool atomic_file_flush_folder(const char *folder, struct error *error)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int reason = descriptor < 0 || fsync(descriptor) != 0 ? errno : 0;
    if (descriptor >= 0)
        close(descriptor);
    /* Some file systems can't flush a folder. */
    if (reason == 0 || reason == EINVAL || reason == ENOTSUP || reason == EACCES)
        return true;
    return error_set_errno(error, reason, "%s: files were written there, but the folder can't be flushed to disk",
                           folder);
}

/* Gives the temporary file its name; 0, or the reason in errno's numbers. */
typedef int (*naming)(const char *temporary_path, const char *path);

static int name_over(const char *temporary_path, const char *path)
{
    return rename(temporary_path, path) == 0 ? 0 : errno;
}

/* True where link() made the name and a file server's answer to that was lost (link(2), BUGS). */
static bool has_two_names(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_nlink == 2;
}

/* A hard link fails where the name is taken. Where a file system has none, an empty file made with O_EXCL keeps the name
 * until the rename. */
static int name_new(const char *temporary_path, const char *path)
{
    int reason = link(temporary_path, path) == 0 ? 0 : errno;
    if (reason == 0 || has_two_names(temporary_path)) {
        unlink(temporary_path);
        return 0;
    }
    if (reason != EPERM && reason != ENOTSUP && reason != ENOSYS && reason != EMLINK)
        return reason;
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return errno;
    close(descriptor);
    reason = name_over(temporary_path, path);
    if (reason != 0)
        unlink(path);
    return reason;
}

/* 0, or the reason in errno's numbers. */
static int flush(struct atomic_file *file)
{
    if (file->descriptor < 0)
        return 0;
    int reason = fsync(file->descriptor) == 0 ? 0 : errno;
    /* A file server may report only here that it has no room. */
    if (close(file->descriptor) != 0 && reason == 0)
        reason = errno;
    file->descriptor = -1;
    return reason;
}

bool atomic_file_flush(struct atomic_file *file, struct error *error)
{
    int reason = flush(file);
    return reason == 0 || cant_write(file->path, reason, error);
}

static bool commit(struct atomic_file *file, naming give_name, struct error *error)
{
    bool ok = atomic_file_flush(file, error);
    int reason = ok ? give_name(file->temporary_path, file->path) : 0;
    if (reason != 0)
        ok = cant_write(file->path, reason, error);
    if (!ok) {
        atomic_file_abandon(file);
        return false;
    }
    char *folder = path_folder(file->path);
    ok = atomic_file_flush_folder(folder, error);
    free(folder);
    forget(file);
    return ok;
}

bool atomic_file_commit(struct atomic_file *file, struct error *error)
{
    return commit(file, name_over, error);
}

bool atomic_file_commit_new(struct atomic_file *file, struct error *error)
{
    return commit(file, name_new, error);
}

/* What the threads of atomic_file_flush_all share. */
struct flushing {
    struct atomic_file *files;
    int count;
    pthread_mutex_t lock;
    int next;
    int failed, reason; /* the first file that failed, -1 for none, and why */
};

static void *flush_files(void *context)
{
    struct flushing *flushing = context;
    pthread_mutex_lock(&flushing->lock);
    while (flushing->next < flushing->count) {
        int number = flushing->next++;
        pthread_mutex_unlock(&flushing->lock);
        int reason = flush(&flushing->files[number]);
        pthread_mutex_lock(&flushing->lock);
        if (reason != 0 && (flushing->failed < 0 || number < flushing->failed)) {
            flushing->failed = number;
            flushing->reason = reason;
        }
    }
    pthread_mutex_unlock(&flushing->lock);
    return NULL;
}

bool atomic_file_flush_all(struct atomic_file *files, int count, struct error *error)
{
    enum { MOST_HELPERS = 7 }; /* they wait for the disk, not for a core */
    struct flushing flushing = {.files = files, .count = count, .failed = -1};
    pthread_t helpers[MOST_HELPERS];
    int num_helpers = 0;
    pthread_mutex_init(&flushing.lock, NULL);
    while (num_helpers < MOST_HELPERS && num_helpers + 1 < count &&
           pthread_create(&helpers[num_helpers], NULL, flush_files, &flushing) == 0)
        num_helpers++;
    flush_files(&flushing);
    for (int i = 0; i < num_helpers; i++)
        pthread_join(helpers[i], NULL);
    pthread_mutex_destroy(&flushing.lock);
    return flushing.failed < 0 || cant_write(files[flushing.failed].path, flushing.reason, error);
}

bool atomic_file_name_new(struct atomic_file *file, const char *path, struct error *error)
{
    int reason = name_new(file->temporary_path, path);
    if (reason != 0)
        return cant_write(path, reason, error);
    forget(file);
    return true;
}

bool atomic_file_name_over(struct atomic_file *file, struct error *error)
{
    int reason = name_over(file->temporary_path, file->path);
    if (reason != 0)
        return cant_write(file->path, reason, error);
    forget(file);
    return true;
}

bool atomic_file_write(const char *path, const void *bytes, size_t size, struct error *error)
{
    struct atomic_file file;
    if (!atomic_file_start(&file, path, error))
        return false;
    if (atomic_file_put(&file, bytes, size, error))
        return atomic_file_commit(&file, error);
    atomic_file_abandon(&file);
    return false;
}

/* Where the PID of ".NAME.HOST.TAG.PID.tmp", or of the first version's ".NAME.HOST.PID.tmp", begins in `name`; NULL where it is
 * no such name. */
static const char *process_of(const char *name)
{
    static const char ending[] = ".tmp";
    size_t length = strlen(name);
    if (name[0] != '.' || length < sizeof ending || strcmp(name + length - 4, ending) != 0)
        return NULL;
    size_t digits_end = length - 4, digits = digits_end;
    while (digits > 0 && isdigit((unsigned char)name[digits - 1]))
        digits--;
    bool is_temporary = digits >= 4 && digits < digits_end && digits_end - digits <= 10 && name[digits - 1] == '.' &&
                        memchr(name + 1, '.', digits - 2) != NULL;
    return is_temporary ? name + digits : NULL;
}

time_t atomic_file_now(const char *path)
{
    struct atomic_file probe;
    struct error error;
    struct stat status;
    time_t now = time(NULL);
    if (!atomic_file_start(&probe, path, &error))
        return now;
    if (fstat(probe.descriptor, &status) == 0)
        now = status.st_mtime;
    atomic_file_abandon(&probe);
    return now;
}

static bool is_stale(const char *folder, const struct stat *status)
{
    char *path = path_join(folder, "clock");
    bool stale = difftime(atomic_file_now(path), status->st_mtime) > STALE_SECONDS;
    free(path);
    return stale;
}

/* Whether nobody can still be writing the temporary file `name` in the folder, in which the PID begins at `pid`. */
static bool is_left_over(const char *folder, const char *name, const char *pid, const struct stat *status)
{
    char host[HOST_NAME_SIZE];
    enum process_state state = PROCESS_OUT_OF_SIGHT;
    long number = strtol(pid, NULL, 10);
    size_t before = (size_t)(pid - name) - 1;
    char *words = format_text("%.*s", (int)before, name); /* without the point before the PID */
    const char *last_point = strrchr(words, '.');
    if (!last_point || !process_look_tag(&state, last_point + 1, number)) {
        short_host_name(host);
        size_t length = strlen(host);
        bool is_ours =
            before > length && words[before - length - 1] == '.' && strcmp(words + before - length, host) == 0;
        if (is_ours && number > 0 && kill((pid_t)number, 0) != 0 && errno == ESRCH)
            state = PROCESS_GONE;
    }
    free(words);
    return state == PROCESS_GONE || (state == PROCESS_OUT_OF_SIGHT && is_stale(folder, status));
}

static void sweep(const char *folder, bool shared)
{
    DIR *stream = opendir(folder);
    if (!stream)
        return;
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        struct stat status;
        const char *name = entry->d_name, *process = process_of(name);
        if (process && fstatat(dirfd(stream), name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
            (!shared || is_left_over(folder, name, process, &status)))
            unlinkat(dirfd(stream), name, 0);
    }
    closedir(stream);
}

void atomic_file_sweep(const char *folder)
{
    sweep(folder, false);
}

void atomic_file_sweep_shared(const char *folder)
{
    sweep(folder, true);
}
