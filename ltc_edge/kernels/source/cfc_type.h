/* cfc_type.h: everything for one REAL, with tiles of one vector and of two. */
#include "vector.h"

#include "transpose.h"

#include "cfc_network.h"

#define BLOCKS 1
#define TILE(x) NAME(x##_1)
#include "lanes.h"

#include "cfc_product.h"

#include "cfc_heads.h"

#include "cfc_forward.h"

#include "cfc_backward.h"

#include "cfc_tiles.h"
#undef BLOCKS
#undef WIDTH
#undef EACH_BLOCK
#undef TILE

#define BLOCKS 2
#define TILE(x) NAME(x##_2)
#include "lanes.h"

#include "cfc_product.h"

#include "cfc_heads.h"

#include "cfc_forward.h"

#include "cfc_backward.h"

#include "cfc_tiles.h"
#undef BLOCKS
#undef WIDTH
#undef EACH_BLOCK
#undef TILE

#include "cfc_calls.h"
