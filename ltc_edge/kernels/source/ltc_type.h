/* ltc_type.h: everything for one REAL, with tiles of one vector and of two. */
#include "vector.h"

#include "transpose.h"

#include "ltc_logistic.h"

#include "ltc_network.h"

#define BLOCKS 1
#define TILE(x) NAME(x##_1)
#include "lanes.h"

#include "ltc_tile.h"

#include "ltc_activation.h"

#include "ltc_memory.h"

#include "ltc_forward.h"

#include "ltc_gradients.h"

#include "ltc_back_solvers.h"

#include "ltc_backward.h"

#include "ltc_tiles.h"
#undef BLOCKS
#undef WIDTH
#undef EPSILON
#undef EACH_BLOCK
#undef TILE

#define BLOCKS 2
#define TILE(x) NAME(x##_2)
#include "lanes.h"

#include "ltc_tile.h"

#include "ltc_activation.h"

#include "ltc_memory.h"

#include "ltc_forward.h"

#include "ltc_gradients.h"

#include "ltc_back_solvers.h"

#include "ltc_backward.h"

#include "ltc_tiles.h"
#undef BLOCKS
#undef WIDTH
#undef EPSILON
#undef EACH_BLOCK
#undef TILE

#include "ltc_calls.h"
