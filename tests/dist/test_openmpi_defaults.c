/* When Drumline tells Open MPI to stay on the host. */
#include "dist/openmpi_defaults.h"
#include "tests/support/environment.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <stdlib.h>

enum { VARIABLES_MAX = 8 };

struct site {
    char *home, *system;
};

static void write_file(const char *folder, const char *name, const char *text)
{
    struct error error;
    char *path = path_join(folder, name);
    assert_ok(file_write(path, path, text, strlen(text), &error), error);
    free(path);
}

static void say_user(const struct site *site, const char *text)
{
    write_file(site->home, ".openmpi/mca-params.conf", text);
}

static void say_system(const struct site *site, const char *text)
{
    write_file(site->system, "openmpi-mca-params.conf", text);
}

/* Neither folder has a file of parameters. */
static int start(void **state)
{
    struct error error;
    struct site *site = calloc(1, sizeof *site);
    assert_non_null(site);
    site->home = scratch_make();
    site->system = scratch_make();
    char *hidden = path_join(site->home, ".openmpi");
    assert_ok(folder_make(hidden, &error), error);
    free(hidden);
    *state = site;
    return 0;
}

static int end(void **state)
{
    struct site *site = *state;
    scratch_remove(site->home);
    scratch_remove(site->system);
    free(site);
    return 0;
}

static struct openmpi_defaults choose_with(const char *const *variables, const char *system)
{
    char **own = environment_replace(variables);
    struct openmpi_defaults defaults = openmpi_defaults_choose(system);
    environment_restore(own);
    return defaults;
}

/* With nothing but these variables (NULL-ended) and HOME in the environment. */
static struct openmpi_defaults choose_in(const struct site *site, const char *const *variables)
{
    char *home = format_text("HOME=%s", site->home);
    const char *given[VARIABLES_MAX + 2] = {home};
    for (int i = 0; variables[i] && i < VARIABLES_MAX; i++)
        given[i + 1] = variables[i];
    struct openmpi_defaults defaults = choose_with(given, site->system);
    free(home);
    return defaults;
}

/* On the host of all ranks, with one more variable where `besides` is not NULL. */
static struct openmpi_defaults choose_on_one_host(const struct site *site, const char *besides)
{
    const char *const variables[] = {"OMPI_COMM_WORLD_SIZE=2",
                                     "OMPI_COMM_WORLD_LOCAL_SIZE=2",
                                     "OMPI_COMM_WORLD_RANK=1",
                                     "PMIX_RANK=1",
                                     besides,
                                     NULL};
    return choose_in(site, variables);
}

static void assert_sets(struct openmpi_defaults found, bool pml, bool btl)
{
    assert_int_equal(found.pml != NULL, pml);
    assert_int_equal(found.btl != NULL, btl);
}

static void test_one_host(void **state)
{
    const char *const alone[] = {"OMPI_COMM_WORLD_SIZE=1", "OMPI_COMM_WORLD_LOCAL_SIZE=1", NULL};
    assert_sets(choose_in(*state, alone), true, true);
    struct openmpi_defaults found = choose_on_one_host(*state, NULL);
    assert_sets(found, true, true);
    assert_string_equal(found.pml, "ob1");
    assert_string_equal(found.btl, "^uct,openib,ofi,usnic");
    assert_sets(choose_on_one_host(*state, "OMPI_MCA_btl_vader_single_copy_mechanism=none"), true, true);
    assert_sets(choose_on_one_host(*state, "OMPI_MCA_pml_base_verbose=10"), true, true);
}

static void test_not_known_to_be_one_host(void **state)
{
    const char *const none[] = {NULL};
    const char *const two_hosts[] = {"OMPI_COMM_WORLD_SIZE=4", "OMPI_COMM_WORLD_LOCAL_SIZE=2", NULL};
    const char *const all_alone[] = {"OMPI_COMM_WORLD_SIZE=2", NULL};
    const char *const local_alone[] = {"OMPI_COMM_WORLD_LOCAL_SIZE=2", NULL};
    const char *const slurm[] = {"PMIX_RANK=0", "SLURM_STEP_ID=0", NULL};
    assert_sets(choose_in(*state, none), false, false);
    assert_sets(choose_in(*state, two_hosts), false, false);
    assert_sets(choose_in(*state, all_alone), false, false);
    assert_sets(choose_in(*state, local_alone), false, false);
    assert_sets(choose_in(*state, slurm), false, false);
    assert_sets(choose_on_one_host(*state, "SLURM_STEP_ID=0"), false, false);
    assert_sets(choose_on_one_host(*state, "PMI_RANK=0"), false, false);
}

