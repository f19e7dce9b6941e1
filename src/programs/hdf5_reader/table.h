/* Tables: datasets of compounds. */
#ifndef DRUMLINE_PROGRAMS_HDF5_READER_TABLE_H
#define DRUMLINE_PROGRAMS_HDF5_READER_TABLE_H

#include "programs/hdf5_reader/dataset.h"

/* sizes[0..request->num_members): as HDF5_ASK_LAYOUT is answered. All 0 where the dataset is no table. */
void table_layout(uint64_t *sizes, const struct dataset *dataset, const struct hdf5_request *request);

/* The type of a row in memory, as the request has it; owned by the caller. Negative where the request makes no sense. */
hid_t table_row_type(const struct hdf5_request *request);

#endif
