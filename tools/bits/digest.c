/*
 * digest.c: steps a controller on made-up inputs and prints the SHA-256 of all that comes out.
 *
 * Inputs are whole numbers scaled by powers of two, so that every machine makes the same; a twentieth of them are far
 * beyond what is usual, and so are some of the times. Digests are printed after 1000, 10000, ... steps and at the end,
 * so that a machine that did fewer steps can still be compared.
 */
#include <stdint.h>
#include <stdio.h>

#include "demo.h"

#ifndef STEPS
#define STEPS 1000U
#endif

typedef struct {
    uint32_t state[8];
    uint8_t block[64];
    uint32_t used;
    uint32_t bytes;
} sha256;

static const uint32_t round_constants[64] = {
    0x428a2f98U, 0x71374491U, 0xb5c0fbcfU, 0xe9b5dba5U, 0x3956c25bU, 0x59f111f1U, 0x923f82a4U, 0xab1c5ed5U,
    0xd807aa98U, 0x12835b01U, 0x243185beU, 0x550c7dc3U, 0x72be5d74U, 0x80deb1feU, 0x9bdc06a7U, 0xc19bf174U,
    0xe49b69c1U, 0xefbe4786U, 0x0fc19dc6U, 0x240ca1ccU, 0x2de92c6fU, 0x4a7484aaU, 0x5cb0a9dcU, 0x76f988daU,
    0x983e5152U, 0xa831c66dU, 0xb00327c8U, 0xbf597fc7U, 0xc6e00bf3U, 0xd5a79147U, 0x06ca6351U, 0x14292967U,
    0x27b70a85U, 0x2e1b2138U, 0x4d2c6dfcU, 0x53380d13U, 0x650a7354U, 0x766a0abbU, 0x81c2c92eU, 0x92722c85U,
    0xa2bfe8a1U, 0xa81a664bU, 0xc24b8b70U, 0xc76c51a3U, 0xd192e819U, 0xd6990624U, 0xf40e3585U, 0x106aa070U,
    0x19a4c116U, 0x1e376c08U, 0x2748774cU, 0x34b0bcb5U, 0x391c0cb3U, 0x4ed8aa4aU, 0x5b9cca4fU, 0x682e6ff3U,
    0x748f82eeU, 0x78a5636fU, 0x84c87814U, 0x8cc70208U, 0x90befffaU, 0xa4506cebU, 0xbef9a3f7U, 0xc67178f2U,
};

static void sha256_start(sha256 *hash)
{
    static const uint32_t start[8] = { 0x6a09e667U, 0xbb67ae85U, 0x3c6ef372U, 0xa54ff53aU,
                                       0x510e527fU, 0x9b05688cU, 0x1f83d9abU, 0x5be0cd19U };
    for (uint32_t i = 0U; i < 8U; ++i) {
        hash->state[i] = start[i];
    }
    hash->used = 0U;
    hash->bytes = 0U;
}

static uint32_t turned(uint32_t x, uint32_t by)
{
    return (x >> by) | (x << (32U - by));
}

static void sha256_block(sha256 *hash)
{
    uint32_t w[64];
    uint32_t s[8];
    for (uint32_t i = 0U; i < 16U; ++i) {
        const uint8_t *b = &hash->block[4U * i];
        w[i] = ((uint32_t)b[0] << 24) | ((uint32_t)b[1] << 16) | ((uint32_t)b[2] << 8) | b[3];
    }
    for (uint32_t i = 16U; i < 64U; ++i) {
        const uint32_t a = turned(w[i - 15U], 7U) ^ turned(w[i - 15U], 18U) ^ (w[i - 15U] >> 3);
        const uint32_t b = turned(w[i - 2U], 17U) ^ turned(w[i - 2U], 19U) ^ (w[i - 2U] >> 10);
        w[i] = w[i - 16U] + a + w[i - 7U] + b;
    }
    for (uint32_t i = 0U; i < 8U; ++i) {
        s[i] = hash->state[i];
    }
    for (uint32_t i = 0U; i < 64U; ++i) {
        const uint32_t a = turned(s[4], 6U) ^ turned(s[4], 11U) ^ turned(s[4], 25U);
        const uint32_t b = turned(s[0], 2U) ^ turned(s[0], 13U) ^ turned(s[0], 22U);
        const uint32_t one = s[7] + a + ((s[4] & s[5]) ^ (~s[4] & s[6])) + round_constants[i] + w[i];
        const uint32_t two = b + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        for (uint32_t j = 7U; j > 0U; --j) {
            s[j] = s[j - 1U];
        }
        s[4] += one;
        s[0] = one + two;
    }
    for (uint32_t i = 0U; i < 8U; ++i) {
        hash->state[i] += s[i];
    }
    hash->used = 0U;
}

