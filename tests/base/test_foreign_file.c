/* Files of Magenta's are recognised, and answered with what to do. */
#include "base/io/foreign_file.h"

#include "base/io/files.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <stdlib.h>

static void check(const char *name, const void *bytes, size_t size, const char *part)
{
    struct error error;
    char *folder = scratch_make(), *path = path_join(folder, name);
    assert_ok(file_write(path, path, bytes, size, &error), error);
    if (part) {
        assert_fails(foreign_file_check(path, &error), error, part);
        assert_contains(error.message, name);
        assert_contains(error.message, "docs/from_magenta.md");
    } else {
        assert_ok(foreign_file_check(path, &error), error);
    }
    free(path);
    scratch_remove(folder);
}

static void test_recognised(void **state)
{
    /* A record of 5 bytes, its length's masked CRC-32C computed by another program. */
    static const uint8_t record[] = {5, 0, 0, 0, 0, 0, 0, 0, 0xea, 0xb2, 0x04, 0x3e, 'h', 'e', 'l', 'l', 'o'};
    uint8_t tar[512] = {0};
    (void)state;
    memcpy(tar + 257, "ustar", 5);
    check("music.tfrecord", record, sizeof record, "a TFRecord");
    check("music", record, sizeof record, "a TFRecord");
    check("groovae_4bar.tar", tar, sizeof tar, "an archive");
    check("groovae.tar.gz", "\x1f\x8b\x08", 3, "an archive");
    check("groovae.zip", "PK\3\4", 4, "an archive");
    check("weights_manifest.json", "[]", 2, NULL);
    check("model.safetensors", "x", 1, "a safetensors file");
    check("model.ckpt-100.index", "x", 1, "a part of a TensorFlow checkpoint");
    check("model.ckpt.data-00000-of-00001", "x", 1, "a part of a TensorFlow checkpoint");
}

static void test_folder_of_magenta_js(void **state)
{
    struct error error;
    char *folder = scratch_make(), *path = path_join(folder, "weights_manifest.json");
    (void)state;
    assert_ok(foreign_file_check(folder, &error), error);
    assert_ok(file_write(path, path, "[]", 2, &error), error);
    assert_fails(foreign_file_check(folder, &error), error, "a folder of Magenta.js");
    free(path);
    scratch_remove(folder);
}

/* Magenta's programs are given the name without .index, which no file has. */
static void test_prefix_of_a_checkpoint(void **state)
{
    struct error error;
    char *folder = scratch_make(), *prefix = path_join(folder, "model.ckpt-100"),
         *path = path_join(folder, "model.ckpt-100.index");
    (void)state;
    assert_ok(foreign_file_check(prefix, &error), error);
    assert_ok(file_write(path, path, "x", 1, &error), error);
    assert_fails(foreign_file_check(prefix, &error), error, "a TensorFlow checkpoint");
    assert_contains(error.message, "--mode=import");
    free(path);
    free(prefix);
    scratch_remove(folder);
}

static void test_all_else_passes(void **state)
{
    struct error error;
    uint8_t record[] = {5, 0, 0, 0, 0, 0, 0, 0, 0xea, 0xb2, 0x04, 0x3f};
    (void)state;
    check("music.tfrecord", record, sizeof record, NULL);
    check("a.mid", "MThd\0\0\0\6", 8, NULL);
    check("checkpoint-00000001.h5", "\x89HDF", 4, NULL);
    check("empty.tar", "", 0, NULL);
    assert_ok(foreign_file_check("/nowhere/x.tar", &error), error);
    assert_ok(foreign_file_check("/tmp", &error), error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recognised),
        cmocka_unit_test(test_folder_of_magenta_js),
        cmocka_unit_test(test_prefix_of_a_checkpoint),
        cmocka_unit_test(test_all_else_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
