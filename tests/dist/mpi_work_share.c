/* Every number is handed out exactly once, however long the tasks take and whoever leaves early. */
#include "base/random.h"
#include "dist/work_share.h"
#include "tests/dist/mpi_check.h"

#include <string.h>
#include <time.h>

enum { MAX_COUNT = 1000 };

static void nap(long microseconds)
{
    struct timespec length = {.tv_nsec = microseconds * 1000};
    nanosleep(&length, NULL);
}

/* Times that number i was handed out, over all ranks. */
static uint64_t times[MAX_COUNT];

/* Works until nothing is left, or until `max_ranges` were taken. Returns how many numbers this rank took. */
static size_t work(struct comm *comm, size_t count, long longest_nap, int max_ranges)
{
    size_t first, end, taken = 0, last_handed_out = 0;
    struct random_stream stream;
    random_stream_start(&stream, 11, 1, 0, (uint32_t)comm_rank(comm));
    memset(times, 0, sizeof times);
    struct work_share *share = work_share_start(comm, count);
    while (max_ranges-- > 0 && work_share_next(share, &first, &end)) {
        CHECK(comm, first < end && end <= count);
        for (size_t i = first; i < end; i++) {
            times[i]++;
            taken++;
            if (longest_nap > 0)
                nap(random_below(&stream, (uint32_t)longest_nap));
            work_share_answer(share);
            size_t handed_out = work_share_handed_out(share);
            CHECK(comm, comm_rank(comm) == 0 ? handed_out >= last_handed_out && handed_out <= count : handed_out == 0);
            last_handed_out = handed_out;
        }
    }
    work_share_finish(share);
    comm_sum_counts(comm, times, MAX_COUNT);
    return taken;
}

static void check_each_once(struct comm *comm, size_t count, long longest_nap)
{
    work(comm, count, longest_nap, MAX_COUNT + 1);
    for (size_t i = 0; i < MAX_COUNT; i++)
        CHECK(comm, times[i] == (i < count));
}

static void check_asking_again(struct comm *comm)
{
    size_t first, end;
    struct work_share *share = work_share_start(comm, 3);
    while (work_share_next(share, &first, &end))
        CHECK(comm, end <= 3);
    CHECK(comm, !work_share_next(share, &first, &end));
    work_share_finish(share);
}

static void check_early_leave(struct comm *comm, int leaver)
{
    work(comm, MAX_COUNT, 0, comm_rank(comm) == leaver ? 1 : MAX_COUNT + 1);
    for (size_t i = 0; i < MAX_COUNT; i++)
        CHECK(comm, times[i] <= 1);
}

static void check_shared(struct comm *comm)
{
    comm_barrier(comm);
    uint64_t has_worked = work(comm, 100, 4000, MAX_COUNT) > 0;
    comm_sum_counts(comm, &has_worked, 1);
    CHECK(comm, has_worked >= (comm_size(comm) > 1 ? 2 : 1));
}

int main(int argc, char **argv)
{
    static const size_t counts[] = {0, 1, 2, 3, 7, 64, MAX_COUNT};
    struct comm *comm = comm_start(&argc, &argv);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        check_each_once(comm, counts[i], 0);
        check_each_once(comm, counts[i], 300);
    }
    check_asking_again(comm);
    for (int leaver = 0; leaver < comm_size(comm); leaver++)
        check_early_leave(comm, leaver);
    check_shared(comm);
    comm_finish(comm);
    return EXIT_SUCCESS;
}
