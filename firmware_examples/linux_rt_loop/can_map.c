#include "can_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_ID 0x1FFFFFFFUL

/* A number up to a separator; what follows it, or null. */
static const char *number(const char *text, char separator, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return ((end == text) || (*end != separator) || !(fabs(*value) < 1e30)) ? NULL : (end + 1);
}

static const char *read_type(const char *text, can_signal *signal)
{
    static const struct {
        const char *name;
        uint8_t bytes;
    } types[] = { { "u8", 1U },  { "i8", 1U },  { "u16", 2U }, { "i16", 2U },
                  { "u32", 4U }, { "i32", 4U }, { "f32", 4U } };
    for (size_t i = 0U; i < (sizeof(types) / sizeof(types[0])); ++i) {
        const size_t length = strlen(types[i].name);
        if (strncmp(text, types[i].name, length) == 0) {
            const char *next = &text[length];
            signal->kind = (uint8_t)text[0];
            signal->bytes = types[i].bytes;
            signal->big_endian = (*next == 'b') ? 1U : 0U;
            next += signal->big_endian;
            return (*next == ':') ? (next + 1) : NULL;
        }
    }
    return NULL;
}

/* One signal; what stands behind it, or null. */
static const char *read_signal(const char *text, can_signal *signal)
{
    char *end;
    double byte = 0.0;
    const unsigned long id = strtoul(text, &end, 16);
    if ((end == text) || (*end != ':') || (id > LARGEST_ID)) {
        return NULL;
    }
    signal->id = (uint32_t)id;
    const char *next = number(end + 1, ':', &byte);
    next = (next == NULL) ? NULL : read_type(next, signal);
    next = (next == NULL) ? NULL : number(next, ':', &signal->scale);
    if ((next == NULL) || !(byte >= 0.0) || !((byte + (double)signal->bytes) <= (double)CAN_MAP_BYTES)) {
        return NULL;
    }
    signal->byte = (uint8_t)byte;
    signal->offset = strtod(next, &end);
    return ((end == next) || !(fabs(signal->offset) < 1e30) || !(fabs(signal->scale) > 0.0)) ? NULL : end;
}

uint32_t can_map_read(const char *text, uint32_t count, can_map *map)
{
    const char *next = text;
    memset(map, 0, sizeof(*map));
    if ((text == NULL) || (count > CAN_MAP_SIGNALS)) {
        return 0U;
    }
    for (uint32_t i = 0U; i < count; ++i) {
        next = read_signal(next, &map->signal[i]);
        if ((next == NULL) || (((i + 1U) < count) && (*next != ','))) {
            return 0U;
        }
        next += ((i + 1U) < count) ? 1 : 0;
    }
    map->count = count;
    return ((*next == '\0') || (*next == '&')) ? 1U : 0U;
}

/* The bytes of a signal as a number of at most 32 bits. */
static uint32_t raw_of(const can_signal *signal, const uint8_t *data)
{
    uint32_t raw = 0U;
    for (uint32_t i = 0U; i < signal->bytes; ++i) {
        const uint32_t shift = 8U * ((signal->big_endian != 0U) ? (signal->bytes - 1U - i) : i);
        raw |= (uint32_t)data[signal->byte + i] << shift;
    }
    return raw;
}

uint32_t can_signal_take(const can_signal *signal, const uint8_t *data, uint32_t length, float *value)
{
    if (((uint32_t)signal->byte + signal->bytes) > length) {
        return 0U;
    }
    const uint32_t raw = raw_of(signal, data);
    double found = (double)raw;
    if (signal->kind == (uint8_t)'f') {
        float single;
        memcpy(&single, &raw, sizeof(single));
        found = (double)single;
    } else if (signal->kind == (uint8_t)'i') {
        const double range = ldexp(1.0, 8 * (int)signal->bytes);
        found -= (found >= (range / 2.0)) ? range : 0.0;
    } else {
        /* as it is */
    }
    *value = (float)((found * signal->scale) + signal->offset);
    return 1U;
}

/* A value as bits of the type, within its range. */
static uint32_t bits_of(const can_signal *signal, double value)
{
    const double range = ldexp(1.0, 8 * (int)signal->bytes);
    const double low = (signal->kind == (uint8_t)'i') ? (-range / 2.0) : 0.0;
    const double high = low + range - 1.0;
    const double bounded = fmin(fmax(round(value), low), high);
    return (uint32_t)((bounded < 0.0) ? (bounded + range) : bounded);
}

void can_signal_give(const can_signal *signal, float value, uint8_t data[CAN_MAP_BYTES])
{
    const double wanted = isnan(value) ? 0.0 : (((double)value - signal->offset) / signal->scale);
    uint32_t raw;
    if (signal->kind == (uint8_t)'f') {
        const float single = (float)wanted;
        memcpy(&raw, &single, sizeof(raw));
    } else {
        raw = bits_of(signal, wanted);
    }
    for (uint32_t i = 0U; i < signal->bytes; ++i) {
        const uint32_t shift = 8U * ((signal->big_endian != 0U) ? (signal->bytes - 1U - i) : i);
        data[signal->byte + i] = (uint8_t)(raw >> shift);
    }
}

uint32_t can_map_length(const can_map *map, uint32_t id)
{
    uint32_t length = 0U;
    for (uint32_t i = 0U; i < map->count; ++i) {
        const uint32_t end = (uint32_t)map->signal[i].byte + map->signal[i].bytes;
        length = ((map->signal[i].id == id) && (end > length)) ? end : length;
    }
    return length;
}
