/* Shared memory that ranks of Open MPI leave behind when they are killed: a file of 4 MiB each in /dev/shm, which stays until the node
 * restarts, and in the end leaves no room for others.
 *
 * Removed is only what is surely nobody's any more: vader_segment.HOST.USER.JOB.RANK of this host and this user, older than a minute,
 * that no process has mapped or open. That can be known where a process sees all others of the node: in the node's first process
 * space, and where it may look at each process of this user. Else nothing is done. */
#ifndef DRUMLINE_DIST_LEFTOVERS_H
#define DRUMLINE_DIST_LEFTOVERS_H

#include <stddef.h>

/* Removes such files from `folder` ("/dev/shm"), and returns how many. Each process of this user is looked at only where there
 * are any. */
size_t leftovers_sweep(const char *folder);

/* The same, for files older than so many seconds, whatever the PID namespace. For tests. */
size_t leftovers_sweep_older(const char *folder, double seconds);

#endif
