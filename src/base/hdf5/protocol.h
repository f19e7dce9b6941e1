/* What Drumline's programs and drumline-hdf5-reader, which reads HDF5 files for them, say to each other.
 *
 * The program that wants a file starts the reader with three descriptors: a socket (SOCK_SEQPACKET, so that a message comes whole or
 * not at all), a window of shared memory, and the file. It sends one request at a time, and each is answered by one message; values
 * are then in that area of the window that the request names, from its first byte on. While the reader fills one area, whoever
 * asked can take what is in the other. First of all the reader says that it is there: an answer to request 0, whose value is
 * HDF5_PROTOCOL.
 *
 * Both come from one build, so that numbers are as the machine has them. The reader may have been taken over by the file that it
 * reads: whoever asks it copies what is in the window and believes none of it. */
#ifndef DRUMLINE_BASE_HDF5_PROTOCOL_H
#define DRUMLINE_BASE_HDF5_PROTOCOL_H

#include <stdint.h>

enum {
    HDF5_PROTOCOL = 2,
    HDF5_READER_SOCKET = 3, /* the reader's descriptors */
    HDF5_READER_WINDOW = 4,
    HDF5_READER_FILE = 5,
    HDF5_NUM_AREAS = 2,
    HDF5_AREA_SIZE = 8 << 20, /* bytes of values */
    HDF5_PROGRESS_OFFSET =
        HDF5_NUM_AREAS * HDF5_AREA_SIZE, /* behind them, a uint64_t: reads of the file begun plus reads ended */
    HDF5_WINDOW_SIZE = HDF5_PROGRESS_OFFSET + 4096,
    HDF5_TEXT_MAX = 1 << 20, /* bytes of a string that is read */
    HDF5_REQUEST_NAME_SIZE = 256,
    HDF5_REQUEST_DIMENSIONS = 4,
    HDF5_MEMBER_NAME_SIZE = 32,
    HDF5_MAX_MEMBERS = 16,
};

/* What a request asks for; beside it, what of a request counts, and what the answer is. */
enum hdf5_request_kind {
    HDF5_ASK_OPEN,          /* nothing; must come first */
    HDF5_ASK_HAS_ATTRIBUTE, /* name; value 0 or 1 */
    HDF5_ASK_STRING,        /* name; its bytes */
    HDF5_ASK_INTS,          /* name, at most `count`; int64_t each */
    HDF5_ASK_DOUBLE,        /* name; a double */
    HDF5_ASK_HAS_OBJECT,    /* name; value 0 or 1 */
    HDF5_ASK_DIMS,          /* name, num_dims; uint64_t each, and value is the size of an element */
    HDF5_ASK_FLOATS,        /* name, num_dims, dims: whether they are floats as HDF5_FLOATS takes them; nothing */
    HDF5_ASK_ROWS, /* name, element, num_dims, dims, first, count: the first of these rows, as many as the reader likes */
    HDF5_ASK_LAYOUT,  /* name, members: a uint64_t for each, as hdf5_table_layout (base/hdf5/reader.h) has them */
    HDF5_ASK_TABLE,   /* name, members, row_size, dims[0], first, count: as HDF5_ASK_ROWS */
    HDF5_ASK_SOURCES, /* name, first: value is how many there are; from the first on, "FILE\0DATASET\0" each */
};

/* Elements as they are in memory. */
enum hdf5_element {
    HDF5_UINT8,
    HDF5_UINT64,
    HDF5_FLOAT,
    HDF5_FLOATS /* read as float, stored so or as 16-bit floats */
};

enum hdf5_member_type {
    HDF5_MEMBER_TEXT,
    HDF5_MEMBER_UINT8,
    HDF5_MEMBER_UINT32,
    HDF5_MEMBER_UINT64,
    HDF5_MEMBER_FLOAT
};

struct hdf5_request_member {
    char name[HDF5_MEMBER_NAME_SIZE];
    uint32_t type;         /* enum hdf5_member_type */
    uint32_t offset, size; /* bytes, in a row */
};

struct hdf5_request {
    uint32_t number; /* 1, 2, ... */
    uint32_t kind;   /* enum hdf5_request_kind */
    uint32_t area;   /* of the window, for the answer's values, whatever the kind */
    uint32_t element;
    int32_t num_dims;
    uint32_t reserved; /* 0 */
    uint64_t dims[HDF5_REQUEST_DIMENSIONS];
    uint64_t first, count; /* rows along the first axis */
    uint32_t row_size, num_members;
    char name[HDF5_REQUEST_NAME_SIZE];
    struct hdf5_request_member members[HDF5_MAX_MEMBERS];
};

struct hdf5_answer {
    uint32_t number;      /* the request's */
    uint32_t is_refused;  /* 0, or 1: the area holds why, text without the file's name */
    int32_t error_number; /* of a refusal: errno's where the system failed, else 0 */
    uint32_t reserved;    /* 0 */
    uint64_t value;
    uint64_t size; /* bytes in the area */
};

/* Polls the socket for up to 0.1 ms, until a message or its end is there. To be called before waiting for a message: waking a process
 * takes longer than most answers and most further requests. */
void hdf5_protocol_spin(int socket);

#endif