static void test_environment_has_chosen(void **state)
{
    static const char *const variables[] = {
        "OMPI_MCA_pml=ucx",
        "OMPI_MCA_pml=^cm",
        "OMPI_MCA_btl=self,tcp",
        "OMPI_MCA_mtl=psm2",
        "OMPI_MCA_mca_base_param_files=/etc/site.conf",
        "OMPI_MCA_mca_param_files=/etc/site.conf",
        "OMPI_MCA_mca_base_param_file_prefix=site",
        "OMPI_MCA_mca_base_envar_file_prefix=site",
        "OMPI_MCA_mca_base_override_param_file=/etc/site.conf",
        "OPAL_PREFIX=/opt/openmpi",
        "OPAL_SYSCONFDIR=/etc/openmpi-5",
    };
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        assert_sets(choose_on_one_host(*state, variables[i]), false, false);
}

static void test_files_that_choose(void **state)
{
    static const char *const texts[] = {
        "pml = ucx\n",
        "pml=ob1",
        "\t btl\t=\tself,vader\r\n",
        "mtl = psm2\n",
        "pml = ^ob1\n",
        "btl = ^openib,vader\n",
        "btl = ^sm\n",
        "btl = ^ self\n",
        "pml = \"^ucx\"\n",
        "pml =\n",
        "# pml = ^ucx\npml = ^ucx\npml = cm\n",
        "-mca pml ucx\n",
        "osc = ^ucx\n \t--mca btl self,tcp",
        "-x UCX_TLS=tcp -mca pml ucx\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        say_user(*state, texts[i]);
        assert_sets(choose_on_one_host(*state, NULL), false, false);
        say_user(*state, "");
        say_system(*state, texts[i]);
        assert_sets(choose_on_one_host(*state, NULL), false, false);
        say_system(*state, "");
    }
}

static void test_files_that_leave_shared_memory(void **state)
{
    say_user(*state, "# pml = ucx\n  # btl = tcp\n\nno parameter\nbtl_tcp_if_include = eth0\npml_ob1_verbose = 1\n");
    say_system(*state, "mtl = ^ofi\npml = ^ucx, yalla\nosc = ucx\n");
    assert_sets(choose_on_one_host(*state, NULL), true, true);
    /* As Debian's: its own list of btls stands. */
    say_system(*state, "mtl = ^ofi\nbtl = ^uct,openib,ofi\npml = ^ucx\nosc = ^ucx,pt2pt\n");
    assert_sets(choose_on_one_host(*state, NULL), true, false);
}

static void test_files_that_can_not_be_read(void **state)
{
    struct error error;
    const struct site *site = *state;
    char *path = path_join(site->system, "openmpi-mca-params.conf");
    assert_ok(folder_make(path, &error), error);
    assert_sets(choose_on_one_host(site, NULL), false, false);
    assert_int_equal(rmdir(path), 0);
    assert_sets(choose_on_one_host(site, NULL), true, true);
    free(path);
    const struct site unknown = {.home = site->home};
    assert_sets(choose_on_one_host(&unknown, NULL), false, false);
}

static void test_file_before_the_environment(void **state)
{
    static const char name[] = "openmpi-mca-params-override.conf";
    struct error error;
    const struct site *site = *state;
    char *path = path_join(site->system, name);
    write_file(site->system, name, "");
    assert_sets(choose_on_one_host(site, NULL), false, false);
    assert_int_equal(unlink(path), 0);
    assert_sets(choose_on_one_host(site, NULL), true, true);
    assert_ok(folder_make(path, &error), error);
    assert_sets(choose_on_one_host(site, NULL), false, false);
    free(path);
    /* Where it can't be told whether there is one. */
    const struct site no_folder = {.home = site->home, .system = "/dev/null"};
    assert_sets(choose_on_one_host(&no_folder, NULL), false, false);
}

static void test_no_home(void **state)
{
    const struct site *site = *state;
    const char *const variables[] = {"OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_LOCAL_SIZE=2", NULL};
    assert_sets(choose_in(site, variables), true, true);
    assert_sets(choose_with(variables, site->system), false, false);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_host),
        TEST(test_not_known_to_be_one_host),
        TEST(test_environment_has_chosen),
        TEST(test_files_that_choose),
        TEST(test_files_that_leave_shared_memory),
        TEST(test_files_that_can_not_be_read),
        TEST(test_file_before_the_environment),
        TEST(test_no_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
