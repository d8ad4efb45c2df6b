/*
 * can_map.h: which bytes of which CAN frame are which signal. A map is a text, a signal after the other:
 *
 *     ID:BYTE:TYPE:SCALE:OFFSET,ID:BYTE:TYPE:SCALE:OFFSET,...
 *
 * ID is a hexadecimal identifier, above 7ff an extended one; BYTE the first of the signal's bytes; TYPE u8,
 * i8, u16, i16, u32, i32 or f32, with a b behind it where the most significant byte comes first. A signal is
 * raw * SCALE + OFFSET. `ltc-edge run` makes such texts of a file in TOML.
 */
#ifndef CAN_MAP_H
#define CAN_MAP_H

#include <stdint.h>

#define CAN_MAP_SIGNALS 64U
#define CAN_MAP_BYTES 8U

typedef struct {
    uint32_t id;
    uint8_t byte;
    uint8_t bytes;
    uint8_t kind;      /* 'u', 'i' or 'f' */
    uint8_t big_endian;
    double scale;
    double offset;
} can_signal;

typedef struct {
    uint32_t count;
    can_signal signal[CAN_MAP_SIGNALS];
} can_map;

/* Read a map of exactly count signals, up to the end or a &; 1 where it is one. */
uint32_t can_map_read(const char *text, uint32_t count, can_map *map);

/* The signal in the data of a frame; 0 where the frame is too short for it. */
uint32_t can_signal_take(const can_signal *signal, const uint8_t *data, uint32_t length, float *value);

/* The other way: rounded to the nearest, and to the ends of the type's range; NaN becomes 0. */
void can_signal_give(const can_signal *signal, float value, uint8_t data[CAN_MAP_BYTES]);

/* Length of the frame of an identifier: up to the last byte of its last signal; 0 where there is none. */
uint32_t can_map_length(const can_map *map, uint32_t id);

#endif
