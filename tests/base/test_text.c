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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
