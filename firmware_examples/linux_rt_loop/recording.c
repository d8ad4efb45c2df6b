#include "recording.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lines.h"

#define COLUMNS (1U + CONTROLLER_OBSERVATIONS)

static float kept[RECORDING_PERIODS][COLUMNS];
static uint32_t periods;

void recording_add(float dt_s, const float *observation)
{
    if (periods == RECORDING_PERIODS) {
        return;
    }
    kept[periods][0] = dt_s;
    for (uint32_t i = 0U; i < CONTROLLER_OBSERVATIONS; ++i) {
        kept[periods][1U + i] = (observation != NULL) ? observation[i] : NAN;
    }
    ++periods;
}

uint32_t recording_write(const char *path)
{
    char text[LINE_BYTES];
    FILE *const file = fopen(path, "w");
    uint32_t good = (file != NULL) ? 1U : 0U;
    for (uint32_t i = 0U; (i < periods) && (good != 0U); ++i) {
        const size_t size = line_write(text, kept[i], COLUMNS);
        good = (fwrite(text, 1U, size, file) == size) ? 1U : 0U;
    }
    if ((file != NULL) && (fclose(file) != 0)) {
        good = 0U;
    }
    if (good == 0U) {
        (void)fprintf(stderr, "Error: --record %s: %s\n", path, strerror(errno));
    }
    return good;
}
