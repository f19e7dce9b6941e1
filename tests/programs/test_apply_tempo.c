/* A model that is given the tempo, applied to a file whose tempo changes. */
#include "tests/programs/generate_support.h"
#include "tests/support/unit.h"

#include "base/io/files.h"
#include "tests/model/untrained_checkpoint.h"

#include <stdlib.h>

enum { PPQ = 480 };

/* Eight bars, the last four at another tempo, as a model that is given the tempo plays them; the caller's. */
static struct grid play_at_tempos(const struct place *place, uint32_t first, uint32_t second, const char *name)
{
    struct midi_tempo tempos[] = {
        {0,        60000000 / first },
        {16 * PPQ, 60000000 / second}
    };
    char *folder = path_join(place->folder, name);
    write_drums(place->midi[0], 8, 9, tempos);
    play(place, (struct generate_options){
                    .mode = GENERATE_APPLY, .amount = 1, .input_midi = {place->midi[0]}, .output_dir = folder});
    struct grid grid = read_output(folder, 0);
    free(folder);
    return grid;
}

/* A bar is played as at its own tempo where the whole window that it comes from has it: that which begins a bar before. */
static void test_bars_have_their_tempo(void **state)
{
    static const size_t bar = (size_t)GRID_BAR_STEPS * NUM_DRUMS, size = sizeof(float);
    struct place place;
    struct error error;
    (void)state;
    make_place(&place, "groovae_2bar_hits_control");
    assert_ok(untrained_checkpoint(place.checkpoint, "groovae_2bar_hits_control",
                                   "enc_rnn_size=8,dec_rnn_size=8,z_size=4,tempo_control=true", 7, &error),
              error);
    struct grid slow = play_at_tempos(&place, 60, 60, "slow"), fast = play_at_tempos(&place, 240, 240, "fast"),
                both = play_at_tempos(&place, 60, 240, "both");
    assert_memory_not_equal(both.offset, fast.offset, 4 * bar * size);
    assert_memory_equal(both.offset, slow.offset, 4 * bar * size);
    assert_memory_not_equal(both.offset + 5 * bar, slow.offset + 5 * bar, 3 * bar * size);
    assert_memory_equal(both.offset + 5 * bar, fast.offset + 5 * bar, 3 * bar * size);
    grid_free(&slow);
    grid_free(&fast);
    grid_free(&both);
    free_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bars_have_their_tempo)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
