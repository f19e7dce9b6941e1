foreach(module run_lock retention metrics checkpoint_writer)
    drumline_test(run/${module} LINK drumline_run)
endforeach()
drumline_test(run/metrics_reader LINK drumline_run)
