#include "ltc_i16.h"

/*
 * Both are shifted until the divisor lies between 2^15 and 2^16. A table gives 2^31 / divisor to 1 in 64, a
 * step of Newton's to 1 in 4096, from below; with it the quotient comes out at most 18 too small, and once
 * more with what is left, at most 1. There is no branch, so that the time is always the same.
 */
uint32_t ltc_quotient_i16(uint32_t dividend, uint32_t divisor)
{
    /* 2^31 / divisor in the middle of each piece of 1024. */
    static const uint16_t seed[33] = {
        64528U, 62602U, 60787U, 59075U, 57456U, 55924U, 54471U, 53092U, 51782U, 50534U, 49345U, 48210U,
        47127U, 46091U, 45100U, 44151U, 43240U, 42367U, 41528U, 40721U, 39946U, 39199U, 38480U, 37787U,
        37118U, 36472U, 35849U, 35246U, 34664U, 34100U, 33554U, 33026U, 32514U,
    };
    uint32_t n = dividend;
    uint32_t d = divisor;
    uint32_t shift = ((d - 256U) >> 31) << 3;
    n <<= shift;
    d <<= shift;
    shift = ((d - 4096U) >> 31) << 2;
    n <<= shift;
    d <<= shift;
    shift = ((d - 16384U) >> 31) << 1;
    n <<= shift;
    d <<= shift;
    shift = (d - 32768U) >> 31;
    n <<= shift;
    d <<= shift;
    const uint32_t rough = seed[(d >> 10) - 32U];
    const uint32_t reciprocal = (rough * ((0U - d * rough) >> 16)) >> 15;
    const uint32_t first = ((n >> 16) * reciprocal) >> 15;
    const uint32_t rest = n - first * d;
    const uint32_t second = ((rest >> 5) * reciprocal) >> 26;
    const uint32_t last = rest - second * d;
    return first + second + (1U - ((last - d) >> 31));
}
