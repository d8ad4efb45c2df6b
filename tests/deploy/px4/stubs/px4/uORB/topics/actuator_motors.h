#pragma once
#include <uORB/uORB.h>
struct actuator_motors_s {
	uint64_t timestamp;
	uint64_t timestamp_sample;
	uint16_t reversible_flags;
	float control[12];
	static constexpr uint8_t NUM_CONTROLS = 12;
};
STUB_TOPIC(actuator_motors)
