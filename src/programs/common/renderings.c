#include "programs/common/renderings.h"

#include "base/io/atomic_file.h"

const char *rendering_name(enum rendering rendering)
{
    static const char *const names[NUM_RENDERINGS] = {"png", "svg", "wav", "ogg"};
    return names[rendering];
}

static bool write_bytes(struct render_bytes *bytes, const char *path, struct error *error)
{
    bool ok = atomic_file_write(path, bytes->data, bytes->size, error);
    render_bytes_free(bytes);
    return ok;
}

bool rendering_draw(const struct drum_roll_sheet *sheet, enum rendering rendering, const char *path,
                    struct error *error)
{
    struct render_bytes bytes;
    bool drawn = rendering == RENDERING_PNG ? drum_roll_png(&bytes, sheet, error) : drum_roll_svg(&bytes, sheet, error);
    return drawn ? write_bytes(&bytes, path, error) : error_prefix(error, "%s", path);
}

bool rendering_play(struct audio_renderer *renderer, const struct midi *midi, enum rendering rendering,
                    const char *path, struct error *error)
{
    struct audio audio;
    struct render_bytes bytes;
    if (!audio_render(&audio, renderer, midi, RENDERING_TAIL, error))
        return error_prefix(error, "%s", path);
    bool encoded = audio_encode(&bytes, &audio, rendering == RENDERING_WAV ? AUDIO_WAV : AUDIO_OGG, error);
    audio_free(&audio);
    return encoded ? write_bytes(&bytes, path, error) : error_prefix(error, "%s", path);
}
