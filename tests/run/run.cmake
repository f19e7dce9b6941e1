foreach(module hparams_file model_files retention metrics metrics_history rank_times val_losses checkpoint_writer run_folder)
    drumline_test(run/${module} LINK drumline_run)
endforeach()
# Holds the writer's thread at a gate in these two.
target_link_options(test_checkpoint_writer PRIVATE LINKER:--wrap=run_lock_held LINKER:--wrap=atomic_file_commit)
drumline_test(run/metrics_reader LINK drumline_run)
