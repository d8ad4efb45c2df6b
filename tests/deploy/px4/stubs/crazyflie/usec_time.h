#pragma once
#include <stdint.h>
uint64_t usecTimestamp(void);
