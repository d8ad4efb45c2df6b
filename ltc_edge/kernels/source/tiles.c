/* tiles.c: independent pieces of work over threads. */
#include "tiles.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct {
    ltc_edge_work *work;
    void *context;
    int64_t tiles;
    atomic_llong next;
} queue;

typedef struct {
    queue *tiles;
    int32_t number;
} worker;

static void *drain(void *argument)
{
    const worker *own = argument;
    queue *const tiles = own->tiles;
    for (;;) {
        const int64_t tile = atomic_fetch_add(&tiles->next, 1);
        if (tile >= tiles->tiles) {
            return NULL;
        }
        tiles->work(tiles->context, tile, own->number);
    }
}

void ltc_edge_tiles(ltc_edge_work *work, void *context, int64_t tiles, int32_t threads)
{
    queue shared = {.work = work, .context = context, .tiles = tiles};
    worker workers[LTC_EDGE_MAX_THREADS];
    pthread_t started[LTC_EDGE_MAX_THREADS];
    int32_t count = threads < LTC_EDGE_MAX_THREADS ? threads : LTC_EDGE_MAX_THREADS;
    if (count > tiles) {
        count = (int32_t)tiles;
    }
    int32_t running = 1;
    for (; running < count; running++) {
        workers[running] = (worker){&shared, running};
        if (pthread_create(&started[running], NULL, drain, &workers[running]) != 0) {
            break; /* the others do its share */
        }
    }
    workers[0] = (worker){&shared, 0};
    drain(&workers[0]);
    for (int32_t i = 1; i < running; i++) {
        pthread_join(started[i], NULL);
    }
}
