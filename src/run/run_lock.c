#include "run/run_lock.h"

#include <stddef.h>

static const struct folder_lock_kind run_kind = {.name = "lock", .noun = "run", .flag = "--run_dir"};

bool run_lock_take(struct run_lock *lock, const char *folder, struct error *error)
{
    return folder_lock_take(&lock->folder, folder, &run_kind, NULL, error);
}

bool run_lock_held(const struct run_lock *lock, struct error *error)
{
    return folder_lock_held(&lock->folder, error);
}

void run_lock_follow(struct run_lock *lock, const char *folder, const char token[PROCESS_TOKEN_SIZE])
{
    folder_lock_follow(&lock->folder, folder, &run_kind, token);
}

void run_lock_forget(struct run_lock *lock)
{
    folder_lock_forget(&lock->folder);
}

void run_lock_abandon(struct run_lock *lock)
{
    folder_lock_abandon(&lock->folder);
}

void run_lock_release(struct run_lock *lock)
{
    folder_lock_release(&lock->folder);
}

void run_lock_look(struct folder_lock_view *view, const char *folder)
{
    folder_lock_look(view, folder, &run_kind);
}
