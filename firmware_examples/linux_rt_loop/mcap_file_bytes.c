#include "mcap_file_bytes.h"

#include <string.h>

uint8_t *mcap_put(uint8_t *at, const void *bytes, size_t count)
{
    memcpy(at, bytes, count);
    return at + count;
}

uint8_t *mcap_put_u8(uint8_t *at, uint8_t value)
{
    return mcap_put(at, &value, sizeof(value));
}

uint8_t *mcap_put_u16(uint8_t *at, uint16_t value)
{
    return mcap_put(at, &value, sizeof(value));
}

uint8_t *mcap_put_u32(uint8_t *at, uint32_t value)
{
    return mcap_put(at, &value, sizeof(value));
}

uint8_t *mcap_put_u64(uint8_t *at, uint64_t value)
{
    return mcap_put(at, &value, sizeof(value));
}

uint8_t *mcap_put_text(uint8_t *at, const char *text)
{
    const size_t length = strlen(text);
    return mcap_put(mcap_put_u32(at, (uint32_t)length), text, length);
}

uint8_t *mcap_put_record(uint8_t *at, uint8_t opcode, uint64_t length)
{
    return mcap_put_u64(mcap_put_u8(at, opcode), length);
}

size_t mcap_text_size(const char *text)
{
    return sizeof(uint32_t) + strlen(text);
}

uint32_t mcap_get_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

uint64_t mcap_get_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* What each byte does to a sum, for the reflected polynomial of IEEE 802.3. */
static const uint32_t *crc_table(void)
{
    static uint32_t table[256];
    if (table[255] == 0U) {
        for (uint32_t byte = 0U; byte < 256U; ++byte) {
            uint32_t sum = byte;
            for (uint32_t bit = 0U; bit < 8U; ++bit) {
                sum = ((sum & 1U) != 0U) ? ((sum >> 1) ^ 0xEDB88320U) : (sum >> 1);
            }
            table[byte] = sum;
        }
    }
    return table;
}

uint32_t mcap_crc32(uint32_t crc, const void *bytes, size_t count)
{
    const uint32_t *const table = crc_table();
    const uint8_t *next = (const uint8_t *)bytes;
    uint32_t sum = ~crc;
    for (size_t left = count; left != 0U; --left) {
        sum = table[(sum ^ *next++) & 255U] ^ (sum >> 8);
    }
    return ~sum;
}
