# What every target of the project is compiled with, and the two ways to add one.

add_library(drumline_flags INTERFACE)
target_compile_definitions(drumline_flags INTERFACE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE)
target_compile_options(drumline_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -fno-math-errno -fno-common $<$<BOOL:${DRUMLINE_WERROR}>:-Werror>)
if(DRUMLINE_SANITIZE STREQUAL thread)
    set(sanitizers thread)
elseif(DRUMLINE_SANITIZE)
    set(sanitizers address,undefined)
endif()
if(sanitizers)
    target_compile_options(drumline_flags INTERFACE -fsanitize=${sanitizers} -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    target_compile_definitions(drumline_flags INTERFACE DRUMLINE_SANITIZED)
    target_link_options(drumline_flags INTERFACE -fsanitize=${sanitizers})
endif()
target_include_directories(drumline_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)

# Programs read untrusted files: an overflow that slipped through shall end the program rather than run something. FORTIFY
# needs optimisation, and does not go with sanitizers. tests/checks/hardening.sh looks for all of it.
if(NOT sanitizers)
    set(is_release $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
    target_compile_options(drumline_flags INTERFACE -fstack-protector-strong
        $<${is_release}:-U_FORTIFY_SOURCE> $<${is_release}:-D_FORTIFY_SOURCE=2>)
    target_link_options(drumline_flags INTERFACE LINKER:-z,relro LINKER:-z,now)
endif()

# drumline_library(NAME SOURCES... LINK LIBRARIES...): the static library drumline_NAME.
function(drumline_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
    add_library(drumline_${name} STATIC ${arg_SOURCES})
    target_link_libraries(drumline_${name} PUBLIC drumline_flags ${arg_LINK})
endfunction()

# drumline_program(NAME SOURCES... LINK LIBRARIES... [LIBEXEC]): an installed program, LIBEXEC: one that only our programs start;
# DrumlineInstall says where it finds libraries.
function(drumline_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "LIBEXEC" "" "SOURCES;LINK")
    set(folder ${CMAKE_INSTALL_BINDIR})
    set(build_folder bin)
    if(arg_LIBEXEC)
        set(folder ${CMAKE_INSTALL_LIBEXECDIR})
        file(RELATIVE_PATH build_folder ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBEXECDIR})
        set(build_folder bin/${build_folder})
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE drumline_flags ${arg_LINK})
    # Libraries that a program makes no use of would cost it time at every start.
    target_link_options(${name} PRIVATE LINKER:--as-needed)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${build_folder}
        DRUMLINE_INSTALL_FOLDER ${folder})
    install(TARGETS ${name} RUNTIME DESTINATION ${folder})
    set_property(GLOBAL APPEND PROPERTY DRUMLINE_PROGRAMS ${name})
    if(NOT arg_LIBEXEC)
        add_dependencies(${name} drumline-hdf5-reader) # which all start
    endif()
endfunction()
