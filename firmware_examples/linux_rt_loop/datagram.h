/*
 * datagram.h: readings and actions as bytes, the same on UDP, on a serial line and in a mailbox. docs/run.md
 * specifies them. All numbers are little-endian.
 *
 *   readings: header · f32[observations] · f32 ages[observations], with AGES · f32[actions], with EXTERNAL
 *   action:   header · u32 sequence of readings · u32 status · u32 mode · f32[actions] · f32 proposal[actions]
 *   header:   u32 magic · u8 version · u8 kind · u16 values · u32 sequence · u32 flags · u64 timestamp
 */
#ifndef DATAGRAM_H
#define DATAGRAM_H

#include <stdint.h>

#include "io.h"

#define DATAGRAM_MAGIC 0x4543544CU /* "LTCE" */
#define DATAGRAM_VERSION 1U
#define DATAGRAM_READINGS 1U
#define DATAGRAM_ACTION 2U

/* Flags of readings; the lowest three are the supervisor's requests. */
#define DATAGRAM_AGES 0x100U
#define DATAGRAM_EXTERNAL 0x200U
#define DATAGRAM_ENDS 0x400U /* no more will come */

#define DATAGRAM_HEADER 24U
#define DATAGRAM_READINGS_MOST (DATAGRAM_HEADER + (4U * ((2U * CONTROLLER_OBSERVATIONS) + CONTROLLER_ACTIONS)))
#define DATAGRAM_ACTION_BYTES (DATAGRAM_HEADER + 12U + (8U * CONTROLLER_ACTIONS))

/* What tells a sender's datagrams apart, of the last one taken. */
typedef struct {
    uint32_t sequence;
    uint32_t flags;
    uint64_t timestamp; /* the sender's own; it goes back with the action */
    uint32_t started;   /* 0: none was taken yet */
    uint32_t answering; /* the sequence number of the next action */
} datagram_link;

/*
 * Take readings into inputs, as measured at now less their ages. What is too short or long, of another kind, or
 * not newer than the last is counted there and changes nothing else. 1 where it was taken.
 */
uint32_t datagram_take(datagram_link *link, const uint8_t *bytes, uint32_t size, int64_t now, io_inputs *inputs);

/* Whether bytes could be readings for this controller: magic, version, kind, counts and size. */
uint32_t datagram_is_readings(const uint8_t *bytes, uint32_t size);

/* Write an action; DATAGRAM_ACTION_BYTES of it. */
void datagram_write(datagram_link *link, const io_outputs *outputs, uint8_t bytes[DATAGRAM_ACTION_BYTES]);

#endif
