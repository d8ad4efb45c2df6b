#pragma once
#include <stdint.h>
typedef uint32_t TickType_t;
#define M2T(X) ((unsigned int)(X))
#define T2M(X) ((unsigned int)(X))
