/* kept_within() with every float of 32 bits, or every so-manieth; exit 1 where one gets past the limits. */
#include <stdio.h>
#include <stdlib.h>

#include "ltc_supervisor.c"

int main(int count, char **arguments)
{
    static const float limits[][2] = { { -1.0F, 1.0F }, { 0.25F, 3e38F }, { -1e-45F, 0.0F }, { -LARGEST, LARGEST } };
    const uint64_t stride = (count > 1) ? strtoull(arguments[1], NULL, 10) : 1U;
    for (uint64_t bits = 0U; bits <= 0xFFFFFFFFU; bits += stride) {
        word given;
        given.bits = (uint32_t)bits;
        for (uint32_t i = 0U; i < (sizeof(limits) / sizeof(limits[0])); ++i) {
            const float low = limits[i][0];
            const float high = limits[i][1];
            const float found = kept_within(given.value, low, high);
            const uint32_t kept = ((given.value >= low) && (given.value <= high)) ? 1U : 0U;
            if (!(found >= low) || !(found <= high) || ((kept != 0U) && (found != given.value))) {
                (void)fprintf(stderr, "bits %08x become %g\n", (unsigned)bits, (double)found);
                return 1;
            }
        }
    }
    return 0;
}
