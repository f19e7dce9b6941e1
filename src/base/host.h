/* The name of this host. */
#ifndef DRUMLINE_BASE_HOST_H
#define DRUMLINE_BASE_HOST_H

enum { HOST_NAME_SIZE = 256 };

/* Printable ASCII without spaces and '/', so that it may stand in file names, JSON and messages: other bytes are replaced by
 * '_'. "localhost" where the system gives no name. */
void host_name(char host[HOST_NAME_SIZE]);

#endif
