/* Memory that ranks of one node share. With the argument "private": where the node has no room for it. */
#include "dist/node.h"
#include "tests/dist/mpi_check.h"

#include <string.h>

enum { SIZE = 3 << 20 };

/* Every rank writes its part, and sees what the others wrote. */
static void check_memory(struct comm *comm, struct node *node, bool is_shared)
{
    struct error error;
    int sharer, num_sharers;
    uint8_t *bytes = node_share(node, SIZE, &sharer, &num_sharers, &error);
    CHECK(comm, bytes && (uintptr_t)bytes % 16 == 0);
    CHECK(comm, num_sharers == (is_shared ? node_num_ranks(node) : 1));
    CHECK(comm, sharer == (is_shared ? node_rank(node) : 0));
    for (size_t i = 0; i < SIZE; i++)
        CHECK(comm, bytes[i] == 0);
    node_sync(node); /* nobody writes before all have seen the zeros */
    for (size_t i = (size_t)sharer; i < SIZE; i += (size_t)num_sharers)
        bytes[i] = (uint8_t)(1 + sharer);
    node_sync(node);
    for (size_t i = 0; i < SIZE; i++)
        CHECK(comm, bytes[i] == 1 + i % (size_t)num_sharers);
    node_sync(node);
}

/* All tests' ranks are on one host: one group. */
static void check_one_group(struct comm *comm, bool is_shared)
{
    struct node *node = node_join(comm, "the same");
    CHECK(comm, node_num_ranks(node) == comm_size(comm) && node_rank(node) == comm_rank(comm));
    char text[] = "from the first";
    if (node_rank(node) != 0)
        memset(text, 0, sizeof text);
    node_broadcast(node, text, sizeof text);
    CHECK(comm, strcmp(text, "from the first") == 0);
    check_memory(comm, node, is_shared && comm_size(comm) > 1);
    node_leave(node);
}

/* Rank 0 by itself, the others together, as on two nodes of one and three ranks. */
static void check_uneven_groups(struct comm *comm, bool is_shared)
{
    bool is_first = comm_rank(comm) == 0;
    struct node *node = node_join(comm, is_first ? "/a" : "/b");
    CHECK(comm, node_num_ranks(node) == (is_first ? 1 : comm_size(comm) - 1));
    CHECK(comm, node_rank(node) == (is_first ? 0 : comm_rank(comm) - 1));
    int number = comm_rank(comm);
    node_broadcast(node, &number, sizeof number);
    CHECK(comm, number == (is_first ? 0 : 1));
    check_memory(comm, node, is_shared);
    node_leave(node);
}

/* A group that is left without having shared, one rank of a job of its own, and none at all. */
static void check_without_memory(struct comm *comm)
{
    struct error error;
    int sharer, num_sharers;
    node_leave(node_join(comm, ""));
    node_leave(NULL);
    struct comm *alone = comm_make_alone(comm);
    struct node *node = node_join(alone, "x");
    CHECK(comm, node_rank(node) == 0 && node_num_ranks(node) == 1);
    CHECK(comm, node_share(node, 0, &sharer, &num_sharers, &error) && sharer == 0 && num_sharers == 1);
    node_leave(node);
    comm_free_alone(alone);
}

/* More than any machine has: of shared memory there is a warning, of a rank's own an error. */
static void check_too_much(struct comm *comm)
{
    struct error error = {.message = ""};
    int sharer, num_sharers;
    struct node *node = node_join(comm, "");
    CHECK(comm, !node_share(node, (size_t)1 << 50, &sharer, &num_sharers, &error));
    CHECK(comm, strstr(error.message, "no memory for 1073741824 MiB"));
    node_leave(node);
}

int main(int argc, char **argv)
{
    struct comm *comm = comm_start(&argc, &argv);
    bool is_shared = argc < 2 || strcmp(argv[1], "private") != 0;
    check_one_group(comm, is_shared);
    check_uneven_groups(comm, is_shared);
    check_without_memory(comm);
    if (argc < 2)
        check_too_much(comm);
    comm_finish(comm);
    return EXIT_SUCCESS;
}
