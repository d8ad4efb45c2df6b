/*
 * mcap_file_bytes.h: numbers and strings of MCAP records and of CDR messages, little-endian as both are.
 *
 * Nothing checks the room here: whoever writes knows how long a record becomes before it begins.
 */
#ifndef MCAP_FILE_BYTES_H
#define MCAP_FILE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__BYTE_ORDER__) && (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
#error "records are little-endian, and values are copied as they lie in memory"
#endif

/* Each writes at a place and returns the place after it. */
uint8_t *mcap_put(uint8_t *at, const void *bytes, size_t count);
uint8_t *mcap_put_u8(uint8_t *at, uint8_t value);
uint8_t *mcap_put_u16(uint8_t *at, uint16_t value);
uint8_t *mcap_put_u32(uint8_t *at, uint32_t value);
uint8_t *mcap_put_u64(uint8_t *at, uint64_t value);
uint8_t *mcap_put_text(uint8_t *at, const char *text); /* its length in four bytes, then it */
uint8_t *mcap_put_record(uint8_t *at, uint8_t opcode, uint64_t length); /* the head of a record */

size_t mcap_text_size(const char *text);
uint32_t mcap_get_u32(const uint8_t *at);
uint64_t mcap_get_u64(const uint8_t *at);

/* CRC-32 of IEEE 802.3 over more bytes; the first call is given 0. */
uint32_t mcap_crc32(uint32_t crc, const void *bytes, size_t count);

#endif
