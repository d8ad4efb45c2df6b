/*
 * ltc_cobs.h: frames on a line of bytes, by consistent overhead byte stuffing.
 *
 * A zero ends a frame and is nowhere within one, so that whoever lost the thread finds it again at the
 * next zero. One byte in 254 is added, whatever the content: the room that a frame needs is known.
 * Both directions go byte by byte, wait for nothing and allocate nothing.
 */
#ifndef LTC_COBS_H
#define LTC_COBS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A frame that is being received; all zero before the first byte. */
typedef struct {
    uint16_t length;  /* bytes of the frame so far */
    uint8_t left;     /* bytes of the block that are still to come */
    uint8_t code;     /* the first byte of the block; 0 before the first block */
    uint8_t dropping; /* 1: whatever comes is dropped until the next zero */
} ltc_cobs_receiver;

/* A frame that is being sent; all zero where there is none. */
typedef struct {
    uint16_t length; /* bytes of the frame */
    uint16_t at;     /* the next of them */
    uint8_t left;    /* bytes of the block that are still to go */
    uint8_t code;    /* the first byte of the block */
    uint8_t phase;
} ltc_cobs_sender;

/*
 * Take a byte of the line. Returns the length of the frame that it completed, and 0 otherwise. The frame
 * then stands in frame, up to the next call. One longer than capacity, or cut short, is dropped whole.
 */
uint16_t ltc_cobs_take(ltc_cobs_receiver *receiver, uint8_t *frame, uint16_t capacity, uint8_t byte);

/* Begin to send a frame, from its first byte; one that was being sent is cut off by a zero. */
void ltc_cobs_start(ltc_cobs_sender *sender, uint16_t length);

/* Whether all was given. */
uint32_t ltc_cobs_is_idle(const ltc_cobs_sender *sender);

/* 1 and the next byte for the line, or 0 where all was given. frame stays as it is meanwhile. */
uint32_t ltc_cobs_give(ltc_cobs_sender *sender, const uint8_t *frame, uint8_t *byte);

#ifdef __cplusplus
}
#endif

#endif
