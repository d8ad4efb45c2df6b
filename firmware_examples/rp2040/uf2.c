/*
 * uf2: makes the file that is dropped on an RP2040's drive, of the image of its flash.
 *
 *     uf2 firmware.bin firmware.uf2
 *
 * It refuses an image whose first 256 bytes do not end with their CRC, which the chip's ROM would not start.
 * The format: blocks of 512 bytes, https://github.com/microsoft/uf2.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FLASH 0x10000000U
#define MOST (2U << 20) /* bytes of an image: the flash of a Pico */
#define BLOCK 512U
#define PAYLOAD 256U
#define DATA_AT 32U

#define MAGIC_0 0x0A324655U
#define MAGIC_1 0x9E5D5157U
#define MAGIC_END 0x0AB16F30U
#define HAS_FAMILY 0x2000U
#define FAMILY_RP2040 0xE48BFF56U

#define BOOT2 252U /* bytes before their CRC */

static uint8_t image[MOST + PAYLOAD];

/* Polynomial 0x04C11DB7, the highest bit first, from all ones, not inverted: what the ROM computes. */
static uint32_t crc_of(const uint8_t *bytes, uint32_t count)
{
    uint32_t crc = 0xFFFFFFFFU;
    for (uint32_t i = 0U; i < count; ++i) {
        crc ^= (uint32_t)bytes[i] << 24;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc << 1) ^ (((crc >> 31) != 0U) ? 0x04C11DB7U : 0U);
        }
    }
    return crc;
}

static void put(uint8_t *block, uint32_t at, uint32_t value)
{
    for (uint32_t i = 0U; i < 4U; ++i) {
        block[at + i] = (uint8_t)(value >> (8U * i));
    }
}

static uint32_t get(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | ((uint32_t)bytes[1] << 8) | ((uint32_t)bytes[2] << 16) | ((uint32_t)bytes[3] << 24);
}

static int write_blocks(FILE *file, uint32_t size)
{
    const uint32_t blocks = (size + PAYLOAD - 1U) / PAYLOAD;
    for (uint32_t i = 0U; i < blocks; ++i) {
        uint8_t block[BLOCK] = { 0U };
        const uint32_t words[] = { MAGIC_0, MAGIC_1, HAS_FAMILY, FLASH + (i * PAYLOAD), PAYLOAD, i, blocks,
                                   FAMILY_RP2040 };
        for (uint32_t word = 0U; word < 8U; ++word) {
            put(block, 4U * word, words[word]);
        }
        memcpy(&block[DATA_AT], &image[i * PAYLOAD], PAYLOAD);
        put(block, BLOCK - 4U, MAGIC_END);
        if (fwrite(block, 1U, BLOCK, file) != BLOCK) {
            return 0;
        }
    }
    return 1;
}

/* Bytes of the image; 0 where it is none. */
static uint32_t read_image(const char *path)
{
    FILE *const file = fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "Error: %s: cannot be read\n", path);
        return 0U;
    }
    const size_t size = fread(image, 1U, MOST + 1U, file);
    (void)fclose(file);
    if ((size <= BOOT2 + 4U) || (size > MOST)) {
        (void)fprintf(stderr, "Error: %s: %zu bytes are no image for the flash of a Pico\n", path, size);
        return 0U;
    }
    const uint32_t crc = crc_of(image, BOOT2);
    if (get(&image[BOOT2]) != crc) {
        (void)fprintf(stderr, "Error: %s: boot2.S has another CRC: 0x%08X\n", path, (unsigned)crc);
        return 0U;
    }
    return (uint32_t)size;
}

int main(int count, char **arguments)
{
    if (count != 3) {
        (void)fprintf(stderr, "usage: uf2 firmware.bin firmware.uf2\n");
        return 2;
    }
    const uint32_t size = read_image(arguments[1]);
    if (size == 0U) {
        return 1;
    }
    FILE *const file = fopen(arguments[2], "wb");
    const int is_written = (file != NULL) && write_blocks(file, size);
    const int is_closed = (file != NULL) && (fclose(file) == 0);
    if (!is_written || !is_closed) {
        (void)fprintf(stderr, "Error: %s: cannot be written\n", arguments[2]);
        (void)remove(arguments[2]);
        return 1;
    }
    return 0;
}
