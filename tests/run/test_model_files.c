/* Model files by name: where they are looked for, and in which order. */
#include "base/text.h"
#include "run/model_files.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

static void put(const char *folder, const char *name)
{
    struct error error;
    char *path = path_join(folder, name);
    assert_ok(file_write(path, path, "", 0, &error), error);
    assert_int_equal(chmod(path, 0755), 0);
    free(path);
}

static char *make_folder(const char *parent, const char *name)
{
    struct error error;
    char *path = path_join(parent, name);
    assert_ok(folder_make(path, &error), error);
    return path;
}

static void assert_found(const char *models_dir, const char *program, const char *folder)
{
    struct error error;
    char *found = model_files_find("groovae_4bar", models_dir, program, &error);
    assert_ok(found != NULL, error);
    char *expected = path_join(folder, "groovae_4bar.h5"), *real = realpath(expected, NULL),
         *other = realpath(found, NULL);
    assert_non_null(real);
    assert_string_equal(other, real);
    free(found);
    free(expected);
    free(real);
    free(other);
}

/* A program in build/release/bin of a source tree and in PREFIX/bin; models everywhere. What comes first in the order is
 * removed, place by place. */
static void places_are_searched_in_order(void **state)
{
    const char *scratch = *state;
    struct error error;
    char *own = make_folder(scratch, "own"), *first = make_folder(scratch, "first");
    char *second = make_folder(scratch, "second"), *bin = make_folder(scratch, "prefix/a/b/bin");
    char *share = make_folder(scratch, "prefix/a/b/share/drumline/models");
    char *source = make_folder(scratch, "prefix/models");
    char *list = format_text("%s::%s", first, second), *program = path_join(bin, "drumline-generate");
    char *const folders[] = {own, first, second, share, source};
    setenv(MODEL_FILES_VARIABLE, list, 1);
    put(bin, "drumline-generate");
    for (size_t i = 0; i < 5; i++)
        put(folders[i], "groovae_4bar.h5");
    for (size_t i = 0; i < 5; i++) {
        assert_found(own, program, folders[i]);
        char *path = path_join(folders[i], "groovae_4bar.h5");
        assert_int_equal(unlink(path), 0);
        free(path);
    }
    assert_fails(model_files_find("groovae_4bar", own, program, &error) != NULL, error,
                 "no model file groovae_4bar.h5");
    for (size_t i = 0; i < 3; i++)
        assert_contains(error.message, folders[i]);
    assert_fails(model_files_find("groovae_4bar", NULL, NULL, &error) != NULL, error, "groovae_4bar.h5");
    unsetenv(MODEL_FILES_VARIABLE);
    for (size_t i = 0; i < 5; i++)
        free(folders[i]);
    free(bin);
    free(list);
    free(program);
}

/* A program that was found in PATH, and one behind a link. */
static void a_program_without_a_path_is_found(void **state)
{
    const char *scratch = *state;
    char *bin = make_folder(scratch, "usr/bin"), *share = make_folder(scratch, "usr/share/drumline/models");
    char *links = make_folder(scratch, "links"), *program = path_join(bin, "drumline-generate");
    char *link = path_join(links, "drumline-generate"), *path = format_text("/nowhere:%s", bin);
    char *before = format_text("%s", getenv("PATH"));
    put(bin, "drumline-generate");
    put(share, "groovae_4bar.h5");
    assert_int_equal(symlink(program, link), 0);
    assert_found(NULL, link, share);
    setenv("PATH", path, 1);
    assert_found(NULL, "drumline-generate", share);
    setenv("PATH", before, 1);
    char *const all[] = {bin, share, links, program, link, path, before};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(places_are_searched_in_order, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_program_without_a_path_is_found, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
