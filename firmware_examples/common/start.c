#include "start.h"

void start(void)
{
    const uint32_t *kept = layout_data_kept;
    for (uint32_t *word = layout_data; word < layout_data_end; ++word) {
        *word = *kept;
        ++kept;
    }
    for (uint32_t *word = layout_zeroed; word < layout_zeroed_end; ++word) {
        *word = 0U;
    }
    (void)main();
    stop();
}

void stop(void)
{
    for (;;) {
    }
}
