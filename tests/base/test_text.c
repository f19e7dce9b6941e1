#include "base/text.h"
#include "tests/support/unit.h"

#include <stdlib.h>

static void test_format(void **state)
{
    (void)state;
    char *text = format_text("%s-%d", "a", 7);
    assert_string_equal(text, "a-7");
    free(text);
}

static void test_utf8(void **state)
{
    static const char *const wrong[] = {"\x80",     "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80",
                                        "\xe2\x82", "a\x01",    "\x7f"};
    (void)state;
    assert_true(text_is_utf8(""));
    assert_true(text_is_utf8("gr\xc3\xb6\xc3\x9f"
                             "e \xe2\x82\xac \xf0\x9f\xa5\x81.mid"));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(text_is_utf8(wrong[i]));
}

/* U+009B is CSI, and C2 9B in UTF-8; a name in Latin-1 that was converted twice holds such characters too. */
static void test_printable(void **state)
{
    static const char *const wrong[] = {"a\xc2\x9b[2J", "\xc2\x80", "\xc2\x9f", "\x9b", "\x1b", "\n", "\xc2"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(text_is_printable(wrong[i]));
    assert_true(text_is_utf8("\xc3\x83\xc2\x9f"));
    assert_true(text_is_printable("\xc2\xa0\xc3\x9b \xe2\x82\xac \xf0\x9f\xa5\x81"));
    char text[] = "a\xc2\x9b"
                  "2J\x1b[m\n\tgr\xc3\xb6\xdf\x7f\xe2\x82";
    text_make_printable(text);
    assert_string_equal(text, "a??2J?[m\n\tgr\xc3\xb6????");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
