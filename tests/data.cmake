foreach(module drum_map midi_check midi_file midi_mutations grid)
    drumline_test(${module} LINK drumline_data)
endforeach()
