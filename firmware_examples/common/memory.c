/* The functions that a compiler may call without being asked to, even where there is no library. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict target, const void *restrict source, size_t bytes);
void *memmove(void *target, const void *source, size_t bytes);
void *memset(void *target, int value, size_t bytes);
int memcmp(const void *left, const void *right, size_t bytes);

void *memcpy(void *restrict target, const void *restrict source, size_t bytes)
{
    uint8_t *to = target;
    const uint8_t *from = source;
    for (size_t i = 0U; i < bytes; ++i) {
        to[i] = from[i];
    }
    return target;
}

void *memmove(void *target, const void *source, size_t bytes)
{
    uint8_t *to = target;
    const uint8_t *from = source;
    if ((uintptr_t)to <= (uintptr_t)from) {
        for (size_t i = 0U; i < bytes; ++i) {
            to[i] = from[i];
        }
        return target;
    }
    for (size_t left = bytes; left != 0U; --left) {
        to[left - 1U] = from[left - 1U];
    }
    return target;
}

void *memset(void *target, int value, size_t bytes)
{
    uint8_t *to = target;
    for (size_t i = 0U; i < bytes; ++i) {
        to[i] = (uint8_t)value;
    }
    return target;
}

int memcmp(const void *left, const void *right, size_t bytes)
{
    const uint8_t *a = left, *b = right;
    for (size_t i = 0U; i < bytes; ++i) {
        if (a[i] != b[i]) {
            return (int)a[i] - (int)b[i];
        }
    }
    return 0;
}
