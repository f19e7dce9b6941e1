foreach(module error log arena random settings options files atomic_file hdf5_io hdf5_compressed hdf5_seal)
    drumline_test(${module} LINK drumline_base)
endforeach()
