/* transpose.h: squares of LANES rows of LANES values, turned into columns.
 *
 * A template over REAL, after vector.h. Lanes are exchanged in pairs of rows, first those that lie half a vector
 * apart, then a quarter, and so on.
 */

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HAS_SHUFFLE
#endif
#endif

#if defined(HAS_SHUFFLE)

/* Rows `first` and `second` lie h apart. What comes to lane i of each; the lanes of `second` count on from LANES. */
#define FIRST_ROW(i, h) ((i) & (h) ? LANES + (i) - (h) : (i))
#define SECOND_ROW(i, h) ((i) & (h) ? LANES + (i) : (i) + (h))

#define EACH_2(row, i, h) row(i, h), row((i) + 1, h)
#define EACH_4(row, i, h) EACH_2(row, i, h), EACH_2(row, (i) + 2, h)
#define EACH_8(row, i, h) EACH_4(row, i, h), EACH_4(row, (i) + 4, h)
#define EACH_16(row, i, h) EACH_8(row, i, h), EACH_8(row, (i) + 8, h)

#if VECTOR_BYTES == (DOUBLE_PRECISION ? 128 : 64)
#define EACH_LANE(row, h) EACH_16(row, 0, h)
#elif VECTOR_BYTES == (DOUBLE_PRECISION ? 64 : 32)
#define EACH_LANE(row, h) EACH_8(row, 0, h)
#elif VECTOR_BYTES == (DOUBLE_PRECISION ? 32 : 16)
#define EACH_LANE(row, h) EACH_4(row, 0, h)
#else
#define EACH_LANE(row, h) EACH_2(row, 0, h)
#endif

#define EXCHANGE(h)                                                                                     \
    _Pragma("GCC unroll 16") for (int64_t i = 0; LANES > (h) && i < LANES; i++)                         \
    {                                                                                                   \
        if ((i & (h)) == 0) {                                                                           \
            const V first = row[i], second = row[i + (h)];                                              \
            row[i] = __builtin_shufflevector(first, second, EACH_LANE(FIRST_ROW, (h) % LANES));         \
            row[i + (h)] = __builtin_shufflevector(first, second, EACH_LANE(SECOND_ROW, (h) % LANES));  \
        }                                                                                               \
    }

/* Row i of the square is read at from + i * from_apart; what becomes of lane i is written at to + i * to_apart. */
ALWAYS_INLINE void NAME(transpose_square)(const REAL *from, int64_t from_apart, REAL *to, int64_t to_apart)
{
    V row[VECTOR_BYTES / sizeof(REAL)];
#pragma GCC unroll 16
    for (int64_t i = 0; i < LANES; i++) {
        memcpy(&row[i], from + i * from_apart, sizeof row[i]);
    }
    EXCHANGE(8)
    EXCHANGE(4)
    EXCHANGE(2)
    EXCHANGE(1)
#pragma GCC unroll 16
    for (int64_t i = 0; i < LANES; i++) {
        memcpy(to + i * to_apart, &row[i], sizeof row[i]);
    }
}

#undef FIRST_ROW
#undef SECOND_ROW
#undef EACH_2
#undef EACH_4
#undef EACH_8
#undef EACH_16
#undef EACH_LANE
#undef EXCHANGE

#else

/* For compilers without that, number by number. */
ALWAYS_INLINE void NAME(transpose_square)(const REAL *from, int64_t from_apart, REAL *to, int64_t to_apart)
{
    for (int64_t i = 0; i < LANES; i++) {
        for (int64_t k = 0; k < LANES; k++) {
            to[k * to_apart + i] = from[i * from_apart + k];
        }
    }
}

#endif
#undef HAS_SHUFFLE
