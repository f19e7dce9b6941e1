foreach(module error log arena random)
    drumline_test(${module} LINK drumline_base)
endforeach()
