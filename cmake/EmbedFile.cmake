# cmake -DINPUT=FILE -DOUTPUT=FILE.c -DNAME=IDENTIFIER -P EmbedFile.cmake: a C file with `const char NAME[]`, the text of INPUT.
file(READ "${INPUT}" bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "((0x[0-9a-f][0-9a-f],){16})" "\\1\n    " bytes "${bytes}")
file(WRITE "${OUTPUT}" "extern const char ${NAME}[];\n\nconst char ${NAME}[] = {\n    ${bytes}0};\n")
