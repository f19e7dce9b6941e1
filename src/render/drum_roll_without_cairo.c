/* Where cairo's headers were not found at build time. */
#include "render/drum_roll.h"

bool drum_roll_available(void)
{
    return false;
}

static bool refuse(struct render_bytes *out, struct error *error)
{
    *out = (struct render_bytes){0};
    return error_set(error, "this build draws no pictures: install cairo (Debian: libcairo2-dev) and build again");
}

bool drum_roll_png(struct render_bytes *out, const struct drum_roll_sheet *sheet, struct error *error)
{
    (void)sheet;
    return refuse(out, error);
}

bool drum_roll_svg(struct render_bytes *out, const struct drum_roll_sheet *sheet, struct error *error)
{
    (void)sheet;
    return refuse(out, error);
}
