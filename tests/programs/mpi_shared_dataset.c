/* A data set that ranks read together: the same as one rank reads alone, and one rank's failure is everybody's. */
#include "base/text.h"
#include "programs/common/shared_dataset.h"

#include "tests/data/data_set_fixture.h"
#include "tests/dist/mpi_check.h"
#include "tests/support/scratch.h"

#include <unistd.h>

/* Rank 0's folder with a data set; its name is the same on all ranks. */
static char *make_folder(struct comm *comm, uint32_t num_shards)
{
    char name[4096] = "";
    char *folder = NULL;
    if (comm_rank(comm) == 0) {
        folder = scratch_make();
        fixture_data_set(folder, num_shards);
        snprintf(name, sizeof name, "%s", folder);
    }
    comm_broadcast(comm, name, sizeof name, 0);
    return folder ? folder : format_text("%s", name);
}

static void remove_folder(struct comm *comm, char *folder)
{
    comm_barrier(comm);
    if (comm_rank(comm) == 0)
        scratch_remove(folder);
    else
        free(folder);
}

static void check_same(struct comm *comm, const struct dataset *shared, const char *folder)
{
    struct error error;
    struct dataset *alone = dataset_open(folder, &error);
    CHECK(comm, alone);
    size_t cells = (size_t)alone->index.num_steps * NUM_DRUMS;
    CHECK(comm, shared->index.num_steps == alone->index.num_steps);
    CHECK(comm, shared->index.table.count == alone->index.table.count);
    CHECK(comm, strcmp(dataset_content_sha256(shared), dataset_content_sha256(alone)) == 0);
    CHECK(comm, memcmp(shared->hits, alone->hits, cells) == 0);
    CHECK(comm, memcmp(shared->velocity, alone->velocity, cells) == 0);
    CHECK(comm, memcmp(shared->offset, alone->offset, cells * sizeof *alone->offset) == 0);
    dataset_close(alone);
}

static void check_opens(struct comm *comm)
{
    struct error error;
    for (uint32_t num_shards = 1; num_shards <= 7; num_shards++) {
        struct shared_dataset shared;
        char *folder = make_folder(comm, num_shards);
        CHECK(comm, shared_dataset_open(&shared, folder, comm, &error));
        check_same(comm, shared.dataset, folder);
        shared_dataset_close(&shared);
        remove_folder(comm, folder);
    }
}

/* Rank 0 has a copy in a place of its own, made of another number of shards. */
static void check_copies(struct comm *comm)
{
    struct error error;
    struct shared_dataset shared;
    char *first = make_folder(comm, 2), *second = make_folder(comm, 3);
    const char *own = comm_rank(comm) == 0 ? first : second;
    CHECK(comm, shared_dataset_open(&shared, own, comm, &error));
    CHECK(comm, shared.dataset->index.num_shards == (comm_rank(comm) == 0 ? 2 : 3));
    check_same(comm, shared.dataset, own);
    shared_dataset_close(&shared);
    remove_folder(comm, first);
    remove_folder(comm, second);
}

static void expect_refusal(struct comm *comm, const char *folder, const char *file, const char *reason)
{
    struct error error = {.message = ""};
    struct shared_dataset shared;
    CHECK(comm, !shared_dataset_open(&shared, folder, comm, &error));
    CHECK(comm, strstr(error.message, file) && strstr(error.message, reason));
    CHECK(comm, comm_size(comm) == 1 || strstr(error.message, "rank "));
    CHECK(comm, comm_all_equal(comm, error.message, sizeof error.message));
    CHECK(comm, !shared.dataset && !shared.node);
}

/* Whatever shard is damaged, and whoever has to read it, all ranks say which. */
static void check_damage(struct comm *comm)
{
    enum { NUM_SHARDS = 5 };
    char *folder = make_folder(comm, NUM_SHARDS);
    for (uint32_t shard = 0; shard < NUM_SHARDS; shard++) {
        char *name = shard_name(shard, NUM_SHARDS), *path = path_join(folder, name),
             *aside = path_join(folder, "aside");
        struct error error;
        if (comm_rank(comm) == 0) {
            uint8_t *bytes;
            size_t size;
            CHECK(comm, file_read(&bytes, &size, path, 1 << 20, &error) && rename(path, aside) == 0);
            bytes[size / 2] ^= 1;
            CHECK(comm, file_write(path, path, bytes, size, &error));
            free(bytes);
        }
        comm_barrier(comm);
        expect_refusal(comm, folder, name, "damaged");
        comm_barrier(comm);
        CHECK(comm, comm_rank(comm) != 0 || unlink(path) == 0);
        comm_barrier(comm);
        expect_refusal(comm, folder, name, "missing");
        comm_barrier(comm);
        CHECK(comm, comm_rank(comm) != 0 || rename(aside, path) == 0);
        free(aside);
        free(path);
        free(name);
    }
    remove_folder(comm, folder);
}

/* One rank's folder is not there. */
static void check_one_without(struct comm *comm)
{
    char *folder = make_folder(comm, 2);
    bool is_last = comm_rank(comm) == comm_size(comm) - 1;
    expect_refusal(comm, is_last ? "/nowhere" : folder, "/nowhere", "no such folder");
    remove_folder(comm, folder);
}

int main(int argc, char **argv)
{
    struct comm *comm = comm_start(&argc, &argv);
    check_opens(comm);
    check_copies(comm);
    check_damage(comm);
    check_one_without(comm);
    comm_finish(comm);
    return EXIT_SUCCESS;
}
