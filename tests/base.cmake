foreach(module error log arena random settings options files atomic_file hdf5_io)
    drumline_test(${module} LINK drumline_base)
endforeach()
