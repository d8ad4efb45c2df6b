#pragma once
#include <uORB/uORB.h>
struct vehicle_torque_setpoint_s {
	uint64_t timestamp;
	uint64_t timestamp_sample;
	float xyz[3];
};
STUB_TOPIC(vehicle_torque_setpoint)
