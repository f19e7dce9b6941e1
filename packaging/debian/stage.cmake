# CPack runs this when everything is installed into the staging folder: for a .deb, what Debian's policy asks for.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
    return()
endif()
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(usr ${root}${CPACK_PACKAGING_INSTALL_PREFIX})
set(doc ${usr}/share/doc/drumline)

# gzip without the date, so that the same tree gives the same package.
function(compress)
    execute_process(COMMAND gzip --best --no-name --force ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# A package's libraries are where the loader looks; a run path would look elsewhere first. One that names a site's own
# folders stays, and dpkg-shlibdeps then says which library belongs to no package.
file(GLOB programs ${usr}/bin/* ${usr}/libexec/*)
foreach(program ${programs})
    file(READ_ELF ${program} RUNPATH run_path)
    if(run_path MATCHES "^\\$ORIGIN[^:;]*$")
        file(RPATH_REMOVE FILE ${program})
    endif()
endforeach()

# Members of an archive keep notes of their compiler, which nobody needs.
file(GLOB archives ${usr}/lib/*.a ${usr}/lib/*/*.a)
execute_process(COMMAND strip --strip-debug --remove-section=.comment --remove-section=.note
    --enable-deterministic-archives ${archives} COMMAND_ERROR_IS_FATAL ANY)

# The site's file is a configuration file: an upgrade asks before it touches it.
file(MAKE_DIRECTORY ${root}/etc/drumline)
file(RENAME ${usr}/share/drumline/jobs/site.sh ${root}/etc/drumline/site.sh)
file(CREATE_LINK /etc/drumline/site.sh ${usr}/share/drumline/jobs/site.sh SYMBOLIC)

# Programs in /usr/bin need no module, and unloading one would take /usr/bin out of PATH.
file(REMOVE_RECURSE ${usr}/share/modulefiles)

file(GLOB man_pages ${usr}/share/man/man*/*.[17])
compress(${man_pages})
file(REMOVE ${doc}/LICENSE)
file(COPY ${CMAKE_CURRENT_LIST_DIR}/copyright DESTINATION ${doc})
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${doc}/changelog "drumline (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium\n\n"
    "  * CHANGELOG.md has what changed.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
compress(${doc}/changelog)
