#pragma once
#include <uORB/uORB.h>
struct parameter_update_s {
	uint64_t timestamp;
	uint32_t instance;
};
STUB_TOPIC(parameter_update)