static void sha256_byte(sha256 *hash, uint8_t byte)
{
    hash->block[hash->used++] = byte;
    if (hash->used == 64U) {
        sha256_block(hash);
    }
}

static void sha256_word(sha256 *hash, uint32_t word, uint32_t bytes)
{
    for (uint32_t i = 0U; i < bytes; ++i) {
        sha256_byte(hash, (uint8_t)(word >> (8U * i)));
    }
    hash->bytes += bytes;
}

/* Print the digest of what there is so far; the hash can go on. */
static void sha256_print(const sha256 *hash, uint32_t steps)
{
    sha256 copy = *hash;
    sha256_byte(&copy, 0x80U);
    while (copy.used != 56U) {
        sha256_byte(&copy, 0U);
    }
    const uint64_t bits = 8U * (uint64_t)hash->bytes;
    for (uint32_t i = 0U; i < 8U; ++i) {
        sha256_byte(&copy, (uint8_t)(bits >> (56U - 8U * i)));
    }
    printf("%lu ", (unsigned long)steps);
    for (uint32_t i = 0U; i < 8U; ++i) {
        printf("%08lx", (unsigned long)copy.state[i]);
    }
    printf("\n");
}

static uint32_t drawn(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* Whole numbers of 16 bits, times a power of two. */
static float made_up(uint32_t *seed)
{
    const uint32_t word = drawn(seed);
    const float value = (float)((int32_t)(word >> 16) - 32768) * (1.0F / 8192.0F);
    return ((word & 0xFFFFU) < 3277U) ? value * 4096.0F : value;
}

static float made_up_time(uint32_t *seed)
{
    const uint32_t word = drawn(seed);
    const float share = (float)(word >> 16) * (1.0F / 32768.0F);
    const float seconds = share * DEMO_PERIOD_S;
    return ((word & 0xFFFFU) < 655U) ? seconds * 65536.0F - DEMO_PERIOD_S : seconds;
}

int main(void)
{
    static demo_context context;
    float observation[DEMO_OBSERVATIONS];
    float action[DEMO_ACTIONS];
    uint32_t seed = 2463534242U;
    uint32_t next = 1000U;
    sha256 hash;
    union {
        float value;
        uint32_t bits;
    } word;

    if ((demo_selftest() != DEMO_OK) || (demo_reset(&context) != DEMO_OK)) {
        printf("selftest failed\n");
        return 1;
    }
    sha256_start(&hash);
    for (uint32_t step = 1U; step <= STEPS; ++step) {
        for (uint32_t i = 0U; i < DEMO_OBSERVATIONS; ++i) {
            observation[i] = made_up(&seed);
        }
        sha256_word(&hash, demo_step(&context, observation, made_up_time(&seed), action), 4U);
        for (uint32_t i = 0U; i < DEMO_ACTIONS; ++i) {
            word.value = action[i];
            sha256_word(&hash, word.bits, 4U);
        }
        for (uint32_t i = 0U; i < DEMO_STATE; ++i) {
            if (sizeof(context.state[0]) == 4U) {
                word.value = (float)context.state[i];
                sha256_word(&hash, word.bits, 4U);
            } else {
                sha256_word(&hash, (uint32_t)(int32_t)context.state[i], 2U);
            }
        }
        if ((step == next) || (step == STEPS)) {
            sha256_print(&hash, step);
            next *= 10U;
        }
    }
    return 0;
}
