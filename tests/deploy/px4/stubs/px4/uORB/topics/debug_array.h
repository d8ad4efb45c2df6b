#pragma once
#include <uORB/uORB.h>
struct debug_array_s {
	uint64_t timestamp;
	uint16_t id;
	char name[10];
	float data[58];
	static constexpr uint8_t ARRAY_SIZE = 58;
};
STUB_TOPIC(debug_array)
