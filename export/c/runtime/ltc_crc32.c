#include "ltc_f32.h"

#if defined(__BYTE_ORDER__) && (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
#error "the CRC of a parameter block is that of its little-endian image"
#endif

uint32_t ltc_crc32(const void *data, uint32_t bytes)
{
    /* Half a byte at a time: a table of 64 bytes instead of one of 1024. */
    static const uint32_t table[16] = {
        0x00000000U, 0x1DB71064U, 0x3B6E20C8U, 0x26D930ACU, 0x76DC4190U, 0x6B6B51F4U, 0x4DB26158U,
        0x5005713CU, 0xEDB88320U, 0xF00F9344U, 0xD6D6A3E8U, 0xCB61B38CU, 0x9B64C2B0U, 0x86D3D2D4U,
        0xA00AE278U, 0xBDBDF21CU,
    };
    const uint8_t *next = (const uint8_t *)data;
    uint32_t crc = 0xFFFFFFFFU;
    for (uint32_t left = bytes; left != 0U; --left) {
        crc ^= *next++;
        crc = table[crc & 15U] ^ (crc >> 4);
        crc = table[crc & 15U] ^ (crc >> 4);
    }
    return ~crc;
}
