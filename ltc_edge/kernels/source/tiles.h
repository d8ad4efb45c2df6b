/* tiles.h: independent pieces of work over threads. */
#ifndef LTC_EDGE_TILES_H
#define LTC_EDGE_TILES_H

#include <stdint.h>

typedef void ltc_edge_work(void *context, int64_t tile, int32_t thread);

/* Call work(context, tile, thread) once for each tile from 0 to tiles - 1, over at most `threads` threads. The
 * threads end with the call, so that nothing is left that a fork could break. */
__attribute__((visibility("hidden"))) void ltc_edge_tiles(ltc_edge_work *work, void *context, int64_t tiles,
                                                          int32_t threads);

/* Most threads that one call uses. */
enum { LTC_EDGE_MAX_THREADS = 64 };

#endif
