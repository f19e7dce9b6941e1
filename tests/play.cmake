# The programs that play and describe: drumline-generate and drumline-info.
add_executable(make_checkpoint make_checkpoint.c untrained_checkpoint.c)
target_link_libraries(make_checkpoint PRIVATE drumline_model)

drumline_test(generate SOURCES untrained_checkpoint.c LINK drumline_generate)
drumline_test(info SOURCES untrained_checkpoint.c LINK drumline_info)
