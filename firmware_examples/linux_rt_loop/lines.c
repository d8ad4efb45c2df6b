#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t line_read(const char *text, float *values, uint32_t count)
{
    static const char separators[] = " ,\t\r";
    const char *next = text + strspn(text, separators);
    for (uint32_t i = 0U; i < count; ++i) {
        char *end;
        values[i] = strtof(next, &end);
        if (end == next) {
            return 0U;
        }
        next = end + strspn(end, separators);
        if ((next == end) && (*next != '\0')) {
            return 0U; /* "1.5abc", or numbers that touch */
        }
    }
    return (*next == '\0') ? 1U : 0U;
}

size_t line_write(char text[LINE_BYTES], const float *values, uint32_t count)
{
    size_t length = 0U;
    for (uint32_t i = 0U; (i < count) && (length < (LINE_BYTES - 32U)); ++i) {
        const int written = snprintf(&text[length], 32U, (i == 0U) ? "%.9g" : " %.9g", (double)values[i]);
        length += (size_t)written;
    }
    text[length] = '\n';
    return length + 1U;
}
