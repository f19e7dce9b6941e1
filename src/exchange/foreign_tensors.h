/* The tensors of a file that another program wrote, whatever its format: names, shapes, types and where the values lie. The
 * readers in this folder fill one; exchange/model_import.h makes a model of it. */
#ifndef DRUMLINE_EXCHANGE_FOREIGN_TENSORS_H
#define DRUMLINE_EXCHANGE_FOREIGN_TENSORS_H

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FOREIGN_MAX_DIMS = 8,
    FOREIGN_MAX_TENSORS = 65536,
    FOREIGN_MAX_NAME = 1024,
};

/* The most bytes that are read of a file, or of all files in an archive: many times the largest model with its optimizer. */
#define FOREIGN_MAX_BYTES ((size_t)1 << 31)

/* How the values are stored; all little-endian. */
enum foreign_type {
    FOREIGN_FLOAT32,
    FOREIGN_FLOAT16,  /* IEEE 754 */
    FOREIGN_BFLOAT16, /* the upper half of a 32-bit float */
    FOREIGN_FLOAT64,
    FOREIGN_SCALED8, /* unsigned integers q that stand for scale * q + minimum */
    FOREIGN_SCALED16,
    FOREIGN_INT32,
    FOREIGN_INT64,
    FOREIGN_OTHER, /* strings and so on: never values of a model */
};

struct foreign_tensor {
    char *name; /* owned; UTF-8, not empty */
    enum foreign_type type;
    int num_dims;
    int64_t dims[FOREIGN_MAX_DIMS];
    size_t count;         /* product of the dims */
    const uint8_t *bytes; /* the values, in row-major order, not aligned; in a buffer of the set's */
    double scale, minimum;
    bool is_used; /* for who looks at them */
};

/* What a config.json of Magenta.js says of its data converter. */
struct foreign_converter {
    bool is_known;
    int64_t bars; /* 0: not said */
    bool hierarchical, humanize, tapify;
};

/* All zero is none. */
struct foreign_tensors {
    const char *format;          /* "safetensors", ... */
    char name[128];              /* of the file in a folder or archive, for messages; "" where that is what was given */
    struct foreign_tensor *rows; /* sorted by name once it is finished; owned */
    size_t count, capacity;
    json_t *notes; /* of a model of ours (exchange/notes.h), not checked; owned; NULL: none */
    struct foreign_converter converter;
    uint8_t **buffers; /* owned, with what they point at */
    size_t num_buffers, buffers_capacity;
};

/* Bytes of a value of that type; 0 for FOREIGN_OTHER. */
size_t foreign_type_size(enum foreign_type type);

/* Appends a tensor. Its name and dims are copied, its bytes are not. Fails where the name is no name, a dim is negative, or
 * num_bytes is not what type and dims make (FOREIGN_OTHER: any). `name` need not end in NUL. */
bool foreign_tensors_add(struct foreign_tensors *tensors, const char *name, size_t name_size,
                         const struct foreign_tensor *tensor, size_t num_bytes, struct error *error);

/* Takes over a buffer from malloc that tensors point into; frees it where that fails. */
bool foreign_tensors_own(struct foreign_tensors *tensors, uint8_t *buffer, struct error *error);

/* After the last tensor: sorts them. Fails where two have one name. */
bool foreign_tensors_finish(struct foreign_tensors *tensors, struct error *error);

/* Of a finished set; NULL where there is none of that name. */
struct foreign_tensor *foreign_tensors_find(const struct foreign_tensors *tensors, const char *name);

/* "[539,1024]" */
enum { FOREIGN_SHAPE_SIZE = 24 * FOREIGN_MAX_DIMS };
const char *foreign_tensor_shape(char text[FOREIGN_SHAPE_SIZE], const struct foreign_tensor *tensor);

/* values[0..count): of any type but FOREIGN_OTHER; 64-bit floats and integers are rounded to nearest. Fails where one is not
 * finite as a 32-bit float. */
bool foreign_tensor_read(float *values, const struct foreign_tensor *tensor, struct error *error);

/* The number in a tensor of one integer; false where it is no such tensor. */
bool foreign_tensor_integer(int64_t *value, const struct foreign_tensor *tensor);

void foreign_tensors_free(struct foreign_tensors *tensors);

#endif
