# What is installed, and the packages that are made of it (label "packaging"). Status 77: can't be made here.

# drumline_packaging_test(NAME ARGUMENTS...): tests/packaging/NAME.sh with these arguments.
function(drumline_packaging_test name)
    add_test(NAME packaging_${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/packaging/${name}.sh ${ARGN})
    set_tests_properties(packaging_${name} PROPERTIES LABELS packaging TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

if(DRUMLINE_MPI AND NOT DRUMLINE_SANITIZE)
    drumline_packaging_test(install ${PROJECT_BINARY_DIR} ${PROJECT_VERSION} ${PROJECT_SOURCE_DIR} ${CMAKE_C_COMPILER})
    drumline_packaging_test(modules ${PROJECT_BINARY_DIR} ${PROJECT_VERSION})
    drumline_packaging_test(archives ${PROJECT_BINARY_DIR} ${PROJECT_VERSION} ${PROJECT_SOURCE_DIR})
    drumline_packaging_test(run_path ${PROJECT_SOURCE_DIR})
    add_test(NAME packaging_recipes COMMAND ${DRUMLINE_PYTHON}
        ${CMAKE_CURRENT_SOURCE_DIR}/packaging/test_recipes.py ${PROJECT_SOURCE_DIR})
    set_tests_properties(packaging_recipes PROPERTIES LABELS packaging TIMEOUT 300)
endif()
