#ifndef DRUMLINE_BASE_VERSION_H
#define DRUMLINE_BASE_VERSION_H

/* Drumline's version, "0.1.0". */
const char *drumline_version(void);

#endif
