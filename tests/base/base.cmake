foreach(module error text clock array host log threads arena random metric settings options files atomic_file hdf5_io hdf5_column hdf5_seal hdf5_locks background process ticker folder_lock)
    drumline_test(base/${module} LINK drumline_base)
endforeach()
