/* lanes.h: a tile, which is the sequences that a pass through the time steps carries side by side.
 *
 * A template over REAL, as vector.h, and over BLOCKS, the vectors a tile is wide, with TILE(x) for its names. Every
 * quantity of a tile is BLOCKS vectors with a sequence in each lane: neuron i stands at [i * BLOCKS].
 */

#define WIDTH (BLOCKS * LANES)

#define EACH_BLOCK(k) _Pragma("GCC unroll 8") for (int64_t k = 0; k < BLOCKS; k++)

/* Where the tile's sequences lie. */
typedef struct {
    int64_t first; /* of the batch */
    int64_t count; /* the other lanes are idle */
} TILE(lanes);

static TILE(lanes) TILE(lanes_of)(int64_t batch, int64_t tile)
{
    const int64_t first = tile * WIDTH, left = batch - first;
    return (TILE(lanes)){first, left < WIDTH ? left : WIDTH};
}

/* Read `channels` values of each sequence at each of some steps from t on, of `array`, [B, length, channels], into
 * lanes, [steps, channels]. */
static void TILE(gather_steps)(const REAL *array, TILE(lanes) lanes, int64_t length, int64_t t, int64_t steps,
                               int64_t channels, V *to)
{
    const int64_t values = steps * channels, apart = length * channels;
    const REAL *const from = array + (lanes.first * length + t) * channels;
    REAL *const out = (REAL *)to;
    for (int64_t lane = 0; lane < lanes.count; lane++) {
        for (int64_t c = 0; c < values; c += 64 / (int64_t)sizeof(REAL)) {
            /* What is asked for next, on the way forwards and back. */
            __builtin_prefetch(from + lane * apart + values + c);
            __builtin_prefetch(from + lane * apart - values + c);
        }
    }
    const int64_t square_lanes = lanes.count / LANES * LANES, square_values = values / LANES * LANES;
    for (int64_t lane = 0; lane < square_lanes; lane += LANES) {
        for (int64_t c = 0; c < square_values; c += LANES) {
            NAME(transpose_square)(from + lane * apart + c, apart, out + c * WIDTH + lane, WIDTH);
        }
    }
    for (int64_t lane = 0; lane < lanes.count; lane++) {
        for (int64_t c = lane < square_lanes ? square_values : 0; c < values; c++) {
            out[c * WIDTH + lane] = from[lane * apart + c];
        }
    }
}

/* Write them back. */
static void TILE(scatter_steps)(REAL *array, TILE(lanes) lanes, int64_t length, int64_t t, int64_t steps,
                                int64_t channels, const V *from)
{
    const int64_t values = steps * channels, apart = length * channels;
    REAL *const to = array + (lanes.first * length + t) * channels;
    const REAL *const in = (const REAL *)from;
    const int64_t square_lanes = lanes.count / LANES * LANES, square_values = values / LANES * LANES;
    for (int64_t lane = 0; lane < square_lanes; lane += LANES) {
        for (int64_t c = 0; c < square_values; c += LANES) {
            NAME(transpose_square)(in + c * WIDTH + lane, WIDTH, to + lane * apart + c, apart);
        }
    }
    for (int64_t lane = 0; lane < lanes.count; lane++) {
        for (int64_t c = lane < square_lanes ? square_values : 0; c < values; c++) {
            to[lane * apart + c] = in[c * WIDTH + lane];
        }
    }
}

static void TILE(gather)(const REAL *array, TILE(lanes) lanes, int64_t length, int64_t t, int64_t channels, V *to)
{
    TILE(gather_steps)(array, lanes, length, t, 1, channels, to);
}

static void TILE(scatter)(REAL *array, TILE(lanes) lanes, int64_t length, int64_t t, int64_t channels, const V *from)
{
    TILE(scatter_steps)(array, lanes, length, t, 1, channels, from);
}

static void TILE(copy)(V *to, const V *from, int64_t vectors)
{
    memcpy(to, from, (size_t)vectors * sizeof *to);
}

static void TILE(clear)(V *to, int64_t vectors)
{
    memset(to, 0, (size_t)vectors * sizeof *to);
}
