/* The table alone, so that a test can be linked with a table of its own. */
#include "data/dataset/converter.h"

const struct converter *const converter_table[] = {&groove_converter};
const size_t converter_count = sizeof converter_table / sizeof *converter_table;
