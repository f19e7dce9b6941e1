/* The table of times: what each phase took, and the least, mean and largest over ranks. */
#include "base/clock.h"
#include "dist/stats.h"
#include "tests/dist/mpi_check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What `stats_report` prints on this rank; standard error is a pipe meanwhile. */
static void capture_report(struct stats *stats, struct comm *comm, char *text, size_t size)
{
    int ends[2];
    CHECK(comm, pipe(ends) == 0);
    int saved = dup(STDERR_FILENO);
    CHECK(comm, dup2(ends[1], STDERR_FILENO) >= 0);
    stats_report(stats, comm, "phases");
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t length = read(ends[0], text, size - 1);
    close(ends[0]);
    CHECK(comm, length >= 0);
    text[length] = '\0';
}

static void check_table(struct comm *comm)
{
    static const char *const names[] = {"forward", "backward"};
    const int rank = comm_rank(comm), size = comm_size(comm);
    char text[4096], *line;
    double minimum, mean, maximum, share;
    struct stats stats;
    stats_start(&stats, names, 2);
    stats.seconds[0] = 1.0 + rank;
    stats.seconds[1] = 6.0;
    capture_report(&stats, comm, text, sizeof text);
    if (rank != 0) {
        CHECK(comm, text[0] == '\0');
        return;
    }
    line = strstr(text, "\nforward ");
    CHECK(comm, line && sscanf(line, " forward %lf %lf %lf %lf %%", &minimum, &mean, &maximum, &share) == 4);
    double wanted = (1.0 + size) / 2;
    CHECK(comm, minimum == 1.0 && mean == wanted && maximum == size);
    CHECK(comm, share - 100 * wanted / (wanted + 6) < 0.051 && share - 100 * wanted / (wanted + 6) > -0.051);
    line = strstr(text, "\ntotal ");
    CHECK(comm, line && sscanf(line, " total %lf %lf %lf", &minimum, &mean, &maximum) == 3);
    CHECK(comm, minimum == 7.0 && mean == wanted + 6 && maximum == size + 6);
}

static void check_phases(struct comm *comm)
{
    static const char *const names[] = {"a", "b"};
    struct stats stats;
    double started = clock_seconds();
    stats_start(&stats, names, 2);
    stats_phase(&stats, 1);
    while (clock_seconds() - started < 0.01)
        continue;
    stats_phase(&stats, 0);
    stats_phase(&stats, 1);
    stats_phase(&stats, -1);
    stats_phase(&stats, -1);
    double passed = clock_seconds() - started;
    CHECK(comm, stats.seconds[1] >= 0.009 && stats.seconds[0] >= 0);
    CHECK(comm, stats.seconds[0] + stats.seconds[1] <= passed);
}

int main(int argc, char **argv)
{
    struct comm *comm = comm_start(&argc, &argv);
    check_phases(comm);
    check_table(comm);
    comm_finish(comm);
    return EXIT_SUCCESS;
}
