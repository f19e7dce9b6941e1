foreach(module drum_map midi_check midi_file midi_mutations grid splits order dataset batch)
    drumline_test(${module} LINK drumline_data)
endforeach()
